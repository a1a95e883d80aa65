"""Live policy documents, prepared for `alertpath.iam.evaluate` to judge.

`alertpath.iam.evaluate` treats a condition key that is not in the request as absent. But AWS may send further
keys with a request, and we do not know which: what a live document decides by one of them is unknown.
"""

import json
from typing import Any

CONTEXT = frozenset({"aws:principalarn", "aws:multifactorauthpresent", "aws:multifactorauthage"})
"""Condition keys, in lower case, that our requests either hold or are known to lack."""

EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},
}
"""An identity policy that allows everything, so that only the resource policy decides."""


def judgeable(document: str) -> str:
    """Return a policy document whose conditions on keys other than `CONTEXT` cannot be judged.

    The operator gets a name that `alertpath.iam.evaluate` does not model, so that the condition is neither
    met nor unmet, where that matters. The same is done with policy variables. What is not a document is
    returned as it is: `alertpath.iam.evaluate` says what is wrong with it.
    """
    try:
        parsed = json.loads(document)
    except ValueError:
        return document
    statements = parsed.get("Statement") if isinstance(parsed, dict) else None
    if not isinstance(statements, dict | list):
        return document
    listed = statements if isinstance(statements, list) else [statements]
    return json.dumps({**parsed, "Statement": [_judgeable_statement(statement) for statement in listed]})


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
