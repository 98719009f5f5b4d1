"""The names that expressions see: how a step ended and what it gave, and the scope that holds all steps.

`steps` is one growing mapping whose scopes fall through to their parents. Never a copy per step: copies are the first
thing that becomes quadratic in a long run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

StepState = Literal["done", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class StepView:
    """How a step ended, and its outputs. `outputs` is a Value, nearly always a mapping; only a done step's can be read."""

    state: StepState
    outputs: Any = field(default_factory=dict)


class Scope:
    """Step ids and their views. A new scope (an item of a loop) sees its parent's steps; the parent never sees its own."""

    __slots__ = ("_parent", "_views")

    def __init__(self, parent: Scope | None = None) -> None:
        self._parent = parent
        self._views: dict[str, StepView] = {}

    def set(self, step: str, view: StepView) -> None:
        """A step has ended (or, in a second try, ended anew)."""
        self._views[step] = view

    def get(self, step: str) -> StepView | None:
        """The view of a step, None if it has not been reached: then it has not run, and `is skipped`."""
        scope: Scope | None = self
        while scope is not None:
            view = scope._views.get(step)
            if view is not None:
                return view
            scope = scope._parent
        return None
