"""The compliance framework that the rules belong to."""

from pulumi_policy import PolicyComplianceFramework

EMERGENCY_ACCESS = PolicyComplianceFramework(
    name="AWS Well-Architected Framework",
    version="Security Pillar",
    reference="SEC03-BP03",
    specification="Establish emergency access process",
)
"""https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_permissions_emergency_process.html"""
