"""Where the hub differs from our picture of it: unknown fields and unknown enum members, each reported once.

The models note what they meet; nothing is refused because of it. `doctor`, logs and tests read the collection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

# A hub that invents a field name per message must not fill the memory; a person reads the first few hundred at most.
KEPT_MAX = 1000

Kind = Literal["field", "member"]


@dataclass(frozen=True, slots=True)
class Difference:
    """`model` is a model's or an enum's name, `what` the field's name or the member as received.

    In another casing it is the same: what was read once is sometimes read again from our own form of it.
    """

    kind: Kind
    model: str
    what: str = field(compare=False)
    _same: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_same", self.what.replace("_", "").lower())

    def __str__(self) -> str:
        known = "field" if self.kind == "field" else "member"
        return f"{self.model} has a {known} that the contract does not know: {self.what}"


@dataclass
class Differences:
    """Each difference once, in the order of meeting; `heard` is called at the first meeting."""

    seen: dict[Difference, None] = field(default_factory=dict)
    heard: Callable[[Difference], None] | None = None

    # How many have been handed to whoever tells people.
    told: int = 0

    def untold(self) -> list[Difference]:
        """Those that came since the last time this was asked: each is told once."""
        new = list(self.seen)[self.told :]
        self.told = len(self.seen)
        return new

    def note(self, kind: Kind, model: str, what: str) -> None:
        difference = Difference(kind, model, what)
        if difference in self.seen or len(self.seen) >= KEPT_MAX:
            return
        self.seen[difference] = None
        if self.heard is not None:
            self.heard(difference)


# One collection a process: a difference is a fact about the hub's version, not about one connection.
DIFFERENCES = Differences()
