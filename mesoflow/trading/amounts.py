"""Amounts as a playbook writes them: `0.30`, `2 ticks`, `15% of mid`, `25% of quote_width`, `1% of net_liquidation`.

An amount becomes a number only against what it is measured by (`Measures`). Decided once here, since a percentage of
something unsaid costs money: a percentage without "of" is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, NamedTuple, TypeAlias, cast

Unit: TypeAlias = Literal["number", "ticks", "mid", "quote_width", "strike_width", "net_liquidation"]

PATTERN: Final = r"-?\d{1,12}(\.\d{1,9})?( ticks?|% of (mid|quote_width|strike_width|net_liquidation))?"
_WRITTEN = re.compile(
    r"(-?\d{1,12}(?:\.\d{1,9})?)(?:( ticks?)|% of (mid|quote_width|strike_width|net_liquidation))?"
)
_BARE_PERCENT = re.compile(r"-?\d+(\.\d+)?\s*%")
_HUNDRED = Decimal(100)
_HELP = "write 0.30, 2 ticks, 15% of mid, 25% of quote_width, 5% of strike_width or 1% of net_liquidation"


class NotMeasured(ValueError):
    """An amount is a share of something that is not known, or that this order does not have."""


class Measures(NamedTuple):
    """What amounts are measured by; None: not known. Points per share of one package, but `net_liquidation` is money. A tuple:
    each judged order makes some, in the send path."""

    mid: Decimal | None = None
    quote_width: Decimal | None = None
    strike_width: Decimal | None = None
    tick: Decimal | None = None
    net_liquidation: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, a number of ticks, or a percentage of something."""

    value: Decimal
    unit: Unit = "number"

    @classmethod
    def parse(cls, written: object) -> Amount:
        """From what a playbook holds: text, or a number as it is. Raises ValueError."""
        if isinstance(written, Amount):
            return written
        if isinstance(written, int | Decimal) and not isinstance(written, bool):
            if not Decimal(written).is_finite():
                raise ValueError(f"{written} is no amount; {_HELP}")
            return cls(Decimal(written))
        if not isinstance(written, str):
            raise ValueError(f"{written!r} is no amount; {_HELP}")
        match = _WRITTEN.fullmatch(written)
        if match is None:
            raise ValueError(_what_is_wrong(written))
        unit = "ticks" if match[2] else match[3] or "number"
        return cls(Decimal(match[1]), cast(Unit, unit))

    def points(self, measures: Measures) -> Decimal:
        """In points per share of one package. Raises NotMeasured, and ValueError for an amount that is money."""
        if self.unit == "number":
            return self.value
        if self.unit == "ticks":
            return self.value * _known(measures.tick, self)
        if self.unit == "net_liquidation":
            raise ValueError(f"{self} is money, not points; {_HELP}")
        # The share of a price is a distance: a credit of 1.10 has the same 15 % as a debit of 1.10.
        return self.value * abs(_known(getattr(measures, self.unit), self)) / _HUNDRED

    def money(self, measures: Measures) -> Decimal:
        """In the account's currency. Raises NotMeasured, and ValueError for an amount of points."""
        if self.unit == "number":
            return self.value
        if self.unit != "net_liquidation":
            raise ValueError(
                f"{self} is a distance of prices, not money; write 25000 or 1% of net_liquidation"
            )
        return self.value * _known(measures.net_liquidation, self) / _HUNDRED

    def __str__(self) -> str:
        if self.unit == "number":
            return f"{self.value:f}"
        if self.unit == "ticks":
            return f"{self.value:f} tick{'' if abs(self.value) == 1 else 's'}"
        return f"{self.value:f}% of {self.unit}"


def _known(measure: Decimal | None, amount: Amount) -> Decimal:
    if measure is None or not measure.is_finite():
        what = "the tick" if amount.unit == "ticks" else amount.unit
        raise NotMeasured(f"{amount}: {what} is not known here")
    return measure


def _what_is_wrong(written: str) -> str:
    if _BARE_PERCENT.fullmatch(written.strip()):
        return f"{written!r} does not say of what; write {written.strip()} of mid, or another share: {_HELP}"
    return f"{written!r} is no amount; {_HELP}"
