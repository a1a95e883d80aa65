"""Registers the policy pack; the rules are in breakglass_policies.

Nothing else belongs here: PolicyPack() serves the engine and does not return.
"""

from breakglass_policies import RULES
from pulumi_policy import EnforcementLevel, PolicyPack

PolicyPack("breakglass", policies=RULES, enforcement_level=EnforcementLevel.MANDATORY)
