"""DuplicateRequest and Conflict in each of their meanings, at a walk and at the quickstart's bookings on the embedded world.

The hub says the first where a call with the key has finished, the second where it is still running and where the key was used
for another call. A request that a network delivers twice hears either; what counts is what became of the first delivery.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mesoflow.hubs.models.base import Args
from mesoflow.hubs.models.orders import CancelOrderResult
from mesoflow.rehearsal.checkers.catalogue import violations
from mesoflow.simulator.faults import Mishap
from mesoflow.simulator.simulator import Simulator
from mesoflow.simulator.world.errors import Refused
from mesoflow.simulator.world.records import Records
from tests.support.commands import ROOT
from tests.support.dialled import LOTS, Ended, play_walk
from tests.support.played import Dial, played

S = timedelta(seconds=1)

# Where the world handles each keyed method.
HANDLERS: dict[str, Callable[[Simulator], tuple[Any, str]]] = {
    "SendOrder": lambda simulator: (simulator.world.broker.desk, "send"),
    "CancelOrder": lambda simulator: (simulator.world.broker.desk, "cancel"),
    "ApplyPaperFills": lambda simulator: (simulator.world.fills, "apply"),
    "StartPreparePositionEntry": lambda simulator: (simulator.world.jobs, "start_entry"),
    "StartPreparePositionExit": lambda simulator: (simulator.world.jobs, "start_exit"),
}


class Heard(list[str]):
    """What the hub said to calls whose key it had seen."""


def before(
    method: str, happens: Callable[[Callable[..., Any], Args, datetime, Records], None], heard: Heard
) -> Dial:
    """The first call of `method` comes after something else with its key."""

    def dial(simulator: Simulator) -> None:
        owner, name = HANDLERS[method](simulator)
        honest = getattr(owner, name)

        def handle(args: Args, now: datetime, records: Records) -> Any:
            setattr(owner, name, honest)
            happens(honest, args, now, records)
            try:
                return honest(args, now, records)
            except Refused as refused:
                heard.append(f"{refused.status}: {refused.code}")
                raise

        setattr(owner, name, handle)

    return dial


def delivered(honest: Callable[..., Any], args: Args, now: datetime, records: Records) -> None:
    """The same request, whose answer never comes."""
    with suppress(Refused):
        honest(args, now, records)


def of_another(operation: str, plan: int | None = None) -> Callable[..., None]:
    """The key was used for another call: another method's, or the same one's for exec plan `plan`."""

    def happens(honest: Callable[..., Any], args: Any, now: datetime, records: Records) -> None:
        other = args if plan is None else args.model_copy(update={"exec_plan_id": plan})
        with records._store.change(now):
            answer = CancelOrderResult(order_id=1)
            fields = {"live_exec_plan_id": plan, "live_order_ids": [1]}
            records.add(operation, args.idempotency_key, other, now, answer, **fields)

    return happens


def both(*dials: Dial) -> Dial:
    def dial(simulator: Simulator) -> None:
        for one in dials:
            one(simulator)

    return dial


def processing(method: str, seconds: float) -> Dial:
    """Its record reads Processing for that long."""
    return lambda simulator: simulator.world.faults.record_processing.update({method: seconds * S})


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def walk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Dial], Ended]:
    return lambda dial: play_walk(tmp_path, monkeypatch, capsys, dial)


FINISHED, RUNNING, USED = "DuplicateRequest: DuplicateRequest", "Conflict: Processing", "Conflict: KeyUsed"


@pytest.mark.parametrize("method", ["StartPreparePositionEntry", "SendOrder", "CancelOrder"])
@pytest.mark.parametrize(
    ("seconds", "said"), [(0, FINISHED), (20, RUNNING)], ids=["finished", "still running"]
)
def test_what_became_of_the_first_delivery_counts(
    walk: Callable[[Dial], Ended], heard: Heard, method: str, seconds: float, said: str
) -> None:
    ended = walk(both(before(method, delivered, heard), processing(method, seconds)))
    assert heard == [said]
    assert (ended.code, ended.state, sum(ended.filled)) == (0, "done", LOTS), ended.body


@pytest.mark.parametrize("method", ["SendOrder", "CancelOrder"])
def test_a_first_delivery_that_runs_on_and_on(
    walk: Callable[[Dial], Ended], heard: Heard, method: str
) -> None:
    """An order may live that nobody has confirmed: a person is called. A cancel is proved by its order, whatever its record says."""
    ended = walk(both(before(method, delivered, heard), processing(method, 3600)))
    assert heard == [RUNNING]
    expected = (4, "parked") if method == "SendOrder" else (0, "done")
    assert (ended.code, ended.state) == expected, ended.body


def test_a_first_delivery_whose_record_failed_while_the_broker_takes_the_order(
    walk: Callable[[Dial], Ended], heard: Heard
) -> None:
    failed: Dial = lambda simulator: simulator.world.faults.orders.append(Mishap("record_failed"))  # noqa: E731
    ended = walk(both(failed, before("SendOrder", delivered, heard)))
    assert heard == [FINISHED]
    assert (ended.code, ended.state) == (4, "parked"), ended.body


@pytest.mark.parametrize(
    "first", [of_another("CancelOrder"), of_another("SendOrder", plan=999)], ids=["operation", "exec plan"]
)
def test_a_key_that_was_used_for_another_call_sends_nothing_and_calls_a_person(
    walk: Callable[[Dial], Ended], heard: Heard, first: Callable[..., None]
) -> None:
    ended = walk(before("SendOrder", first, heard))
    assert heard == [USED]
    assert (ended.code, ended.state, ended.filled) == (4, "parked", []), ended.body
    assert "another call" in str(ended.body)


def test_a_cancel_whose_key_was_used_for_another_call_calls_a_person(
    walk: Callable[[Dial], Ended], heard: Heard
) -> None:
    ended = walk(before("CancelOrder", of_another("SendOrder"), heard))
    assert heard == [USED]
    assert (ended.code, ended.state, len(ended.filled)) == (4, "parked", 1), ended.body


@pytest.mark.parametrize("method", ["ApplyPaperFills", "StartPreparePositionExit"])
@pytest.mark.parametrize(
    ("seconds", "said"), [(0, FINISHED), (20, RUNNING)], ids=["finished", "still running"]
)
def test_at_the_quickstart_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heard: Heard, method: str, seconds: float, said: str
) -> None:
    dial = both(before(method, delivered, heard), processing(method, seconds))
    code, evidence = played(ROOT / "plans" / "quickstart.yaml", tmp_path / "home", monkeypatch, dial)
    assert (heard, code) == ([said], 0)
    assert [str(found) for found in violations(evidence)] == []
