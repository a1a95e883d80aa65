"""The text of an alert, as an EventBridge input transformer."""

import re
from dataclasses import dataclass

from breakglass.detections.catalogue import Detection, Fact

MAX_COLUMNS = 76
"""A plain mail client shows 78; mail also shows the two quotes that EventBridge leaves around each line."""

_RULER = "-" * 60


@dataclass(frozen=True, kw_only=True)
class Message:
    """An EventBridge input transformer: where the values come from, and the text around them."""

    input_paths: dict[str, str]
    template: str


def message(detection: Detection, *, runbook_url: str | None) -> Message:
    """Return the text of an alert: readable in a plain mail client, never the raw event.

    The raw event of an AssumeRole carries a session token. A text template is one JSON string per line
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html); values are
    inserted as they are, and one that the event lacks leaves its place empty.
    """
    width = max(len(fact.label) for fact in detection.facts)
    paths: dict[str, str] = {}
    facts = [f"{fact.label:<{width}}  {_with_variables(fact, paths)}" for fact in detection.facts]
    runbook = [f"Runbook: {runbook_url}"] if runbook_url is not None else []
    lines = [detection.title, _RULER, *facts, _RULER, *detection.advice, *runbook]
    return Message(input_paths=paths, template="\n".join(f'"{line}"' for line in lines))


def _with_variables(fact: Fact, paths: dict[str, str]) -> str:
    """Return the fact's text with template variables for its paths, which are added to `paths`.

    Variables are called after the label, so that a title may use them: who, who1, who2.
    """
    word = re.sub(r"\W.*", "", fact.label).lower()
    text = fact.text
    for number, path in enumerate(re.findall(r"\{([^}]+)\}", text)):
        name = f"{word}{number or ''}"
        paths[name] = path if path.startswith("$") else f"$.detail.{path}"
        text = text.replace(f"{{{path}}}", f"<{name}>", 1)
    return text
