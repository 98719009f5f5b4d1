"""Unknown: a value that a preview does not have yet. Whatever is computed from it is unknown, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unknown:
    """`type` in the words of ACTIONS.md ("decimal", "ExecPlan"); `until` says when it will be known ('step "entry"').

    `fields`, where given, are what its attributes give: unknowns of their own types, or values that are known already.
    Then an attribute that is not among them is an error, as it would be later.
    """

    type: str = "any"
    until: str = ""
    fields: Mapping[str, object] | None = None

    def __str__(self) -> str:
        return f"<{self.type}, known after {self.until}>" if self.until else f"<{self.type}, not known yet>"


def first_unknown(*values: object) -> Unknown | None:
    """The first of the values that is unknown."""
    for value in values:
        if isinstance(value, Unknown):
            return value
    return None
