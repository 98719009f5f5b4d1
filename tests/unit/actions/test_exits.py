"""exit.prepare: what closes, whichever sign the hub writes."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.acting import Acted, Script, act, foretell
from tests.support.answers import exit_plan, held_legs, job, position

D = Decimal


def hub(*statuses: dict[str, Any], **of_position: Any) -> Script:
    found = {"position": position(7, **of_position), "legs": list(held_legs().values())}
    script = Script().answers("GetPosition", found).answers("StartPreparePositionExit", {"job_id": "job-1"})
    script.answers("CancelPreparePositionExit", {"job_id": "job-1", "status": "Cancelled"})
    return script.answers("GetPreparePositionExitStatus", *(statuses or (job(exit_plan()),)))


def prepare(script: Script | None = None, **inputs: Any) -> Acted:
    return act("exit.prepare", {"position_id": 7} | inputs, script or hub())


def test_an_exit_is_prepared() -> None:
    acted = prepare()
    assert acted.asked == [
        "position: GetPosition",
        "start: StartPreparePositionExit",
        "job: GetPreparePositionExitStatus",
    ]
    assert acted.effect("start").args == {"position_id": 7, "data_provider": None}
    outputs = acted.outputs
    shown = {name: (leg["quantity"], leg["leg_id"]) for name, leg in outputs["legs"].items()}
    assert shown == {"short_put": (D(1), 11), "long_put": (D(-1), 12)}
    assert (outputs["kind"], outputs["position_id"], outputs["lots"]) == ("exit", 7, D(1))
    assert (outputs["premium"], outputs["max_loss"], outputs["conditions"]) == (D("4225.00"), D(0), [])
    assert (outputs["legs"]["short_put"]["greeks"]["delta"], outputs["greeks"]["theta"]) == (D(-40), D(-57))
    group = outputs["groups"][0]
    assert (group["side"], group["quote"]["mid"]["credit"], group["quote"]["natural"]["credit"]) == (
        "credit",
        D("42.25"),
        D("40.60"),
    )


def test_a_plan_that_repeats_what_is_held_closes_it_all_the_same() -> None:
    held = {"1": {"leg_qtys": {"short_put": D(-1), "long_put": D(1)}}}
    assert prepare(hub(job(exit_plan(leg_group_qtys=held)))).outputs == prepare().outputs


def test_a_plan_without_quantities_closes_what_is_held() -> None:
    assert prepare(hub(job(exit_plan(leg_group_qtys={})))).outputs == prepare().outputs


def test_lots_are_the_positions_or_the_smallest_ratio() -> None:
    assert prepare(hub(job(exit_plan(4)), qty_multiplier=D(2))).outputs["lots"] == D(2)
    assert prepare(hub(job(exit_plan(4)), qty_multiplier=None)).outputs["lots"] == D(4)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (Script().refuses("GetPosition", "NotFound"), "position_not_found"),
        (hub(state="Closed"), "nothing_to_trade"),
        (hub(broker_account_id="IB-1"), "account_not_allowed"),
        (hub(job(status="Failed", error="x")), "prepare_failed"),
        (hub(job(status="Running")), "prepare_too_slow"),
        (hub(job()), "prepare_failed"),
    ],
)
def test_exits_that_cannot_be_prepared(script: Script, code: str) -> None:
    assert prepare(script).code == code


def test_a_forecast() -> None:
    told = foretell("exit.prepare", {"position_id": 7})
    assert told.asked == ["start: StartPreparePositionExit", "stop: CancelPreparePositionExit"]
    assert (told.outputs["kind"], told.outputs["position_id"]) == ("exit", 7)
