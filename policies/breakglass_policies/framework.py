"""The compliance frameworks that the rules belong to."""

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

_CIS = "CIS AWS Foundations Benchmark"
_CIS_VERSION = "v3.0.0"

CIS_MFA = PolicyComplianceFramework(
    name=_CIS,
    version=_CIS_VERSION,
    reference="1.10",
    specification="Ensure MFA is enabled for all IAM users that have a console password",
)

CIS_ACCESS_KEYS = PolicyComplianceFramework(
    name=_CIS,
    version=_CIS_VERSION,
    reference="1.11",
    specification="Do not set up access keys for IAM users that have a console password",
)

CIS_KEY_ROTATION = PolicyComplianceFramework(
    name=_CIS,
    version=_CIS_VERSION,
    reference="3.6",
    specification="Ensure rotation for customer-created symmetric keys is enabled",
)
