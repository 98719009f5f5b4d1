"""The exchange's calendar and the clock of the hub: `session.get`. Expressions have no clock of their own."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, TypeAlias

from pydantic import Field

from mesoflow.actions.base import Acting, Inputs, Outputs, action
from mesoflow.actions.unknown import is_known, unknown_outputs, until_of
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import StepError
from mesoflow.trading.sessions import Calendar, NotCovered

# A field is called `date`, which would hide the type.
Day: TypeAlias = date
Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class DayChoice(Inputs):
    """Inputs of `session.get`."""

    day: str | Day = Field(
        "today", description="today, next (session), or a date", examples=["next", "2025-01-21"]
    )


class Session(Outputs):
    """Outputs of `session.get`."""

    now: datetime = Field(description="the hub's time", examples=["2025-01-16T15:00:00Z"])
    date: Day = Field(description="the day asked for", examples=["2025-01-16"])
    weekday: Weekday = Field(description="its weekday", examples=["thu"])
    is_session: bool = Field(description="the exchange opens on that day", examples=[True])
    is_open: bool = Field(description="it is that day, and the exchange is open now", examples=[True])
    early_close: bool = Field(description="the session is a shortened one", examples=[False])
    opens: datetime | None = Field(
        description="when it opens; null: no session", examples=["2025-01-16T14:30:00Z"]
    )
    closes: datetime | None = Field(
        description="when it closes; null: no session", examples=["2025-01-16T21:15:00Z"]
    )
    next_date: Day = Field(description="the session after that day", examples=["2025-01-17"])


@action("session.get", "read", inputs=DayChoice, outputs=Session)
def session_get(ctx: Context, inputs: DayChoice) -> Acting[Session]:
    """The exchange calendar and the clock of the hub, once; expressions have no clock of their own."""
    calendar = calendar_of(ctx)
    today = calendar.today(ctx.now)
    try:
        day = _day(calendar, today, inputs.day)
        return _session(calendar, day, today, ctx.now)
    except NotCovered as error:
        raise StepError("bad_value", str(error), {"day": error.day}) from error
    yield


@session_get.forecasts
def _forecast(ctx: Context, inputs: DayChoice) -> Acting[dict[str, Value]]:
    """A preview has the calendar, and a time; the hub's clock comes later."""
    if not is_known(inputs.day):
        return unknown_outputs(Session, until_of(ctx.step))
    found = yield from session_get.run(ctx, inputs)
    later = unknown_outputs(Session, until_of(ctx.step))
    known: dict[str, Value] = found.value()
    return known | {name: later[name] for name in ("now", "is_open")}


def calendar_of(ctx: Context) -> Calendar:
    """The calendar of the playbook's `session`. Raises StepError `bad_value`."""
    try:
        return Calendar.load(ctx.session)
    except ValueError as error:
        raise StepError("bad_value", str(error)) from error


def _day(calendar: Calendar, today: date, asked: str | date) -> date:
    if isinstance(asked, date):
        return asked
    if asked == "today":
        return today
    if asked == "next":
        return calendar.next_session(today)
    try:
        return date.fromisoformat(asked)
    except ValueError as error:
        raise StepError("bad_value", f"day is {asked!r}; write today, next or a date (2025-01-21)") from error


def _session(calendar: Calendar, day: date, today: date, now: datetime) -> Session:
    is_session = calendar.is_session(day)
    return Session(
        now=now,
        date=day,
        weekday=_WEEKDAYS[day.weekday()],
        is_session=is_session,
        is_open=day == today and calendar.is_open(now),
        early_close=calendar.early_close(day),
        opens=calendar.opens(day) if is_session else None,
        closes=calendar.closes(day) if is_session else None,
        next_date=calendar.next_session(day),
    )
