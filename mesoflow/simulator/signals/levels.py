"""What signals are at one moment: on or off, and why. What cannot be told is trouble beside it, and raises no signal.

An entry needs its schedule, and one true condition (none at all: always), judged on a preview with its legs; its gates are
the caller's. Exits and adjustments need a true condition only: their schedules are told, not obeyed. Whether an entry's
signal is judged with its legs or without any is not documented: with them, for a condition on greeks could never be true
otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeAlias

from mesoflow.hubs.models.enums import ConditionType
from mesoflow.simulator.market.sessions import Session
from mesoflow.simulator.signals.rules import SignalRules
from mesoflow.simulator.signals.schedule import Schedule
from mesoflow.simulator.strategies.definition import Definition
from mesoflow.simulator.strategies.lua import Names, exact
from mesoflow.simulator.strategies.selection import Evaluated, Impossible, Selection

# The rules of an exit that need no condition of their own, in the words of the language. A target or a limit that is not
# set is nil, and decides nothing.
EXIT_RULES: Mapping[str, str] = {
    "max_days_in_trade": "days_in_trade >= max_days_in_trade",
    "profit_target": "pos_pnl >= profit_target",
    "stop_loss": "pos_pnl <= -abs(stop_loss)",
}
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COMMENT = re.compile(r"--.*")

Fields: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Level:
    """One signal. `condition`: of an adjustment its key, else empty. `fields`: the event's own, made when it is told."""

    condition: str
    on: bool
    time_ok: bool
    fields: Callable[[], Fields]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that could not be evaluated. `statement`: the expression, where it is one."""

    kind: ConditionType
    message: str
    statement: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Signals and troubles of one subject."""

    levels: tuple[Level, ...]
    troubles: tuple[Trouble, ...] = ()


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """The names that expressions speak of."""
    return frozenset(word for text in texts for word in _WORD.findall(_COMMENT.sub("", text)))


def entry_level(
    definition: Definition,
    rules: SignalRules,
    moment: datetime,
    session: Session,
    gate: Callable[[], bool],
    conditions: Callable[[], tuple[Evaluated, ...]],
) -> Found:
    """`gate`: what else must permit it; `conditions`: the entry's, evaluated on a preview, which may raise Impossible. Both are
    asked for only in its time."""
    time_ok = _in_time(rules.entry_schedule, moment, session)
    goes = time_ok and gate()
    judged: tuple[Evaluated, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    if goes and definition.conditions:
        try:
            judged = conditions()
        except Impossible as error:
            troubles = (Trouble(ConditionType.ENTRY, str(error)),)
        troubles += _troubles(ConditionType.ENTRY, judged)
    goes = goes and (not definition.conditions or any(one.result for one in judged))

    def fields() -> Fields:
        result = {"entry_time_ok": time_ok, "entry_conditions": [evaluation(one) for one in judged]}
        return {"entry_signal_result": result}

    return Found((Level("", goes, time_ok, fields),), troubles)


def exit_level(rules: SignalRules, moment: datetime, session: Session, chosen: Selection) -> Found:
    """Of a position whose names `chosen` knows. Any true rule or condition is enough."""
    time_ok = _in_time(rules.exit_schedule, moment, session)
    set_ones = {name: text for name, text in EXIT_RULES.items() if chosen.names.get(name) is not None}
    judged = dict(zip(set_ones, chosen.evaluate(set_ones.values()), strict=True))
    conditions = chosen.evaluate(rules.exit_conditions)
    everything = (*judged.values(), *conditions)

    def fields() -> Fields:
        result = {
            "exit_time_ok": time_ok,
            **{name: evaluation(one, chosen.names) for name, one in judged.items()},
            "conditions": [evaluation(one, chosen.names) for one in conditions],
        }
        return {"exit_signal_result": result}

    on = any(one.result for one in everything)
    return Found((Level("", on, time_ok, fields),), _troubles(ConditionType.EXIT, everything))


def adjustment_levels(
    definition: Definition,
    rules: SignalRules,
    moment: datetime,
    session: Session,
    chosen: Selection,
    held: Collection[str],
) -> Found:
    """One signal a key, in the order in which the hub evaluates them: alphabetical. `held`: roles of the open legs."""
    time_ok = _in_time(rules.adjustment_schedule, moment, session)
    judged = tuple(
        chosen.evaluate((key,))[0] if _has_legs(definition, key, held) else Evaluated(key, False)
        for key in sorted(definition.adjustments)
    )

    def fields(one: Evaluated) -> Fields:
        return {"adjustment_time_ok": time_ok, "condition": evaluation(one, chosen.names)}

    levels = tuple(Level(one.text, bool(one.result), time_ok, partial(fields, one)) for one in judged)
    return Found(levels, _troubles(ConditionType.ADJUSTMENT, judged))


def evaluation(one: Evaluated, names: Names | None = None) -> Fields:
    """As the wire has it, with the figures that it speaks of."""
    known = names or {}
    values: dict[str, Decimal] = {
        word: exact(number)
        for word in sorted(words_of([one.text]))
        if (number := known.get(word)) is not None
    }
    return {"condition": one.text, "result": one.result, "error": one.error, "values": values or None}


def _has_legs(definition: Definition, key: str, held: Collection[str]) -> bool:
    """Whether some operation of a key finds what it needs: of a leg that is gone there is nothing to remove or move."""
    needs = [operation.legs for operation in definition.adjustments[key].values()]
    return any(not legs or any(leg in held for leg in legs) for legs in needs)


def _in_time(schedule: Schedule | None, moment: datetime, session: Session) -> bool:
    return schedule is None or schedule.includes(moment, session)


def _troubles(kind: ConditionType, judged: Iterable[Evaluated]) -> tuple[Trouble, ...]:
    return tuple(Trouble(kind, one.error, one.text) for one in judged if one.error is not None)
