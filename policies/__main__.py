"""Registers the policy pack; the rules are in breakglass_policies.

Nothing else belongs here: PolicyPack() serves the engine and does not return.
"""

import sys
from pathlib import Path

# In the project, alertpath is beside this folder; in a built pack it is inside, and comes first.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from breakglass_policies import RULES, decoding
from pulumi_policy import EnforcementLevel, PolicyPack

decoding.decode_once()
PolicyPack("breakglass", policies=RULES, enforcement_level=EnforcementLevel.MANDATORY)
