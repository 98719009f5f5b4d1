"""Findings: what is wrong with a playbook, as values with code, place and help. Collected, never raised one by one.

Shape and order of a finding's text: first the summary, then the place with the line shown, then the values involved, then
what to do. Whoever finds something makes a Finding; how it looks is review/render.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file: 1-based line and column; `width` columns are underlined; `within` says which step."""

    file: str
    line: int = 0
    column: int = 0
    width: int = 1
    within: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `detail` lines are shown under the excerpt; `related` places with a note each."""

    code: str
    summary: str
    place: Place
    level: Literal["error", "warning"] = "error"
    detail: tuple[str, ...] = ()
    related: tuple[tuple[Place, str], ...] = ()
    help: str = ""
    excerpt: str = field(default="", compare=False)
