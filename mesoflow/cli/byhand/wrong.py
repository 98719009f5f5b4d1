"""Wrong usage of the hubs by hand: a sentence, what is near, and exit 2."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Wrong(Exception):
    """`lines` say more, one finding each."""

    summary: str
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join((f"mesoflow hub: {self.summary}", *(f"  {line}" for line in self.lines)))
