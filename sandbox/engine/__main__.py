"""`python -m sandbox.engine`: makes sure that there is a Pulumi engine, and says which."""

import sys

from sandbox.engine.locate import EngineUnavailable, obtain

try:
    print(f"engine: {obtain(lambda line: print(line, flush=True)).origin}")
except EngineUnavailable as unavailable:
    sys.exit(str(unavailable))
