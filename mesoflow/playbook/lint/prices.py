"""Findings about price policies (LANGUAGE.md §3): a word carries the sign, the worst price is called `worst`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from mesoflow.findings import Finding, Place
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.outline import Outline, StepOutline
from mesoflow.playbook.tree import Mapping, Node, Path, Scalar, to_value

# What people call the worst price elsewhere, and what they write for a price without a word.
_WORST = ("cap", "limit", "max", "min", "floor", "worst_price", "max_price", "min_price", "limit_price")
_BARE = ("amount", "price", "value", "points", "at")


def is_policy(path: Path) -> bool:
    """Whether a path stands in a price policy."""
    return "price" in path


def unknown_key(name: str, path: Path, node: Node, place: Place) -> Finding | None:
    """A key of a price policy that people bring from elsewhere; None if it is only unknown."""
    keys = [part for part in path if isinstance(part, str)]
    inside = path[-2] if len(path) > 1 else ""
    if inside == "price" and name in _WORST:
        return _cap(name, node, place)
    if "price" in keys[:-1] and name in _BARE and isinstance(node, Scalar):
        return bare(node, place)
    return None


def _cap(name: str, node: Node, place: Place) -> Finding:
    written = to_value(node)
    detail: list[str] = []
    better: list[str] = []
    parts = written.items() if isinstance(written, dict) else [("amount", written)]
    for key, value in parts:
        if key in ("from_mid", "from_natural"):
            side = "mid" if key == "from_mid" else "natural"
            detail.append(
                f"`worst: {{{key}: {value}}}`: never more than {value} worse for you than the {side}, whether the order pays or receives."
            )
            better.append(f"{key}: {value}")
        elif key in ("debit", "credit"):
            better.append(f"{key}: {value}")
        else:
            shown = f"`{key}: {value}`" if isinstance(written, dict) else f"`{value}`"
            detail.append(
                f"{shown} does not say for whom. `credit: {value}`: never take less. `debit: {value}`: never pay more."
            )
            better.append(f"credit: {value}")
    return Finding(
        Code.PRICE_CAP, f"a price has no `{name}`; the worst price you accept is called `worst`", place,
        detail=tuple(detail), help=f"worst: {{{', '.join(better)}}}",
    )  # fmt: skip


def bare(node: Scalar, place: Place) -> Finding:
    """A package price without its word."""
    value = node.value
    return Finding(
        Code.BARE_PRICE, "a package has no bare price: a word carries the sign, never the number", place,
        detail=(f"`credit: {value}`: you receive {value}. `debit: {value}`: you pay {value}.",),
        help=f"write {{debit: {value}}} or {{credit: {value}}}",
    )  # fmt: skip


def wrong_value(path: Path, node: Node, place: Place) -> Finding | None:
    """A number where a price policy wants a word."""
    keys = [part for part in path if isinstance(part, str)]
    number = isinstance(node, Scalar) and not isinstance(node.value, str | bool) and node.value is not None
    if not number or "price" not in keys:
        return None
    assert isinstance(node, Scalar)
    words = ("from_mid", "from_natural", "debit", "credit", "step", "every")
    if any(word in keys for word in words):
        return None
    return bare(node, place)


def policies(shape: Outline) -> Iterator[tuple[StepOutline, Mapping]]:
    """Every price policy that is written as a map, with its step."""
    for step in shape.every:
        if step.inputs is not None:
            for policy in _inside(step.inputs):
                yield step, policy


def _inside(node: Mapping) -> Iterator[Mapping]:
    for key, (_, value) in node.entries.items():
        if isinstance(value, Mapping):
            if key == "price":
                yield value
            elif key in ("unwind", "if_incomplete"):
                yield from _inside(value)


def walks(shape: Outline) -> Iterator[Finding]:
    """A price that walks needs to know how fast and how far; one that stands still has nothing to walk."""
    for step, policy in policies(shape):
        walking, pace = policy.key("step"), policy.key("every")
        if walking is not None:
            yield from _walk(policy, walking, step.label)
        elif pace is not None:
            summary = "`every` without `step`: this price does not walk"
            help = "add `step: 0.05`, or remove `every`"
            yield Finding(Code.PRICE_WALK, summary, pace.place(step.label), help=help)


def _walk(policy: Mapping, key: Scalar, within: str) -> Iterator[Finding]:
    called_otherwise = any(name in policy.entries for name in _WORST)
    wanted = ("every",) if called_otherwise else ("every", "worst")
    missing = [name for name in wanted if name not in policy.entries]
    if missing:
        summary = f"a price with a `step` needs {' and '.join(f'`{name}`' for name in missing)} too"
        help = "price: {start: mid, step: 0.05, every: 20s, worst: {from_mid: 0.30}}"
        yield Finding(Code.PRICE_WALK, summary, key.place(within), help=help)
    size, pace = policy.get("step"), policy.get("every")
    if isinstance(size, Scalar) and _not_positive(size.value):
        summary = f"a step of {size.value} leads nowhere: steps are amounts of worse, whatever the order does"
        yield Finding(Code.PRICE_POLICY, summary, size.place(within), help="step: 0.05")
    if isinstance(pace, Scalar) and isinstance(pace.value, str) and re.fullmatch(r"0+[smh]", pace.value):
        summary = f"`every: {pace.value}` sends without end; write how long a rung stands"
        yield Finding(Code.PRICE_POLICY, summary, pace.place(within), help="every: 20s")


def _not_positive(value: object) -> bool:
    if isinstance(value, str):
        return re.match(r"-|0+(\.0*)?(\D|$)", value) is not None
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and value <= 0
