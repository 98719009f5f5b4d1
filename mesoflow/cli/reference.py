"""The generated reference: a section an action, and every code. Written from the catalogue and the enums, never by hand.

schemas/playbook.reference.md  what each action does, takes and gives, with an example from plans/ where there is one
schemas/codes.md               what a rail, a finding or a refusal with this code means
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mesoflow.actions.base import Catalogued
from mesoflow.actions.catalogue import ACTIONS, NOT_IN_THIS_VERSION
from mesoflow.actions.kinds import field_word
from mesoflow.playbook.lint.codes import MEANING
from mesoflow.playbook.load import load
from mesoflow.playbook.models import Rails
from mesoflow.playbook.outline import outline
from mesoflow.playbook.schema import COMMAND
from mesoflow.playbook.tree import Mapping as MappingNode
from mesoflow.runtime import refusal
from mesoflow.safety.ceilings import DEFAULTS, said
from mesoflow.safety.codes import Code
from mesoflow.safety.limits import Limits

REFERENCE = "schemas/playbook.reference.md"
CODES = "schemas/codes.md"
EFFECTS: Mapping[str, str] = {
    "local": "nothing: it computes",
    "wait": "nothing: it waits",
    "read": "nothing: it reads",
    "change": "it changes strategies at the hub",
    "prepare": "it lets the hub plan a trade; nothing is sent",
    "trade": "it trades",
    "tell": "it tells people",
    "ask": "it asks people",
}


def files(root: Path) -> dict[Path, str]:
    """Both pages, with the text they must have."""
    return {root / REFERENCE: actions(sorted(root.glob("plans/*.yaml"))), root / CODES: codes()}


def _generated(title: str, source: str) -> list[str]:
    return [f"# {title}", "", f"Generated from {source} by `{COMMAND}`; not edited by hand.", ""]


# --- actions -----------------------------------------------------------------------------------------------------------


def actions(plans: Iterable[Path]) -> str:
    """The page of actions."""
    examples = _examples(plans)
    lines = _generated("Actions", "mesoflow/actions/catalogue.py")
    for name, action in sorted(ACTIONS.items()):
        assert isinstance(action, Catalogued)
        lines += _action(name, action, examples.get(name, []))
    if NOT_IN_THIS_VERSION:
        lines += ["## Not in this version", ""]
        lines += [
            f"- `{name}`{f': {what}' if what else ''}" for name, what in sorted(NOT_IN_THIS_VERSION.items())
        ]
    lines += ["", *_risk()]
    return "\n".join(lines).rstrip() + "\n"


def _action(name: str, action: Catalogued[Any], example: list[str]) -> list[str]:
    lines = [f"## {name}", "", action.summary, ""]
    lines += [f"What it does to the world: {EFFECTS.get(action.effect_class, action.effect_class)}.", ""]
    lines += _table("takes (* has to be given)", action.inputs)
    if action.outputs is not None:
        lines += _table("gives", action.outputs)
    if action.errors:
        lines += ["Errors: " + ", ".join(f"`{error}`" for error in sorted(action.errors)) + ".", ""]
    if example:
        lines += ["```yaml", *example, "```", ""]
    return lines


def _table(title: str, model: type[BaseModel]) -> list[str]:
    if not model.model_fields:
        return []
    rows = [f"| {title} | type | |", "|---|---|---|"]
    starred = title.startswith("takes")
    rows += [_row(spec.alias or name, spec, starred) for name, spec in model.model_fields.items()]
    return [*rows, ""]


def _row(name: str, spec: FieldInfo, starred: bool) -> str:
    word = field_word(spec).replace("|", r"\|")
    about = (spec.description or "").replace("|", r"\|")
    return f"| `{name}`{' *' if starred and spec.is_required() else ''} | {word} | {about} |"


def _examples(plans: Iterable[Path]) -> dict[str, list[str]]:
    """The shortest step of the playbooks that come with it, by action: as it is written there."""
    found: dict[str, list[str]] = {}
    for path in plans:
        loaded = load(path.read_text(encoding="utf-8"), path.name)
        if not isinstance(loaded.root, MappingNode):
            continue
        written = loaded.source.text.splitlines()
        for step in outline(loaded.source, loaded.root).every:
            node = step.node
            lines = list(_dedented(written[node.line : max(node.line + 1, node.end_line)]))
            if step.action is not None and (step.action not in found or len(lines) < len(found[step.action])):
                found[step.action] = lines
    return found


def _dedented(lines: list[str]) -> Iterator[str]:
    kept = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    indent = min((len(line) - len(line.lstrip()) for line in kept), default=0)
    return (line[indent:].rstrip() for line in kept)


def _risk() -> list[str]:
    """The keys of `risk`, and what counts where nothing is written."""
    lines = ["## risk", "", "Limits that hold before an order leaves; also the ceilings of a policy.", ""]
    lines += ["| key | default | |", "|---|---|---|"]
    nothing = Limits(accounts=())
    for name, spec in Rails.model_fields.items():
        default = said(nothing, name) if name in DEFAULTS else ""
        lines.append(f"| `{name}` | {default} | {(spec.description or '').replace('|', chr(92) + '|')} |")
    return lines


# --- codes -------------------------------------------------------------------------------------------------------------


def codes() -> str:
    """The page of codes."""
    lines = _generated(
        "Codes", "mesoflow/safety/codes.py, mesoflow/playbook/lint/codes.py and mesoflow/runtime/refusal.py"
    )
    lines += ["## Rails: why an order did not leave", "", "| code | control | the rule |", "|---|---|---|"]
    lines += [f"| `{code.code}` | {code.control} | {code.rule} |" for code in Code]
    lines += ["", "## Findings about a playbook or a policy", "", "| code | what it means |", "|---|---|"]
    lines += [f"| {_value(code)} | {meaning} |" for code, meaning in MEANING.items()]
    lines += ["", "## Refusals of a command", "", "| code | what it means |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in _refusals()]
    return "\n".join(lines) + "\n"


def _value(code: Enum) -> str:
    return str(code.value)


def _refusals() -> Iterator[tuple[str, str]]:
    """From the table at the head of runtime/refusal.py, which its constants are held to by a test."""
    for line in (refusal.__doc__ or "").splitlines():
        code, _, meaning = line.partition("  ")
        if code.startswith("MF"):
            yield code, meaning.strip()
