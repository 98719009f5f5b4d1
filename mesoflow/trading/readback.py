"""A limit as the hub wants it, and whether the order that it accepted is the one that was meant.

How a credit's limit is signed, and what SendOrder's multiplier multiplies, are guesses (hubs/inferred.py): the first look
at each accepted order checks both, and one that differs is taken back at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

CreditSign: TypeAlias = Literal["negative", "positive"]


def wire_limit(limit: Decimal, credit_sign: CreditSign) -> Decimal:
    """A signed limit (+ debit, − credit) as the hub takes it. A debit is positive everywhere."""
    return abs(limit) if limit < 0 and credit_sign == "positive" else limit


@dataclass(frozen=True, slots=True)
class Accepted:
    """How an order stands at the hub: its limit as told, and its quantity, which is signed there."""

    limit: Decimal | None
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class OrderDiffers:
    """What differs. `guess` is the reading of the hub that is wrong then (hubs/inferred.py), "" where it is none."""

    guess: Literal["credit_sign", "qty_multiplier", ""]
    meant: Decimal
    found: Decimal | None

    def __str__(self) -> str:
        what = "quantity" if self.guess == "qty_multiplier" else "limit"
        found = "none" if self.found is None else f"{self.found}"
        return f"the hub accepted a {what} of {found} where {self.meant} was meant"


def difference(sent_limit: Decimal, packages: int, accepted: Accepted) -> OrderDiffers | None:
    """What is not as it was sent: the quantity, the sign of the limit, its size. A limit that is not told cannot be
    trusted either."""
    if abs(accepted.quantity) != packages:
        return OrderDiffers("qty_multiplier", Decimal(packages), abs(accepted.quantity))
    if accepted.limit is None or accepted.limit == sent_limit:
        return None if accepted.limit is not None else OrderDiffers("", sent_limit, None)
    guess: Literal["credit_sign", ""] = "credit_sign" if accepted.limit == -sent_limit else ""
    return OrderDiffers(guess, sent_limit, accepted.limit)
