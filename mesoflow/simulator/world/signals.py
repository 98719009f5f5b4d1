"""Signals on their timer: once a simulated minute while the exchange is open every subject is looked at, and what has changed
is told.

A signal is a level; its edges are events: On when it begins, Off when it ends, and On again when its time has come or gone
meanwhile, which the event tells (inferred). What cannot be evaluated is an error, On while it lasts. While the agent of an
account is away its signals stay as they were. What is on is kept, and told to whoever connects.

A look at which nothing has changed writes nothing. So the next look is a function of the time of the last change: looks
since then have found nothing, and find nothing when they are repeated after a restart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from mesoflow.hubs.contract import Callback, callback_of
from mesoflow.hubs.models.enums import ConditionType, ErrorState, SignalState
from mesoflow.hubs.models.events import Event
from mesoflow.simulator.draws import uuid
from mesoflow.simulator.market.sessions import CalendarEnds
from mesoflow.simulator.signals.levels import Found, Level, Trouble
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.levels import Levels
from mesoflow.simulator.world.store import moment_of
from mesoflow.simulator.world.subjects import Subject, Subjects

EVERY = timedelta(minutes=1)
ERROR = "error"
_EVENTS: Mapping[str, str] = {
    "entry": "EntrySignalEvent",
    "exit": "ExitSignalEvent",
    "adjustment": "AdjustmentSignalEvent",
    ERROR: "ErrorEvent",
}
_OWN = frozenset({"event_id", "event_seq_id", "event_time", "strategy_id"})

# Kind, strategy, account, position (0: none), condition.
Key: TypeAlias = tuple[str, int, str, int, str]


@dataclass(frozen=True, slots=True)
class _On:
    """What is on: its row, what it told of the time, and the number of its last event."""

    id: int
    time_ok: bool
    event: int


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look has found. `kept`: subjects that could not be looked at; what is on of theirs stays on."""

    levels: dict[Key, tuple[Subject, Level]]
    troubles: dict[Key, tuple[Subject, Trouble]]
    kept: frozenset[tuple[int, str, int]]


class Signals:
    """The signals of a world."""

    def __init__(self, core: Core, subjects: Subjects, levels: Levels) -> None:
        self._core, self._subjects, self._levels = core, subjects, levels
        self._looked: datetime | None = None
        self._due: tuple[tuple[int, datetime | None], datetime | None] | None = None

    # --- when ------------------------------------------------------------------------------------------------------

    def next_due(self) -> datetime | None:
        """The first whole minute of a session after the last change and the last look, where there is something to look at."""
        state = (self._core.store.version, self._looked)
        if self._due is None or self._due[0] != state:
            self._due = state, self._next() if self._subjects.any() or self._is_on() else None
        return self._due[1]

    def _next(self) -> datetime | None:
        last = moment_of(self._core.store.get("last_time"))
        after = last if self._looked is None else max(last, self._looked)
        calendar = self._core.market.calendar
        try:
            session = calendar.begun(after)
            tick = session.opens + ((after - session.opens) // EVERY + 1) * EVERY
            return tick if tick < session.closes else calendar.session(session.index + 1).opens + EVERY
        except CalendarEnds:
            return None

    # --- what is on ------------------------------------------------------------------------------------------------

    def active(self) -> list[tuple[Callback, Event]]:
        """The last events of all that is on, in the order in which it came."""
        found: list[tuple[Callback, Event]] = []
        for number in sorted(on.event for on in self._on().values()):
            kind, event = self._core.events.one(number)
            callback = callback_of(kind)
            assert callback is not None, f"the contract has no event {kind}"
            found.append((callback, event))
        return found

    def _is_on(self) -> bool:
        return self._core.store.row("SELECT 1 FROM signals LIMIT 1") is not None

    def _on(self) -> dict[Key, _On]:
        rows = self._core.store.rows(
            "SELECT id, kind, strategy, account, position, condition, time_ok, event FROM signals ORDER BY id"
        )
        return {
            (kind, strategy, account, position, condition): _On(id, bool(time_ok), event)
            for id, kind, strategy, account, position, condition, time_ok, event in rows
        }

    # --- a look ----------------------------------------------------------------------------------------------------

    def look(self, at: datetime) -> None:
        """Evaluate everything, and tell what has changed."""
        found, on = self._evaluated(at), self._on()
        changes = list(self._changes(found, on))
        self._looked = at
        if changes:
            with self._core.change(at):
                for key in changes:
                    self._change(key, found, on.get(key), at)

    def _evaluated(self, at: datetime) -> _Look:
        look = _Look({}, {}, frozenset())
        kept: set[tuple[int, str, int]] = set()
        for subject in self._subjects.all():
            if self._levels.settles(subject, at):
                kept.add(subject.key)
                continue
            gone = self._levels.agent_gone(subject, at)
            if gone is not None:
                kept.add(subject.key)
                kind = ConditionType.ENTRY if subject.position is None else ConditionType.EXIT
                found: Mapping[str, Found] = {"": Found((), (Trouble(kind, gone),))}
            else:
                found = self._levels.of(subject, at)
            for kind_of_signal, one in found.items():
                for level in one.levels:
                    look.levels[(kind_of_signal, *subject.key, level.condition)] = subject, level
                for trouble in one.troubles:
                    key = (ERROR, *subject.key, f"{trouble.kind} {trouble.statement or ''}")
                    look.troubles[key] = subject, trouble
        return _Look(look.levels, look.troubles, frozenset(kept))

    @staticmethod
    def _changes(look: _Look, on: Mapping[Key, _On]) -> Iterator[Key]:
        """What ends first, then what begins."""
        for key, row in on.items():
            if key in look.troubles or key[1:4] in look.kept:
                continue
            level = look.levels[key][1] if key in look.levels else None
            if level is None or not level.on or level.time_ok != row.time_ok:
                yield key
        yield from (key for key, (_, level) in look.levels.items() if level.on and key not in on)
        yield from (key for key in look.troubles if key not in on)

    def _change(self, key: Key, look: _Look, row: _On | None, at: datetime) -> None:
        if key in look.troubles:
            self._put(key, row, self._add(key, self._trouble(key, *look.troubles[key]), at), at_time=True)
        elif key in look.levels:
            subject, level = look.levels[key]
            state = SignalState.ON if level.on else SignalState.OFF
            number = self._add(key, {**_of(subject), "state": state, **level.fields()}, at)
            self._put(key, row, number if level.on else None, at_time=level.time_ok)
        else:
            assert row is not None, "only what is on can end"
            last = self._core.events.one(row.event)[1]
            said = {name: getattr(last, name) for name in type(last).model_fields if name not in _OWN}
            self._add(key, {**said, "state": ErrorState.OFF if key[0] == ERROR else SignalState.OFF}, at)
            self._put(key, row, None, at_time=False)

    def _add(self, key: Key, fields: Mapping[str, Any], at: datetime) -> int:
        return self._core.events.add(_EVENTS[key[0]], at, fields, key[1])

    def _trouble(self, key: Key, subject: Subject, trouble: Trouble) -> dict[str, Any]:
        return {
            **_of(subject),
            "state": ErrorState.ON,
            "error_id": uuid(self._core.seed, *key),
            "message": trouble.message,
            "condition_type": trouble.kind,
            "statement": trouble.statement,
        }

    def _put(self, key: Key, row: _On | None, event: int | None, *, at_time: bool) -> None:
        """`event` None: it is off."""
        store = self._core.store
        if row is not None and event is None:
            store.run("DELETE FROM signals WHERE id = ?", (row.id,))
        elif row is not None:
            store.run("UPDATE signals SET time_ok = ?, event = ? WHERE id = ?", (at_time, event, row.id))
        else:
            store.run(
                "INSERT INTO signals (id, kind, strategy, account, position, condition, time_ok, event) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (store.next_id("signals"), *key, at_time, event),
            )


def _of(subject: Subject) -> dict[str, Any]:
    """Whose signal it is."""
    found: dict[str, Any] = {
        "strategy_name": subject.strategy_name,
        "broker_account_id": subject.account,
    }
    if subject.position is not None:
        found |= {"position_id": subject.position.id, "position_name": subject.position.name}
    return found
