"""From a faults file to dials. A file's keys have the dials' names; here only what is written otherwise is turned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from mesoflow.rehearsal.drawing import Draw
from mesoflow.rehearsal.faultfile.models import (
    Absence,
    AgentAbsence,
    BrokerRestart,
    Call,
    ClockStep,
    FailingCall,
    FaultsFile,
    LateCall,
    LostCall,
    OrderMishap,
    WrongQuotes,
)
from mesoflow.rehearsal.faultfile.reading import BEGINS_FORMAT
from mesoflow.rehearsal.storms import storm
from mesoflow.simulator.faults import (
    Away,
    Faults,
    Held,
    Loss,
    Mishap,
    Misquote,
    Mistold,
    Restart,
    Step,
    Twice,
)
from mesoflow.simulator.world.world import BEGINNING

# Keys that are no dials, or set one by a call.
_OWN = frozenset({"faults", "draw", "hub_away"})
_NO_REASON = "account"


def dials(value: Mapping[str, Any]) -> Faults:
    """The dials of a new world. `value` is what `read_faults` gave, and has no findings."""
    file = FaultsFile.model_validate(dict(value), context={"authored": True})
    faults = Faults()
    since = _begins(file) or BEGINNING
    for name in file.model_fields_set - _OWN:
        setattr(faults, name, _dial(name, getattr(file, name), since))
    for away in file.hub_away:
        faults.hub_away(since + away.at, away.lasts)
    if file.draw is not None:
        for fault in storm(Draw(file.draw)):
            fault.sets(faults, since)
    return faults


def _dial(name: str, written: Any, since: datetime) -> Any:  # noqa: ANN401 - values of any dial
    match name:
        case "begins":
            return datetime.strptime(written, BEGINS_FORMAT).replace(tzinfo=UTC)
        case "credit_sign":
            return -1 if written == "negative" else 1
        case "record_gone":
            return set(written)
    if isinstance(written, list):
        return [_VALUES[type(one)](one, since) for one in written]
    return written


def _begins(file: FaultsFile) -> datetime | None:
    return None if file.begins is None else cast("datetime", _dial("begins", file.begins, BEGINNING))


def _away(one: Absence, since: datetime) -> Away:
    return Away(since + one.at, since + one.at + one.lasts)


def _mishap(one: OrderMishap, _: datetime) -> Mishap:
    after = None if isinstance(one.after, str) else one.after
    return Mishap(one.what, one.nth, after, one.packages, one.reason or _NO_REASON)


_VALUES: Mapping[type, Callable[[Any, datetime], Any]] = {
    Call: lambda one, _: Twice(one.method, one.nth),
    LostCall: lambda one, _: Loss(one.method, one.nth, one.cut),
    LateCall: lambda one, _: Held(one.method, one.nth, one.after),
    FailingCall: lambda one, _: Mistold(one.method, one.nth, one.text),
    Absence: _away,
    AgentAbsence: lambda one, since: (one.agent, _away(one, since)),
    BrokerRestart: lambda one, since: Restart(one.broker, _away(one, since), one.new_ids, one.reused),
    WrongQuotes: lambda one, since: Misquote(one.what, _away(one, since)),
    ClockStep: lambda one, since: Step(since + one.at, -one.by if one.back else one.by),
    OrderMishap: _mishap,
}
