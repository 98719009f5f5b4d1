"""The life of an order at its broker: one table. What it lacks cannot happen.

    sent ──arrive──▶ working ──fill_part──▶ working ──fill_rest──▶ filled
     │                │  └──cancel──▶ cancelled · ──expire──▶ expired · ──reject──▶ rejected (late)
     ├─reject──▶ rejected      └──freeze──▶ frozen ──thaw──▶ working
     └─freeze──▶ frozen

A phase is the broker's truth. What MesoLive shows (the wire's OrderState) follows from the reports that have reached it, so
it may lag: an order without the broker's id still reads Pending although it works.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from mesoflow.hubs.models.enums import OrderState


class Phase(StrEnum):
    SENT = "sent"
    WORKING = "working"
    FROZEN = "frozen"  # the limbo that one broker calls Inactive: alive, and nothing matches it
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"

    @property
    def alive(self) -> bool:
        return self in (Phase.SENT, Phase.WORKING, Phase.FROZEN)


class Happening(StrEnum):
    ARRIVE = "arrive"
    FREEZE = "freeze"
    THAW = "thaw"
    FILL_PART = "fill_part"
    FILL_REST = "fill_rest"
    CANCEL = "cancel"
    REJECT = "reject"
    EXPIRE = "expire"


TRANSITIONS: Mapping[tuple[Phase, Happening], Phase] = {
    (Phase.SENT, Happening.ARRIVE): Phase.WORKING,
    (Phase.SENT, Happening.FREEZE): Phase.FROZEN,
    (Phase.SENT, Happening.REJECT): Phase.REJECTED,
    (Phase.WORKING, Happening.FILL_PART): Phase.WORKING,
    (Phase.WORKING, Happening.FILL_REST): Phase.FILLED,
    (Phase.WORKING, Happening.CANCEL): Phase.CANCELLED,
    (Phase.WORKING, Happening.EXPIRE): Phase.EXPIRED,
    (Phase.WORKING, Happening.REJECT): Phase.REJECTED,
    (Phase.FROZEN, Happening.THAW): Phase.WORKING,
    (Phase.FROZEN, Happening.CANCEL): Phase.CANCELLED,
    (Phase.FROZEN, Happening.EXPIRE): Phase.EXPIRED,
    (Phase.FROZEN, Happening.REJECT): Phase.REJECTED,
}


def after(phase: Phase, happening: Happening) -> Phase | None:
    """None where it cannot happen: a cancel that comes too late, a fill of what is over."""
    return TRANSITIONS.get((phase, happening))


# What an order reads once its end has been reported.
ENDS: Mapping[Phase, OrderState] = {
    Phase.FILLED: OrderState.FILLED,
    Phase.CANCELLED: OrderState.CANCELLED,
    Phase.REJECTED: OrderState.REJECTED,
    Phase.EXPIRED: OrderState.EXPIRED,
}
TERMINAL = frozenset(ENDS.values())
# No member of the enum: a client must take what it does not know for alive.
INACTIVE = "Inactive"
