"""Registers the policy pack; the policies are in breakglass_policies.

Nothing else belongs here: PolicyPack() serves the engine and does not return.
"""

import gc
import sys
from pathlib import Path

# In the project, alertpath and breakglass are beside this folder; in a built pack they are inside it.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from breakglass_policies import POLICIES, decoding
from pulumi_policy import EnforcementLevel, PolicyPack

# The process lives for one preview and keeps what it reads: looking for garbage took a tenth of the proof.
gc.set_threshold(50_000)
decoding.decode_once()
PolicyPack("breakglass", policies=POLICIES, enforcement_level=EnforcementLevel.MANDATORY)
