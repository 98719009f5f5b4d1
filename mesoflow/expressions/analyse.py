"""What an expression reads, and under which conditions, without evaluating it. For the checker.

A reference to a step is guarded when it stands under `default(…)`, or where the expression itself has made sure that the
step is done: `… if steps.x is done else …`, `steps.x is done and …`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from mesoflow.expressions.access import DOTTED
from mesoflow.expressions.errors import ExpressionError
from mesoflow.expressions.evaluate import compile_text
from mesoflow.expressions.values import Object

# What is known of steps where an expression is read: (step, "done" | "failed" | "skipped"), or the same with "not " before it.
Facts: TypeAlias = frozenset[tuple[str, str]]
NOTHING: Facts = frozenset()


@dataclass(frozen=True, slots=True)
class Reference:
    """`path` is ("steps", "entry", "greeks"); `position` its 0-based offset in the string, `length` that of its text.

    `asks`: it only asks how a step ended (`steps.x is done`). `known`: what the expression has made sure of before.
    """

    path: tuple[str | int, ...]
    position: int
    length: int
    defaulted: bool = False
    asks: bool = False
    known: Facts = NOTHING

    @property
    def guarded(self) -> bool:
        """Whether reading it can do no harm when its step did not run."""
        return (
            self.defaulted or self.asks or (len(self.path) > 1 and (str(self.path[1]), "done") in self.known)
        )


def references(value: Object) -> list[Reference]:
    """All references in a Value, in the order in which they are written. Raises ExpressionError for bad syntax."""
    if isinstance(value, str):
        return list(_of_text(value)) if "{{" in value or "{%" in value else []
    if isinstance(value, Mapping):
        return [reference for item in value.values() for reference in references(item)]
    if isinstance(value, list | tuple):
        return [reference for item in value for reference in references(item)]
    return []


@lru_cache(maxsize=1024)
def _of_text(text: str) -> tuple[Reference, ...]:
    compile_text(text)  # everything that is wrong with it is raised here
    dotted = DOTTED.fullmatch(text)
    if dotted:
        return (Reference(tuple(dotted[1].split(".")), dotted.start(1), len(dotted[1])),)
    from mesoflow.expressions import walk  # Jinja2, only where there is more than a path

    return tuple(sorted(walk.references(text), key=lambda reference: reference.position))


def truths(text: str) -> Facts:
    """What is known of steps when the expression `text` is true: what a `when` guards."""
    return _facts(text, True)


def falsehoods(text: str) -> Facts:
    """What is known of steps when the expression is false."""
    return _facts(text, False)


def _facts(text: str, truth: bool) -> Facts:
    if " is " not in text or DOTTED.fullmatch(text):
        return NOTHING
    from mesoflow.expressions import walk

    try:
        return walk.facts_of(text, truth)
    except ExpressionError:
        return NOTHING
