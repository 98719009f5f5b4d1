"""Limits: what a playbook's `risk` says, as numbers that the rails compare with.

Three states a limit: a value, UNLIMITED (which has to be written), and None (not written: refused where it would apply,
and a finding of `check`). The tightest of several counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal, TypeAlias

from mesoflow.trading.amounts import Amount


class Unlimited(Enum):
    """The value `unlimited`."""

    UNLIMITED = "unlimited"

    def __str__(self) -> str:
        return "unlimited"


UNLIMITED: Final = Unlimited.UNLIMITED

# A run may trade this many orders' worth of contracts (C03): entries, exits and a few repairs, not a loop gone wild.
RUN_ORDERS: Final = 10
# Near an even price a percentage is below a tick: no collar is tighter than this many package ticks (C05).
COLLAR_TICKS_MIN: Final = 4

# The keys of `risk` that this version judges. Any other that a playbook sets is a finding, never ignored.
JUDGED: Final = frozenset(
    {
        "accounts",
        "live",
        "max_contracts_per_order",
        "max_order_premium",
        "max_order_loss",
        "max_open_loss",
        "max_stress_loss",
        "max_daily_loss",
        "max_distance_from_mid",
    }
)
# What a playbook that can open risk has to set; one that only exits needs the second list.
NEEDED_TO_OPEN: Final = (
    "max_contracts_per_order",
    "max_order_premium",
    "max_order_loss",
    "max_open_loss",
    "max_daily_loss",
    "max_distance_from_mid",
)
NEEDED_TO_EXIT: Final = ("max_contracts_per_order", "max_distance_from_mid")

_MOVE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%")
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class StressLoss:
    """`{move: 8%, loss: 25000}`: `move` 0.08."""

    move: Decimal
    loss: Amount


Money: TypeAlias = Amount | Unlimited | None


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one playbook, evaluated."""

    accounts: tuple[str, ...]
    live: Literal["never", "allowed"] = "never"
    max_contracts_per_order: Decimal | Unlimited | None = None
    max_order_premium: Money = None
    max_order_loss: Money = None
    max_open_loss: Money = None
    max_stress_loss: StressLoss | None = None
    max_daily_loss: Money = None
    max_distance_from_mid: tuple[Amount, ...] | Unlimited | None = None

    @classmethod
    def parse(cls, risk: Mapping[str, Any]) -> Limits:
        """From the evaluated `risk` of a playbook. Raises ValueError that names the key."""
        unknown = sorted(risk.keys() - JUDGED)
        if unknown:
            raise ValueError(
                f"risk.{unknown[0]} is not judged by this version; take it out, or use one that does"
            )
        return cls(
            accounts=_accounts(risk.get("accounts")),
            live=_live(risk.get("live", "never")),
            max_contracts_per_order=_contracts(risk.get("max_contracts_per_order")),
            max_order_premium=_money(risk, "max_order_premium"),
            max_order_loss=_money(risk, "max_order_loss"),
            max_open_loss=_money(risk, "max_open_loss"),
            max_stress_loss=_stress(risk.get("max_stress_loss")),
            max_daily_loss=_money(risk, "max_daily_loss"),
            max_distance_from_mid=_distances(risk.get("max_distance_from_mid")),
        )

    @property
    def max_contracts_per_run(self) -> Decimal | Unlimited | None:
        """Derived from the order's limit."""
        limit = self.max_contracts_per_order
        return limit * RUN_ORDERS if isinstance(limit, Decimal) else limit


def _accounts(written: object) -> tuple[str, ...]:
    if (
        not isinstance(written, list | tuple)
        or not written
        or not all(isinstance(each, str) for each in written)
    ):
        raise ValueError("risk.accounts is a list of account names, one at least")
    return tuple(written)


def _live(written: object) -> Literal["never", "allowed"]:
    if written == "never":
        return "never"
    if written == "allowed":
        return "allowed"
    raise ValueError(f"risk.live is never or allowed, not {written!r}")


def _contracts(written: object) -> Decimal | Unlimited | None:
    if written is None:
        return None
    if written == UNLIMITED.value:
        return UNLIMITED
    if isinstance(written, bool) or not isinstance(written, int) or written < 1:
        raise ValueError(
            f"risk.max_contracts_per_order is a whole number from 1 on, or unlimited, not {written!r}"
        )
    return Decimal(written)


def _money(risk: Mapping[str, Any], key: str) -> Money:
    written = risk.get(key)
    if written is None:
        return None
    if written == UNLIMITED.value:
        return UNLIMITED
    return _money_amount(written, f"risk.{key}")


def _money_amount(written: object, where: str) -> Amount:
    try:
        amount = Amount.parse(written)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    if amount.unit not in ("number", "net_liquidation") or amount.value < 0:
        raise ValueError(f"{where} is money, never negative: 25000 or 1% of net_liquidation, not {amount}")
    return amount


def _stress(written: object) -> StressLoss | None:
    if written is None:
        return None
    if not isinstance(written, Mapping) or written.keys() != {"move", "loss"}:
        raise ValueError("risk.max_stress_loss is {move: 8%, loss: 25000}")
    move = _MOVE.fullmatch(written["move"]) if isinstance(written["move"], str) else None
    if move is None or not 0 < Decimal(move[1]) <= _HUNDRED:
        raise ValueError(
            f"risk.max_stress_loss.move is a percentage up to 100%, as in 8%, not {written['move']!r}"
        )
    return StressLoss(
        Decimal(move[1]) / _HUNDRED, _money_amount(written["loss"], "risk.max_stress_loss.loss")
    )


def _distances(written: object) -> tuple[Amount, ...] | Unlimited | None:
    if written is None:
        return None
    if written == UNLIMITED.value:
        return UNLIMITED
    several = written if isinstance(written, list | tuple) else [written]
    if not several:
        raise ValueError("risk.max_distance_from_mid names one distance at least, as in 15% of mid")
    return tuple(_distance(each) for each in several)


def _distance(written: object) -> Amount:
    try:
        amount = Amount.parse(written)
    except ValueError as error:
        raise ValueError(f"risk.max_distance_from_mid: {error}") from None
    if amount.unit == "net_liquidation" or amount.value < 0:
        raise ValueError(f"risk.max_distance_from_mid is a distance of prices, never negative, not {amount}")
    return amount
