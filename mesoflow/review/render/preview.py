"""A preview as people read it. Every line is a fact of the preview; nothing is added here but words and columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from mesoflow.review.preview import PlannedStep, Preview, UnknownPart
from mesoflow.review.words import length

WIDTH = 118
# Kinds whose steps change something: shown in capitals where an order leaves.
LOUD = "TRADE"


def preview_text(preview: Preview) -> str:
    """The whole page."""
    sections = [
        list(_head(preview)),
        list(_steps(preview)),
        list(_orders(preview)),
        list(_listed(" RAILS", preview.rails)),
        list(_outputs(preview)),
        list(_endings(preview)),
        list(_listed(" TIME", preview.longest)),
        [_last(preview)],
    ]
    return "\n\n".join("\n".join(section) for section in sections if section)


def _head(preview: Preview) -> Iterator[str]:
    yield f"{preview.playbook}    preview of program {preview.program[:8]}; nothing is connected, nothing is sent"
    if preview.description:
        yield preview.description
    yield ""
    yield f"  run       {preview.starts}"
    yield f"  account   {', '.join(preview.accounts)}"
    for number, (name, value) in enumerate(preview.inputs.items()):
        yield f"  {'inputs' if number == 0 else '      '}    {name} {value_text(value)}"
    yield "  numbers   ? is unknown until the run"


def _steps(preview: Preview) -> Iterator[str]:
    width = max((len(step.id) + 2 * step.depth for step in preview.steps), default=0)
    yield " STEPS"
    for step in preview.steps:
        yield from _step(step, width)


def _step(step: PlannedStep, width: int) -> Iterator[str]:
    kind = LOUD if step.kind == "trade" else step.kind
    head = f"  {('  ' * step.depth + step.id).ljust(width)}  {kind.ljust(8)}{(step.action or '').ljust(16)}"
    if step.skipped:
        yield f"{head} skipped: its `when` is false"
        return
    indent = " " * (len(head) + 1)
    lines = [*_notes(step), *(_input(step, name, value) for name, value in step.inputs.items())]
    yield from _wrapped(head + " ", indent, lines[0] if lines else "")
    for line in lines[1:]:
        yield from _wrapped(indent, indent, line)


def _input(step: PlannedStep, name: str, value: Any) -> str:  # noqa: ANN401 - a Value, or unknowns in it
    """Of a whole plan nobody reads thirty unknowns: it is named by its expression."""
    if name in step.written and isinstance(value, Mapping):
        return f"{name}: {step.written[name]}, known then"
    return f"{name}: {value_text(value)}"


def _notes(step: PlannedStep) -> Iterator[str]:
    if step.name:
        yield step.name
    if step.each:
        yield step.each
    if step.only_if:
        yield f"only if {step.only_if}"
    yield from step.checks
    if step.ends:
        yield step.ends
    asks = [
        ask.method or ask.ask
        for ask in step.asks
        if ask.ask in ("change", "prepare", "trade", "withdraw", "tell")
    ]
    if asks:
        yield "may send " + ", ".join(dict.fromkeys(asks))


def _wrapped(first: str, indent: str, text: str) -> list[str]:
    lines = textwrap.wrap(
        text,
        max(WIDTH, len(indent) + 40),
        initial_indent=first,
        subsequent_indent=indent + "  ",
        break_on_hyphens=False,
    )
    return [line.rstrip() for line in lines] or [first.rstrip()]


def _orders(preview: Preview) -> Iterator[str]:
    for order in preview.orders:
        yield f" ORDER of step {order.step}: one for each leg group; legs and prices are chosen in the run"
        for line in order.words:
            yield from _wrapped("   ", " " * 14, line)


def _listed(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield title
    for line in lines:
        yield from _wrapped("  ", "  ", line)


def _outputs(preview: Preview) -> Iterator[str]:
    if preview.outputs:
        yield " OUTPUTS"
    for name, value in preview.outputs.items():
        yield f"  {name}: {value_text(value)}"


def _endings(preview: Preview) -> Iterator[str]:
    yield " ENDS"
    for ending in preview.endings:
        yield from _wrapped("  ", " " * 12, f"{ending.state.ljust(8)}  {ending.when}")


def _last(preview: Preview) -> str:
    if preview.would_trade:
        return "It would trade. Without --dry-run it is done."
    return "It would not trade."


def value_text(value: Any) -> str:  # noqa: ANN401 - a Value, or unknowns in it
    """A value in one line; an unknown as `?` with its type and when it is known."""
    match value:
        case UnknownPart(unknown=kind, until=until):
            return f"? {kind}, known after {until}" if until else f"? {kind}"
        case Mapping():
            return "{" + ", ".join(f"{key}: {value_text(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(value_text(inner) for inner in value) + "]"
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case timedelta():
            return length(int(value.total_seconds()))
    return str(value)
