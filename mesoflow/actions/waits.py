"""Waits: `wait.for` and `wait.until`. A wait survives a restart: what it waits for is counted from its journalled start."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field

from mesoflow.actions.base import Acting, Inputs, Outputs, action
from mesoflow.actions.hub import note, sleep
from mesoflow.actions.kinds import Duration, MomentText, Seconds
from mesoflow.actions.sessions import calendar_of
from mesoflow.actions.unknown import after, is_known, unknown_outputs, until_of
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import StepError
from mesoflow.trading.moments import Moment
from mesoflow.trading.sessions import Calendar, NoSession, NotCovered

# How often a moment may move: a week of closed days in a row has not happened since 2001; twice that is a broken calendar.
_MOVES_MAX = 14


class Pause(Inputs):
    """Inputs of `wait.for`."""

    duration: Duration = Field(description="how long", examples=["30s"])


class PauseEnd(Outputs):
    """Outputs of `wait.for`."""

    ended_at: datetime = Field(description="when it was over", examples=["2025-01-16T15:00:30Z"])


@action("wait.for", "wait", inputs=Pause, outputs=PauseEnd)
def wait_for(ctx: Context, inputs: Pause) -> Acting[PauseEnd]:
    """Let a time pass."""
    return PauseEnd(ended_at=(yield from sleep("wait", ctx.now + inputs.duration)))


@wait_for.forecasts
def _pause_forecast(ctx: Context, inputs: Pause) -> Acting[dict[str, Value]]:
    until = after(ctx.now, inputs.duration)
    yield from sleep("wait", until)
    return {"ended_at": until} if is_known(inputs.duration) else unknown_outputs(PauseEnd, until_of(ctx.step))


class Appointment(Inputs):
    """Inputs of `wait.until`."""

    at: MomentText = Field(
        description="a moment of the exchange's day", examples=["close - 30m", "next open + 15m"]
    )
    grace: Duration | Literal["unlimited"] = Field(
        timedelta(minutes=5),
        description="how much too late is still in time: start-up, or the machine was off",
        examples=["5m", "unlimited"],
    )


class Arrival(Outputs):
    """Outputs of `wait.until`."""

    at: datetime = Field(description="the instant that was waited for", examples=["2025-01-16T20:45:00Z"])
    late: Seconds = Field(description="how much later it was over, in seconds", examples=[0])
    moved: bool = Field(
        description="the exchange was closed, and it became another session", examples=[False]
    )


@action("wait.until", "wait", inputs=Appointment, outputs=Arrival, errors=("window_missed", "no_session"))
def wait_until(ctx: Context, inputs: Appointment) -> Acting[Arrival]:
    """Sleep until a moment of the exchange's day."""
    calendar, moment = calendar_of(ctx), Moment.parse(inputs.at)
    at = yield from note("at", _resolve(calendar, moment, ctx.now))
    for turn in range(_MOVES_MAX):
        name = "sleep" if turn == 0 else f"sleep/moved-{turn}"
        if at > ctx.now:
            yield from sleep(name, at)
        _require_in_time(ctx, inputs, at)
        later = _moved(calendar, moment, at, ctx.now)
        if later is None:
            late = max(ctx.now - at, timedelta(0))
            return Arrival(at=at, late=Decimal(int(late.total_seconds())), moved=turn > 0)
        at = yield from note(f"at/moved-{turn + 1}", later)
    raise StepError("no_session", f"{inputs.at} moved {_MOVES_MAX} times and the exchange was never open")


@wait_until.forecasts
def _appointment_forecast(ctx: Context, inputs: Appointment) -> Acting[dict[str, Value]]:
    if not is_known(inputs.at):
        yield from sleep("sleep", ctx.now)
        return unknown_outputs(Arrival, until_of(ctx.step))
    at = _resolve(calendar_of(ctx), Moment.parse(inputs.at), ctx.now)
    yield from note("at", at)
    yield from sleep("sleep", at)
    return unknown_outputs(Arrival, until_of(ctx.step), {"at": at})


def _resolve(calendar: Calendar, moment: Moment, now: datetime) -> datetime:
    try:
        return moment.resolve(calendar, now)
    except (NoSession, NotCovered) as error:
        raise StepError("no_session", str(error), {"day": error.day}) from error


def _moved(calendar: Calendar, moment: Moment, at: datetime, now: datetime) -> datetime | None:
    try:
        return moment.moved(calendar, at, now)
    except (NoSession, NotCovered) as error:
        raise StepError("no_session", str(error), {"day": error.day}) from error


def _require_in_time(ctx: Context, inputs: Appointment, at: datetime) -> None:
    late = ctx.now - at
    if isinstance(inputs.grace, timedelta) and late > inputs.grace:
        seconds = int(late.total_seconds())
        raise StepError(
            "window_missed",
            f"{inputs.at} was {seconds} s ago, more than the grace of {int(inputs.grace.total_seconds())} s",
            {"at": at, "late": Decimal(seconds)},
        )
