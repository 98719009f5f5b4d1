"""A playbook's limits below a policy's: a playbook may only be stricter, whatever it writes. The tightest counts.

Where the policy is silent the default of SAFETY.md §3 is the ceiling; where it says `unlimited` there is none, and only then
an `unlimited` of the playbook counts. Which of two policies is looser is answered here too (C24).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias

from mesoflow.safety.limits import (
    DEFAULT_MESSAGES,
    DEFAULT_WINDOW,
    ERRORS_PER_DAY,
    HEARTBEAT,
    LEGS_MAX,
    OPEN_ORDERS,
    RECONCILE_EVERY,
    RUNS_PER_SESSION,
    Limits,
    Messages,
    StressLoss,
    Tightest,
    Window,
)
from mesoflow.safety.unlimited import UNLIMITED, Unlimited
from mesoflow.trading.amounts import Amount
from mesoflow.trading.durations import Duration

Said: TypeAlias = Any  # a field's value: not written (None), unlimited, or what it holds
_Tighter: TypeAlias = Callable[[Said, Said], Said]

# What counts where nothing is written, by field; what is not here "must be set", or narrows nothing.
DEFAULTS: Final[Mapping[str, Said]] = {
    "max_legs_per_order": Decimal(LEGS_MAX),
    "overlap": "never",
    "max_messages": DEFAULT_MESSAGES,
    "max_runs_per_session": Decimal(RUNS_PER_SESSION),
    "max_open_orders": Decimal(OPEN_ORDERS),
    "session_window": DEFAULT_WINDOW,
    "heartbeat": HEARTBEAT,
    "max_errors_per_day": Decimal(ERRORS_PER_DAY),
    "reconcile_every": RECONCILE_EVERY,
}


def effective(playbook: Limits, ceilings: Limits) -> Limits:
    """What the rails compare with: of each limit the tighter one. `accounts` and `live` are the playbook's."""
    changed = {}
    for name, tighter in _TIGHTER.items():
        above = getattr(ceilings, name)
        if above is None:
            above = DEFAULTS.get(name)
        changed[name] = _tightest(getattr(playbook, name), above, tighter)
    return replace(playbook, **changed)


def looser(before: Limits, now: Limits) -> list[str]:
    """The limits of which `now` may let through what `before` did not, by name. What cannot be compared counts as looser."""
    found = []
    for name, tighter in _TIGHTER.items():
        old, new = getattr(before, name), getattr(now, name)
        old = DEFAULTS.get(name) if old is None else old
        new = DEFAULTS.get(name) if new is None else new
        if old != new and _tightest(new, old, tighter) != new:
            found.append(name)
    return found


def said(limits: Limits, name: str) -> str:
    """A limit as a person reads it, its default where nothing is written."""
    value = getattr(limits, name)
    return _words(DEFAULTS.get(name) if value is None else value)


def _words(value: Said) -> str:
    match value:
        case None:
            return "not set"
        case Messages() | Window() | StressLoss():
            return ", ".join(f"{field.name} {_words(getattr(value, field.name))}" for field in fields(value))
        case Tightest():
            return " and ".join(map(_words, value.amounts))
        case tuple():
            return " and ".join(map(_words, value))
        case timedelta():
            return Duration.text(value)
        case Decimal():
            return f"{value:f}"
    return str(value)


def _tightest(one: Said, other: Said, tighter: _Tighter) -> Said:
    if one is None or one is UNLIMITED:
        return one if other is None else other
    return one if other is None or other is UNLIMITED else tighter(one, other)


# --- which of two is tighter, by what they are -------------------------------------------------------------------------


def _least(one: Decimal | timedelta, other: Decimal | timedelta) -> Said:
    return min(one, other)


def _money(one: Amount | Tightest, other: Amount | Tightest) -> Said:
    """Money and a share of the account cannot be compared before an order is judged: both are kept."""
    amounts = (*_amounts(one), *_amounts(other))
    by_unit: dict[str, Amount] = {}
    for amount in amounts:
        kept = by_unit.get(amount.unit)
        by_unit[amount.unit] = amount if kept is None or amount.value < kept.value else kept
    kept_all = tuple(by_unit.values())
    return kept_all[0] if len(kept_all) == 1 else Tightest(kept_all)


def _amounts(said: Amount | Tightest) -> tuple[Amount, ...]:
    return said.amounts if isinstance(said, Tightest) else (said,)


def _all_of(one: Said, other: Said) -> Said:
    """Several that each have to hold: distances, stress losses, dates."""
    both = (*_several(one), *_several(other))
    kept = tuple(dict.fromkeys(both))
    return one if kept == _several(one) else kept


def _several(said: Said) -> tuple[Said, ...]:
    return said if isinstance(said, tuple) else (said,)


def _in_both(one: tuple[Said, ...], other: tuple[Said, ...]) -> Said:
    return tuple(each for each in one if each in other)


def _overlap(one: str, other: str) -> Said:
    return "never" if "never" in (one, other) else one


def _messages(one: Messages, other: Messages) -> Said:
    return Messages(
        **{
            field.name: _tightest(getattr(one, field.name), getattr(other, field.name), _least)
            for field in fields(Messages)
        }
    )


def _window(one: Window, other: Window) -> Said:
    return Window(max(one.after_open, other.after_open), max(one.before_close, other.before_close))


_TIGHTER: Final[Mapping[str, _Tighter]] = {
    "symbols": _in_both,
    "roots": _in_both,
    "strategies": _in_both,
    "max_days_to_expiry": _least,
    "max_contracts_per_order": _least,
    "max_contracts_per_run": _least,
    "max_contracts_per_day": _least,
    "max_order_premium": _money,
    "max_order_loss": _money,
    "max_open_loss": _money,
    "max_stress_loss": _all_of,
    "max_distance_from_mid": _all_of,
    "max_legs_per_order": _least,
    "overlap": _overlap,
    "max_messages": _messages,
    "max_runs_per_session": _least,
    "max_open_orders": _least,
    "max_open_orders_value": _money,
    "session_window": _window,
    "no_trade_dates": _all_of,
    "max_daily_loss": _money,
    "heartbeat": _least,
    "max_errors_per_day": _least,
    "reconcile_every": _least,
}

__all__ = ["DEFAULTS", "UNLIMITED", "Unlimited", "effective", "looser", "said"]
