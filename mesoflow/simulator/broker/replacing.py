"""What becomes of an order that replaces another when it reaches its broker. Brokers differ: the dial `replace` says how.

atomic            the old one ends as the new one begins to work; what it has filled counts, so that both together fill no more
                  than was asked for. An old one that is over is replaced by nothing
refused           the broker takes no replacements; the old one works on
cancel_then_new   the old one is cancelled, and a package of it fills before that; the new one is not made smaller for it
both_alive        the new one works, and so does the old one
resized           the new one works for another quantity: once more for each leg of the package
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mesoflow.simulator.broker.orders import Placed

ReplaceMode = Literal["atomic", "refused", "cancel_then_new", "both_alive", "resized"]


@dataclass(frozen=True, slots=True)
class Replacement:
    """`packages` of the new one; whether the old one is cancelled, and how much of it fills before. `reason`: refused."""

    packages: int
    cancels: bool = True
    fills_first: int = 0
    reason: str | None = None


def replacement(mode: ReplaceMode, new: Placed, old: Placed) -> Replacement:
    if mode == "refused":
        return Replacement(new.packages, reason="replace_refused")
    if mode == "both_alive":
        return Replacement(new.packages, cancels=False)
    left = new.packages - old.done
    if not old.phase.alive or left <= 0:
        return Replacement(new.packages, reason="replace_too_late")
    match mode:
        case "cancel_then_new":
            return Replacement(left, fills_first=1)
        case "resized":
            return Replacement(left * len(new.ratios))
        case _:
            return Replacement(left)
