"""entry.prepare: the job, the gate, the size, and the plan of our own arithmetic."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mesoflow.engine.errors import Cancelled
from mesoflow.expressions.unknown import Unknown
from tests.support.acting import NOW, Acted, Script, act, context, foretell
from tests.support.answers import LONG, SHORT, entry_plan, job, leg, prices, strategies, strategy, underlying

CAMPAIGN = strategy(201, "campaign")
D = Decimal


def hub(*statuses: dict[str, Any]) -> Script:
    script = Script().answers("GetStrategy", {"strategy": CAMPAIGN})
    script.answers("StartPreparePositionEntry", {"job_id": "job-1"})
    script.answers("CancelPreparePositionEntry", {"job_id": "job-1", "status": "Cancelled"})
    return script.answers("GetPreparePositionEntryStatus", *(statuses or (job(entry_plan()),)))


def prepare(script: Script | None = None, **inputs: Any) -> Acted:
    return act("entry.prepare", {"strategy": 201} | inputs, script or hub())


def price(debit: str) -> dict[str, Decimal]:
    return {"debit": D(debit), "credit": -D(debit)}


CALENDAR_QUOTE = {
    "near": price("40.60"),
    "mid": price("42.25"),
    "natural": price("43.90"),
    "width": D("3.30"),
    "age": D("0.2"),
}


def greeks(delta: str, theta: str, factor: int = 1) -> dict[str, Decimal]:
    rest = {"gamma": D(factor), "vega": D(300 * factor), "wvega": D(250 * factor), "rho": D(2 * factor)}
    return {"delta": D(delta), "theta": D(theta)} | rest


def shown_leg(
    name: str, quantity: int, days: int, bid: str, ask: str, of_leg: dict[str, Decimal]
) -> dict[str, Any]:
    mid = (D(bid) + D(ask)) / 2
    return {
        "name": name,
        "leg_id": None,
        "option_type": "put",
        "root": "SPXW",
        "expiration": date(2025, 1, 16) + timedelta(days=days),
        "dte": days,
        "strike": D(6000),
        "quantity": D(quantity),
        "group": 1,
        "quote": {"bid": D(bid), "ask": D(ask), "mid": mid, "mark": mid, "last": None, "age": D("0.2")},
        "greeks": of_leg,
        "iv": D("0.16"),
    }


def test_an_entry_is_prepared_and_shown_whole() -> None:
    acted = prepare()
    assert acted.asked == [
        "strategy: GetStrategy",
        "start: StartPreparePositionEntry",
        "job: GetPreparePositionEntryStatus",
    ]
    assert acted.effect("start").args == {
        "position_name": "campaign 2025-01-16 run-1",
        "strategy_id": 201,
        "broker_account_id": "PAPER-1",
        "leg_selection_constraint": "FullyUnique",
        "underlying": {"symbol": "SPX"},
        "data_provider": "IBKR",
    }
    assert acted.effect("job").until == NOW + timedelta(minutes=2)
    assert acted.outputs == {
        "exec_plan_id": 9001,
        "kind": "entry",
        "position_id": None,
        "position_name": "campaign 2025-01-16 run-1",
        "strategy_id": 201,
        "strategy_name": "campaign",
        "broker_account_id": "PAPER-1",
        "lots": D(1),
        "legs": {
            "short_put": shown_leg("short_put", -1, 28, *SHORT, greeks("40", "60")),
            "long_put": shown_leg("long_put", 1, 60, *LONG, greeks("-40", "-3")),
        },
        "groups": [
            {
                "id": 1,
                "legs": ["short_put", "long_put"],
                "ratio": {"short_put": -1, "long_put": 1},
                "packages": 1,
                "side": "debit",
                "quote": CALENDAR_QUOTE,
            }
        ],
        "quote": CALENDAR_QUOTE,
        "greeks": greeks("0", "57", 2),
        "premium": D("4225.00"),
        "max_loss": D("4390.00"),
        "underlying": {"symbol": "SPX", "mark": D("6000.10"), "age": D("0.2")},
        "vars": {"initial_delta": D("0.5")},
        "conditions": [
            {"text": "pos_theta > 0", "kind": "entry", "result": True},
            {"text": "underlying_vix > 40", "kind": "abort", "result": False},
        ],
        "prepared_at": NOW,
    }


def test_lots_replace_the_strategys_multiplier() -> None:
    outputs = prepare(hub(job(entry_plan(multiplier=2))), lots=3).outputs
    assert (outputs["lots"], outputs["legs"]["short_put"]["quantity"]) == (D(3), D(-3))
    assert (outputs["groups"][0]["packages"], outputs["quote"]) == (3, CALENDAR_QUOTE)
    assert (outputs["premium"], outputs["max_loss"]) == (D("12675.00"), D("13170.00"))
    assert outputs["greeks"]["theta"] == D("85.5")


def test_without_lots_the_strategy_decides() -> None:
    outputs = prepare(hub(job(entry_plan(multiplier=2)))).outputs
    assert (outputs["lots"], outputs["legs"]["long_put"]["quantity"]) == (D(2), D(2))


def test_a_strategy_by_name_and_other_wishes() -> None:
    script = hub().answers("ListStrategies", strategies(CAMPAIGN))
    wishes = {
        "strategy": "campaign",
        "position_name": "mine",
        "leg_selection": "unique_in_position",
        "underlying": "XSP",
        "provider": "TastyTrade",
        "within": "30s",
    }
    acted = act("entry.prepare", wishes, script)
    assert acted.effect("start").args == {
        "position_name": "mine",
        "strategy_id": 201,
        "broker_account_id": "PAPER-1",
        "leg_selection_constraint": "UniqueInPosition",
        "underlying": {"symbol": "XSP"},
        "data_provider": "TastyTrade",
    }
    assert acted.effect("job").until == NOW + timedelta(seconds=30)


def test_the_job_is_watched_until_it_ends() -> None:
    script = hub(job(status="Pending"), job(status="Running"), job(entry_plan()))
    assert prepare(script).error is None


def test_an_entry_that_the_strategy_does_not_allow() -> None:
    conditions = {
        "entry_allowed": False,
        "entry_conditions": [{"condition": "pos_theta > 0", "result": False}],
        "abort_conditions": [
            {"condition": "vix > 40", "result": True},
            {"condition": "vix < 10", "result": False},
            {"condition": "nav > 0", "result": None},
        ],
    }
    acted = prepare(hub(job(entry_plan(**conditions))))
    assert str(acted.error) == (
        "entry_not_allowed: the strategy 'campaign' does not allow the entry: entry condition 'pos_theta > 0' is "
        "false; abort condition 'vix > 40' is true; abort condition 'nav > 0' is not known"
    )
    assert len(acted.error.details["conditions"]) == 4


@pytest.mark.parametrize(
    ("status", "summary"),
    [
        (
            job(status="Failed", error="no expiration fits"),
            "the entry of 'campaign' failed: no expiration fits",
        ),
        (job(status="Cancelled"), "the entry of 'campaign' failed: the job is cancelled"),
        (job(), "the entry of 'campaign' completed without a plan"),
    ],
)
def test_a_job_that_makes_no_plan(status: dict[str, Any], summary: str) -> None:
    assert str(prepare(hub(status)).error) == f"prepare_failed: {summary}"


def test_a_job_that_takes_too_long_is_stopped() -> None:
    acted = prepare(hub(job(status="Running")))
    assert acted.asked[-1] == "stop: CancelPreparePositionEntry"
    assert acted.effect("stop").args == {"job_id": "job-1"}
    assert (acted.code, acted.now) == ("prepare_too_slow", NOW + timedelta(minutes=2))


def test_a_job_that_has_just_ended_refuses_to_be_stopped() -> None:
    script = hub(job(status="Running"))
    script.table["CancelPreparePositionEntry"] = []
    assert prepare(script.refuses("CancelPreparePositionEntry", "BadRequest")).code == "prepare_too_slow"


@pytest.mark.parametrize("at", ["start", "job"])
def test_a_cancelled_run_stops_its_job(at: str) -> None:
    acted = act("entry.prepare", {"strategy": 201}, hub(), cancel_at=at)
    assert isinstance(acted.error, Cancelled)
    assert acted.asked[-1] == "stop: CancelPreparePositionEntry"


def test_nothing_to_trade() -> None:
    nothing = entry_plan(leg_group_qtys={"1": {"leg_qtys": {"short_put": 0, "long_put": 0}}})
    assert prepare(hub(job(nothing))).code == "nothing_to_trade"
    assert prepare(hub(job(entry_plan(qty_multiplier=Decimal(0))))).code == "nothing_to_trade"


def test_markers_are_not_traded() -> None:
    plan = entry_plan()
    plan["selected_legs"]["marker"] = leg(0, "marker", 0, position=0)
    plan["leg_groups"]["2"] = ["marker"]
    outputs = prepare(hub(job(plan))).outputs
    assert list(outputs["legs"]) == ["short_put", "long_put"]
    groups = [(group["id"], group["legs"], group["packages"]) for group in outputs["groups"]]
    assert groups == [(1, ["short_put", "long_put"], 1), (2, ["marker"], 0)]
    assert outputs["quote"] == CALENDAR_QUOTE


def test_a_part_of_a_contract_cannot_be_ordered() -> None:
    half = entry_plan(multiplier=2)
    half["leg_group_qtys"]["1"]["leg_qtys"]["long_put"] = Decimal(1)
    acted = prepare(hub(job(half)), lots=1)
    assert str(acted.error) == "prepare_failed: leg long_put has 0.5 contracts; an order takes whole ones"


def test_a_contract_of_another_size_is_refused() -> None:
    plan = entry_plan()
    plan["selected_legs"]["long_put"]["live_contract"]["multiplier"] = Decimal(10)
    assert prepare(hub(job(plan))).code == "prepare_failed"


def test_quotes_that_the_job_did_not_see_are_read() -> None:
    plan = entry_plan()
    plan["leg_prices"] = {"short_put": prices(*SHORT), "long_put": prices(None, "141.60")}
    plan["underlying_price"] = prices("5999.80", "6000.40", age_ms=60_000)
    script = hub(job(plan)).answers(
        "GetContractSnapshot", {"prices": prices(*SHORT)}, {"prices": prices(*LONG)}
    )
    acted = prepare(script.answers("GetUnderlyingSnapshot", underlying()))
    assert acted.asked[3:] == [
        "quotes/short_put: GetContractSnapshot",
        "quotes/long_put: GetContractSnapshot",
        "underlying: GetUnderlyingSnapshot",
    ]
    assert acted.effect("quotes/short_put").args["contract"] == {
        "contract_type": "Options",
        "underlying": {"symbol": "SPX"},
        "root": "SPXW",
        "option_type": "Put",
        "expiration": NOW.replace(hour=0) + timedelta(days=28),
        "strike": D(6000),
        "multiplier": D(100),
    }
    assert acted.outputs["quote"] == CALENDAR_QUOTE


def test_without_quotes_there_is_no_plan() -> None:
    plan = entry_plan(leg_prices={})
    acted = prepare(hub(job(plan)).answers("GetContractSnapshot", {"prices": prices(None, None)}))
    assert (acted.code, acted.error.retryable) == ("no_quote", True)


def test_greeks_that_the_hub_does_not_tell_are_not_zero() -> None:
    plan = entry_plan()
    plan["leg_greeks"] = {"short_put": plan["leg_greeks"]["short_put"]}
    outputs = prepare(hub(job(plan))).outputs
    assert outputs["greeks"] == dict.fromkeys(("delta", "gamma", "theta", "vega", "wvega", "rho"))


def test_an_account_outside_the_playbooks_risk() -> None:
    acted = prepare(broker_account_id="IB-1")
    assert (acted.asked, acted.code) == ([], "account_not_allowed")


def test_a_forecast_says_what_is_known() -> None:
    told = foretell("entry.prepare", {"strategy": Unknown("integer"), "lots": 2}, context(provider=None))
    assert told.asked == ["start: StartPreparePositionEntry", "stop: CancelPreparePositionEntry"]
    assert told.effects[0].args["broker_account_id"] == "PAPER-1"
    assert (told.outputs["kind"], told.outputs["lots"]) == ("entry", 2)
    quote = told.outputs["quote"]
    assert (quote.type, quote.fields["mid"].fields["debit"]) == ("Quote", Unknown("points", 'step "step"'))
