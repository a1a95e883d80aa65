"""The compliance frameworks that the policies belong to."""

from pulumi_policy import PolicyComplianceFramework

EMERGENCY_ACCESS = PolicyComplianceFramework(
    name="AWS Well-Architected Framework",
    version="Security Pillar",
    reference="SEC03-BP03",
    specification="Establish emergency access process",
)
"""https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_permissions_emergency_process.html"""

PREPARED_ACCESS = PolicyComplianceFramework(
    name="AWS Well-Architected Framework",
    version="Security Pillar",
    reference="SEC10-BP05",
    specification="Pre-provision access",
)
"""https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_incident_response_pre_provision_access.html"""


def _cis(reference: str, specification: str) -> PolicyComplianceFramework:
    return PolicyComplianceFramework("CIS AWS Foundations Benchmark", "v3.0.0", reference, specification)


CIS_MFA = _cis("1.10", "Ensure MFA is enabled for all IAM users that have a console password")
CIS_ACCESS_KEYS = _cis("1.11", "Do not set up access keys for IAM users that have a console password")
CIS_KEY_ROTATION = _cis("3.6", "Ensure rotation for customer-created symmetric keys is enabled")
