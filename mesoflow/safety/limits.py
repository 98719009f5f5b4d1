"""Limits: what a playbook's `risk` says, or the ceilings of a policy, as numbers that the rails compare with.

Three states a limit: a value, UNLIMITED (which has to be written), and None (not written). What is not written has the
default of SAFETY.md §3; where that says "must be set" it is refused where it would apply, and is a finding of `check`. The
tightest of several counts. How they are written: written.py. A playbook's below a policy's: ceilings.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

from mesoflow.safety import written
from mesoflow.safety.unlimited import UNLIMITED, Unlimited
from mesoflow.trading.amounts import Amount

# A run, and a day on an account, may trade this many orders' worth of contracts (C03): entries, exits and a few repairs, not
# a loop gone wild.
RUN_ORDERS: Final = 10
# Near an even price a percentage is below a tick: no collar is tighter than this many package ticks (C05).
COLLAR_TICKS_MIN: Final = 4
# What the brokers that the hub knows take as one order (C08).
LEGS_MAX: Final = 4
MINUTE_MESSAGES: Final = 30
RUN_MESSAGES: Final = 120
DAY_MESSAGES: Final = 400
RUNS_PER_SESSION: Final = 20
OPEN_ORDERS: Final = 2
ERRORS_PER_DAY: Final = 5
HEARTBEAT: Final = timedelta(seconds=15)
RECONCILE_EVERY: Final = timedelta(hours=1)

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


@dataclass(frozen=True, slots=True)
class StressLoss:
    """`{move: 8%, loss: 25000}`: `move` 0.08."""

    move: Decimal
    loss: Amount


@dataclass(frozen=True, slots=True)
class Tightest:
    """Several limits in money, of which the tightest counts."""

    amounts: tuple[Amount, ...]


Money: TypeAlias = Amount | Tightest | Unlimited | None
Count: TypeAlias = Decimal | Unlimited | None


@dataclass(frozen=True, slots=True)
class Messages:
    """Orders and cancels together (C10)."""

    minute: Decimal | Unlimited = Decimal(MINUTE_MESSAGES)
    run: Decimal | Unlimited = Decimal(RUN_MESSAGES)
    day: Decimal | Unlimited = Decimal(DAY_MESSAGES)


@dataclass(frozen=True, slots=True)
class Window:
    """When entries may leave: so long after the open, so long before the close (C13)."""

    after_open: timedelta = timedelta(minutes=1)
    before_close: timedelta = timedelta(minutes=5)


DEFAULT_MESSAGES: Final = Messages()
DEFAULT_WINDOW: Final = Window()


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one playbook or one policy, evaluated."""

    accounts: tuple[str, ...]
    live: Literal["never", "allowed"] = "never"
    symbols: tuple[str, ...] | None = None
    roots: tuple[str, ...] | None = None
    strategies: tuple[int, ...] | None = None
    max_days_to_expiry: Count = None
    max_contracts_per_order: Count = None
    max_contracts_per_run: Count = None
    max_contracts_per_day: Count = None
    max_order_premium: Money = None
    max_order_loss: Money = None
    max_open_loss: Money = None
    max_stress_loss: StressLoss | tuple[StressLoss, ...] | None = None
    max_distance_from_mid: tuple[Amount, ...] | Unlimited | None = None
    max_legs_per_order: Count = None
    overlap: Literal["never", "same_side"] | None = None
    max_messages: Messages | None = None
    max_runs_per_session: Count = None
    max_open_orders: Count = None
    max_open_orders_value: Money = None
    session_window: Window | Unlimited | None = None
    no_trade_dates: tuple[date, ...] = ()
    max_daily_loss: Money = None
    heartbeat: timedelta | Unlimited | None = None
    max_errors_per_day: Count = None
    reconcile_every: timedelta | Unlimited | None = None

    @classmethod
    def parse(cls, risk: Mapping[str, Any]) -> Limits:
        """From the evaluated `risk` of a playbook. Raises ValueError that names the key."""
        accounts = written.accounts(risk.get("accounts"))
        return cls(accounts=accounts, live=written.live(risk.get("live", "never")), **_rails(risk))

    @classmethod
    def ceilings(cls, rails: Mapping[str, Any]) -> Limits:
        """From the ceilings of a policy, which name no accounts. Raises ValueError that names the key."""
        return cls(accounts=(), live="allowed", **_rails(rails))

    # --- what counts where nothing is written ----------------------------------------------------------------------

    @property
    def contracts_per_run(self) -> Count:
        """Written, else derived from the order's limit."""
        return self._times(self.max_contracts_per_run)

    @property
    def contracts_per_day(self) -> Count:
        """Written, else derived from the order's limit."""
        return self._times(self.max_contracts_per_day)

    def _times(self, said: Count) -> Count:
        if said is not None:
            return said
        order = self.max_contracts_per_order
        return order * RUN_ORDERS if isinstance(order, Decimal) else order

    @property
    def stress_losses(self) -> tuple[StressLoss, ...]:
        """All of them; each has to hold."""
        found = self.max_stress_loss
        if found is None:
            return ()
        return found if isinstance(found, tuple) else (found,)


def _rails(risk: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(risk.keys() - JUDGED)
    if unknown:
        raise ValueError(
            f"risk.{unknown[0]} is not judged by this version; take it out, or use one that does"
        )
    found: dict[str, Any] = {}
    for key, value in risk.items():
        if key in _READERS and value is not None:
            found[key] = _READERS[key](f"risk.{key}", value)
    return found


def _stress(where: str, said: Any) -> StressLoss:  # noqa: ANN401 - what a person wrote
    return StressLoss(*written.stress(where, said))


def _messages(where: str, said: Any) -> Messages:  # noqa: ANN401
    return Messages(**written.parts(where, said, ("minute", "run", "day"), written.count))


def _window(where: str, said: Any) -> Window | Unlimited:  # noqa: ANN401
    if said == UNLIMITED.value:
        return UNLIMITED
    return Window(**written.parts(where, said, ("after_open", "before_close"), written.length))


_READERS: Final[Mapping[str, Any]] = {
    "symbols": written.names,
    "roots": written.names,
    "strategies": written.ids,
    "max_days_to_expiry": written.count,
    "max_contracts_per_order": written.count,
    "max_contracts_per_run": written.count,
    "max_contracts_per_day": written.count,
    "max_order_premium": written.money,
    "max_order_loss": written.money,
    "max_open_loss": written.money,
    "max_stress_loss": _stress,
    "max_distance_from_mid": written.distances,
    "max_legs_per_order": written.count,
    "overlap": written.overlap,
    "max_messages": _messages,
    "max_runs_per_session": written.count,
    "max_open_orders": written.count,
    "max_open_orders_value": written.money,
    "session_window": _window,
    "no_trade_dates": written.dates,
    "max_daily_loss": written.money,
    "heartbeat": written.length_or_unlimited,
    "max_errors_per_day": written.count,
    "reconcile_every": written.length_or_unlimited,
}

# The keys of `risk` that this version judges. Any other that a playbook sets is a finding, never ignored.
JUDGED: Final = frozenset(field.name for field in fields(Limits))
assert frozenset(_READERS) | {"accounts", "live"} == JUDGED
