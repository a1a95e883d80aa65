"""Would AWS let somebody do it? Live policy documents, made ready for `alertpath.iam.evaluate` to judge.

`alertpath.iam.evaluate` takes a condition key that is not in the request for absent. Nobody knows which
further keys AWS would send with a request: what a live document decides by one of them cannot be told.
"""

import json
from typing import Any

CONTEXT = frozenset({"aws:principalarn", "aws:multifactorauthpresent", "aws:multifactorauthage"})
"""Condition keys, in lower case, whose values our requests hold, or are known to lack."""

EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},
}
"""Identity policy of somebody whose own permissions are in nobody's way."""


def judgeable(document: str) -> str:
    """Return a policy document whose conditions on other keys than `CONTEXT` are ones nobody can judge.

    The operator gets a name that `alertpath.iam.evaluate` does not model, so that the condition is neither
    met nor unmet, and only where that matters. The same with policy variables. What is no document is left
    alone: `alertpath.iam.evaluate` says what is wrong with it.
    """
    try:
        parsed = json.loads(document)
    except ValueError:
        return document
    statements = parsed.get("Statement") if isinstance(parsed, dict) else None
    if not isinstance(statements, dict | list):
        return document
    listed = statements if isinstance(statements, list) else [statements]
    return json.dumps({**parsed, "Statement": [_judgeable_statement(one) for one in listed]})


def _judgeable_statement(statement: Any) -> Any:
    conditions = statement.get("Condition") if isinstance(statement, dict) else None
    if not isinstance(conditions, dict):
        return statement
    split: dict[str, Any] = {}
    for operator, block in conditions.items():
        if not isinstance(block, dict) or not block:
            split[operator] = block
            continue
        for key, values in block.items():
            known = key.lower() in CONTEXT and "${" not in json.dumps(values)
            split.setdefault(operator if known else f"{operator} of {key}", {})[key] = values
    return {**statement, "Condition": split}
