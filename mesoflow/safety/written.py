"""How limits are written: from what stands in a playbook's `risk` or in a policy to values. ValueError names the key."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, Literal, TypeVar

from mesoflow.safety.unlimited import UNLIMITED, Unlimited
from mesoflow.trading.amounts import Amount
from mesoflow.trading.durations import Duration

_MOVE: Final = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%")
_HUNDRED: Final = Decimal(100)
_T = TypeVar("_T")


def accounts(said: object) -> tuple[str, ...]:
    """At least one."""
    if not isinstance(said, list | tuple) or not said or not all(isinstance(each, str) for each in said):
        raise ValueError("risk.accounts is a list of account names, one at least")
    return tuple(said)


def live(said: object) -> Literal["never", "allowed"]:
    """One of two words."""
    if said == "never":
        return "never"
    if said == "allowed":
        return "allowed"
    raise ValueError(f"risk.live is never or allowed, not {said!r}")


def names(where: str, said: object) -> tuple[str, ...]:
    """A list of texts, one at least."""
    if not isinstance(said, list | tuple) or not said or not all(isinstance(each, str) for each in said):
        raise ValueError(f"{where} is a list of names, one at least")
    return tuple(said)


def ids(where: str, said: object) -> tuple[int, ...]:
    """A list of strategies' ids, one at least."""
    if not isinstance(said, list | tuple) or not said or not all(type(each) is int for each in said):
        raise ValueError(f"{where} is a list of strategies' ids, one at least")
    return tuple(said)


def dates(where: str, said: object) -> tuple[date, ...]:
    """A list of days, `2025-03-19` each."""
    if not isinstance(said, list | tuple):
        raise ValueError(f"{where} is a list of dates, as in [2025-03-19]")
    return tuple(_date(where, each) for each in said)


def _date(where: str, said: object) -> date:
    if type(said) is date:
        return said
    try:
        return date.fromisoformat(said if isinstance(said, str) else "")
    except ValueError:
        raise ValueError(f"{where}: {said!r} is no date; write 2025-03-19") from None


def count(where: str, said: object) -> Decimal | Unlimited:
    """A whole number from 1 on."""
    if said == UNLIMITED.value:
        return UNLIMITED
    if isinstance(said, bool) or not isinstance(said, int) or said < 1:
        raise ValueError(f"{where} is a whole number from 1 on, or unlimited, not {said!r}")
    return Decimal(said)


def money(where: str, said: object) -> Amount | Unlimited:
    """Money, or a share of the account's net liquidation."""
    return UNLIMITED if said == UNLIMITED.value else _money_amount(said, where)


def _money_amount(said: object, where: str) -> Amount:
    try:
        amount = Amount.parse(said)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    if amount.unit not in ("number", "net_liquidation") or amount.value < 0:
        raise ValueError(f"{where} is money, never negative: 25000 or 1% of net_liquidation, not {amount}")
    return amount


def stress(where: str, said: object) -> tuple[Decimal, Amount]:
    """A move as a share, and the loss in it."""
    if not isinstance(said, Mapping) or said.keys() != {"move", "loss"}:
        raise ValueError(f"{where} is {{move: 8%, loss: 25000}}")
    move = _MOVE.fullmatch(said["move"]) if isinstance(said["move"], str) else None
    if move is None or not 0 < Decimal(move[1]) <= _HUNDRED:
        raise ValueError(f"{where}.move is a percentage up to 100%, as in 8%, not {said['move']!r}")
    return Decimal(move[1]) / _HUNDRED, _money_amount(said["loss"], f"{where}.loss")


def distances(where: str, said: object) -> tuple[Amount, ...] | Unlimited:
    """One distance of prices or several."""
    if said == UNLIMITED.value:
        return UNLIMITED
    several = said if isinstance(said, list | tuple) else [said]
    if not several:
        raise ValueError(f"{where} names one distance at least, as in 15% of mid")
    return tuple(_distance(where, each) for each in several)


def _distance(where: str, said: object) -> Amount:
    try:
        amount = Amount.parse(said)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    if amount.unit == "net_liquidation" or amount.value < 0:
        raise ValueError(f"{where} is a distance of prices, never negative, not {amount}")
    return amount


def overlap(where: str, said: object) -> Literal["never", "same_side"]:
    """One of two words."""
    if said == "never":
        return "never"
    if said == "same_side":
        return "same_side"
    raise ValueError(f"{where} is never or same_side, not {said!r}")


def length(where: str, said: object) -> timedelta:
    """A duration."""
    try:
        return Duration.parse(said)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def length_or_unlimited(where: str, said: object) -> timedelta | Unlimited:
    """A duration, or none."""
    return UNLIMITED if said == UNLIMITED.value else length(where, said)


def parts(
    where: str,
    said: object,
    known: tuple[str, ...],
    read: Callable[[str, object], _T],
) -> dict[str, _T]:
    """A map of some of these keys; what is left out keeps its default."""
    if not isinstance(said, Mapping) or not said or not said.keys() <= set(known):
        raise ValueError(f"{where} is a map of {', '.join(known)}")
    return {key: read(f"{where}.{key}", value) for key, value in said.items()}
