"""orders.work on paper: facts, price, one booking, the comparison; and what is refused before anything is sent."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesoflow.engine.errors import Cancelled, StepError
from mesoflow.expressions.unknown import Unknown
from mesoflow.trading.orders import Contract, OpenLeg, Order, OrderFacts, OrderGroup, OrderLeg, Quote
from tests.support.acting import NOW, Parked, Script, act, context, foretell
from tests.support.answers import (
    DAYS,
    LONG,
    SHORT,
    account,
    entry_plan,
    execution,
    exit_plan,
    held_legs,
    job,
    leg,
    legs_snapshot,
    listed,
    position,
    prices,
    strategy,
    underlying,
)

D = Decimal
WALK = {"start": "mid", "step": D("0.05"), "every": "20s", "worst": {"from_mid": D("0.30")}}

# mid 42.25 and 0.30 worse, split as mid ± λ × half-width over widths of 1.40 and 1.90.
BOUGHT = {"short_put": D("98.272727"), "long_put": D("140.822727")}
FILLS = [execution(11, "short_put", -1, "98.272727"), execution(12, "long_put", 1, "140.822727")]
HELD = [leg(11, "short_put", -1, days=28), leg(12, "long_put", 1, days=60)]


def entry(**inputs: Any) -> dict[str, Any]:
    """Inputs of an entry: the plan comes from the prepare step, as in a playbook."""
    script = Script().answers("GetStrategy", {"strategy": strategy(201, "campaign")})
    script.answers("StartPreparePositionEntry", {"job_id": "j"})
    plan = act(
        "entry.prepare", {"strategy": 201}, script.answers("GetPreparePositionEntryStatus", job(entry_plan()))
    )
    return {"exec_plan": plan.outputs, "price": WALK, "within": "5m"} | inputs


def exit_(**inputs: Any) -> dict[str, Any]:
    """Inputs of an exit."""
    script = Script().answers("GetPosition", {"position": position(7), "legs": list(held_legs().values())})
    script.answers("StartPreparePositionExit", {"job_id": "j"})
    plan = act(
        "exit.prepare", {"position_id": 7}, script.answers("GetPreparePositionExitStatus", job(exit_plan()))
    )
    return {"exec_plan": plan.outputs, "price": WALK, "within": "5m"} | inputs


ENTRY, EXIT = entry(), exit_()


def market(script: Script | None = None) -> Script:
    """A paper account, its underlying, quotes of the legs by contract, and no open legs before the fill."""
    script = script or Script()
    script.answers("GetAccount", account()).answers("GetUnderlyingSnapshot", underlying())
    quotes = [{"prices": prices(*SHORT)}, {"prices": prices(*LONG)}]
    return script.answers("GetContractSnapshot", *quotes, *quotes)


def booked(
    script: Script | None = None, *, legs: Any = HELD, fills: Any = FILLS, answer: Any = None
) -> Script:
    """... and the hub books the entry."""
    script = market(script).answers("ListLegs", listed("legs"), listed("legs", *legs))
    script.answers(
        "ApplyPaperFills", answer or {"position_id": 7, "exec_plan_id": 9001, "live_order_ids": []}
    )
    script.answers("ListPositions", listed("positions", position(7)))
    return script.answers("ListExecutions", listed("executions", *fills))


def closed(script: Script | None = None) -> Script:
    """A market in which the exit of the position is booked."""
    script = script or Script()
    script.answers("GetAccount", account()).answers("GetUnderlyingSnapshot", underlying())
    script.answers("GetLegsSnapshot", legs_snapshot())
    gone = [leg(11, "short_put", -1, closed=True, days=28), leg(12, "long_put", 1, closed=True, days=60)]
    script.answers("ListLegs", listed("legs", *held_legs().values()), listed("legs", *gone))
    script.answers("ApplyPaperFills", {"position_id": 7, "exec_plan_id": 9002})
    fills = [execution(11, "short_put", 1, "98.527273"), execution(12, "long_put", -1, "140.477273")]
    script.answers("ListExecutions", listed("executions", *fills))
    return script.answers("GetPosition", {"position": position(7, state="Closed"), "legs": gone})


def contract(days: int) -> Contract:
    return Contract("SPX", "SPXW", "put", date(2025, 1, 16) + timedelta(days=days), D(6000))


def quote(bid: str, ask: str) -> Quote:
    return Quote(D(bid), D(ask), (D(bid) + D(ask)) / 2, 200, 200)


# --- the whole way -----------------------------------------------------------------------------------------------------


def test_an_entry_is_booked_once_and_compared() -> None:
    acted = act("orders.work", ENTRY, booked())
    assert acted.asked == [
        "account: GetAccount",
        "underlying: GetUnderlyingSnapshot",
        "quotes/short_put: GetContractSnapshot",
        "quotes/long_put: GetContractSnapshot",
        "open-legs: ListLegs",
        "fill: ApplyPaperFills",
        "compare/position: ListPositions",
        "compare/legs: ListLegs",
        "compare/executions: ListExecutions",
    ]
    assert acted.effect("fill").order == Order(
        method="ApplyPaperFills",
        account="PAPER-1",
        kind="entry",
        exec_plan_id=9001,
        position_id=None,
        strategy_id=201,
        symbol="SPX",
        legs=(
            OrderLeg("short_put", contract(28), D(-1), 1, quote(*SHORT), BOUGHT["short_put"]),
            OrderLeg("long_put", contract(60), D(1), 1, quote(*LONG), BOUGHT["long_put"]),
        ),
        groups=(
            OrderGroup(
                id=1,
                legs=("short_put", "long_put"),
                packages=1,
                limit=D("42.55"),
                worst=D("42.55"),
                near=D("40.60"),
                mid=D("42.25"),
                natural=D("43.90"),
            ),
        ),
        facts=OrderFacts(
            day_pnl=D("0.00"),
            net_liquidation=D("250000.00"),
            open_legs=(),
            underlying_mark=D("6000.10"),
            as_of=NOW,
            is_paper=True,
        ),
        args={
            "broker_account_id": "PAPER-1",
            "exec_plan_id": 9001,
            "qty_multiplier": D(1),
            "paper_leg_fills": {name: {"price": price, "commission": D(0)} for name, price in BOUGHT.items()},
        },
    )
    assert acted.outputs == {
        "exec_plan_id": 9001,
        "kind": "entry",
        "position_id": 7,
        "ended": "filled",
        "lots": D(1),
        "legs": {
            "short_put": {"quantity": D(-1), "average_price": BOUGHT["short_put"]},
            "long_put": {"quantity": D(1), "average_price": BOUGHT["long_put"]},
        },
        "groups": [
            {
                "id": 1,
                "legs": ["short_put", "long_put"],
                "packages": 1,
                "filled": 1,
                "price": {"debit": D("42.55"), "credit": D("-42.55")},
                "conceded": D("0.30"),
                "rungs": 1,
            }
        ],
        "price": {"debit": D("42.55"), "credit": D("-42.55")},
        "cash": D("-4255.00"),
        "fees": D("0.00"),
        "orders": [],
        "live": False,
        "finished_at": NOW,
    }


def test_an_exit_closes_the_position() -> None:
    acted = act("orders.work", EXIT, closed())
    assert acted.asked == [
        "account: GetAccount",
        "underlying: GetUnderlyingSnapshot",
        "quotes: GetLegsSnapshot",
        "open-legs: ListLegs",
        "fill: ApplyPaperFills",
        "compare/legs: ListLegs",
        "compare/executions: ListExecutions",
        "compare/closed: GetPosition",
    ]
    order = acted.effect("fill").order
    assert order.args["qty_multiplier"] is None
    assert order.facts.open_legs == (
        OpenLeg(7, "short_put", contract(DAYS["short_put"]), D(-1), D("98.30")),
        OpenLeg(7, "long_put", contract(DAYS["long_put"]), D(1), D("140.80")),
    )
    assert acted.effect("compare/legs").params == {"legs": {}}
    outputs = acted.outputs
    assert (outputs["position_id"], outputs["cash"], outputs["price"]["credit"]) == (
        7,
        D("4195.00"),
        D("41.95"),
    )
    assert outputs["groups"][0]["conceded"] == D("0.30")


def test_what_was_traded_is_remembered_in_the_ledger() -> None:
    ctx = context()
    act("orders.work", ENTRY, booked(), ctx)
    legs = {"short_put": D(-1), "long_put": D(1)}
    assert ctx.ledger == {"positions": {"7": {"account": "PAPER-1", "legs": legs, "plans": [9001]}}}
    act("orders.work", EXIT, closed(), ctx)
    assert ctx.ledger["positions"]["7"] == {"account": "PAPER-1", "legs": {}, "plans": [9001, 9002]}


def test_markers_get_a_fill_and_no_order() -> None:
    plan = ENTRY["exec_plan"]
    marker = {**plan["groups"][0], "id": 2, "legs": ["marker"], "ratio": {}, "packages": 0, "side": "even"}
    group = {**plan["groups"][0], "legs": ["short_put", "long_put", "hint"]}
    marked = {**plan, "groups": [group, marker]}
    rows = [*FILLS, execution(13, "marker", 0, "0")]
    acted = act("orders.work", {**ENTRY, "exec_plan": marked, "if_incomplete": "keep"}, booked(fills=rows))
    order = acted.effect("fill").order
    assert list(order.args["paper_leg_fills"]) == ["short_put", "long_put", "hint", "marker"]
    assert order.args["paper_leg_fills"]["marker"] == {"price": D(0), "commission": D(0)}
    assert ([leg.name for leg in order.legs], [one.id for one in order.groups]) == (
        ["short_put", "long_put"],
        [1],
    )
    assert ([one["id"] for one in acted.outputs["groups"]], acted.outputs["cash"]) == ([1], D("-4255.00"))


def test_prices_are_as_the_hub_executed() -> None:
    rounded = [execution(11, "short_put", -1, "98.27"), execution(12, "long_put", 1, "140.82")]
    outputs = act("orders.work", ENTRY, booked(fills=rounded)).outputs
    assert (outputs["legs"]["short_put"]["average_price"], outputs["cash"]) == (D("98.270000"), D("-4255.00"))


def test_a_hub_that_tells_no_legs_of_executions_leaves_the_prices_as_given() -> None:
    silent = [{"price": D("1"), "commission": None}]
    outputs = act("orders.work", ENTRY, booked(fills=silent)).outputs
    assert (outputs["price"]["debit"], outputs["fees"]) == (D("42.55"), None)


# --- prices ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "limit"),
    [
        ({"price": {"start": "mid"}}, "42.25"),
        ({"price": WALK, "paper_fill": "mid"}, "42.25"),
        ({"price": {"start": "natural"}}, "43.90"),
        ({"price": {"start": "natural"}, "paper_fill": "natural"}, "43.90"),
        ({"price": {"start": "mid", "worst": {"debit": 50}}}, "42.25"),
    ],
)
def test_what_paper_books(inputs: dict[str, Any], limit: str) -> None:
    acted = act("orders.work", {**ENTRY, **inputs}, booked(fills=[{"price": D("1")}]))
    assert acted.effect("fill").order.groups[0].limit == D(limit)


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"price": WALK, "paper_fill": "natural"}, "natural is beyond the worst price"),
        ({"price": {"start": "near"}, "paper_fill": "mid"}, "mid is beyond the worst price"),
        (
            {"price": {"start": {"debit": D("40.00")}}},
            "the worst price is better than mid, where the market does not fill",
        ),
    ],
)
def test_what_does_not_fill(inputs: dict[str, Any], why: str) -> None:
    acted = act("orders.work", {**ENTRY, **inputs}, booked())
    assert acted.code == "not_filled"
    assert why in str(acted.error)
    assert "fill: ApplyPaperFills" not in acted.asked


def test_a_price_of_the_wrong_side_is_refused() -> None:
    acted = act("orders.work", {**ENTRY, "price": {"start": {"credit": 1}}}, booked())
    assert (acted.code, acted.error.details) == ("rail_refused", {"rule": "wrong_side", "group": 1})


def test_quotes_are_waited_for() -> None:
    script = Script().answers("GetContractSnapshot", {"prices": prices(*SHORT, age_ms=9_000)})
    assert act("orders.work", ENTRY, booked(script)).error is None


def test_without_quotes_nothing_is_sent() -> None:
    script = Script().answers("GetAccount", account()).answers("GetUnderlyingSnapshot", underlying())
    acted = act("orders.work", ENTRY, script.answers("GetContractSnapshot", {"prices": prices(None, None)}))
    assert (acted.code, acted.error.retryable, acted.now) == ("no_quote", True, NOW + timedelta(minutes=2))


def test_a_leg_that_grew_stale_while_the_others_were_read_is_read_again() -> None:
    script = booked()
    old, fresh = prices(*SHORT, age_ms=3_100), prices(*SHORT, age_ms=100)
    script.table["GetContractSnapshot"] = []
    at = NOW + timedelta(seconds=6)
    script.answers("GetContractSnapshot", {"prices": old}, {"prices": prices(*LONG, at=at)})
    script.answers(
        "GetContractSnapshot", {"prices": fresh | {"snapshot_time": at}}, {"prices": prices(*LONG, at=at)}
    )
    script.takes = timedelta(milliseconds=600)
    acted = act("orders.work", ENTRY, script)
    assert "quotes~2/short_put: GetContractSnapshot" in acted.asked
    assert acted.error is None


CENTS = st.integers(5, 20_000).map(lambda cents: D(cents) / 100)


@given(
    bids=st.tuples(CENTS, CENTS),
    widths=st.tuples(CENTS, CENTS),
    beyond=st.integers(0, 500),
    ratio=st.integers(1, 3),
)
@settings(max_examples=60, deadline=None)
def test_whatever_the_quotes_no_price_is_beyond_worst_and_the_legs_add_up(
    bids: Any, widths: Any, beyond: int, ratio: int
) -> None:
    quotes = [
        prices(str(bid), str(bid + min(width, D("1.90")))) for bid, width in zip(bids, widths, strict=True)
    ]
    script = booked()
    script.table["GetContractSnapshot"] = []
    script.answers("GetContractSnapshot", *({"prices": block} for block in quotes))
    plan = {
        **ENTRY["exec_plan"],
        "legs": {name: dict(leg) for name, leg in ENTRY["exec_plan"]["legs"].items()},
    }
    plan["legs"]["long_put"]["quantity"] = D(ratio)
    plan["groups"] = [{**plan["groups"][0], "ratio": {"short_put": -1, "long_put": ratio}}]
    price = {"start": "mid", "worst": {"from_mid": D(beyond) / 100}, "step": D("0.05"), "every": "10s"}
    acted = act("orders.work", {**ENTRY, "exec_plan": plan, "price": price}, script)
    if acted.code in ("not_filled", "rail_refused", "no_quote"):
        return
    order = acted.effect("fill").order
    group = order.groups[0]
    fills = order.args["paper_leg_fills"]
    assert group.limit <= group.worst
    assert ratio * fills["long_put"]["price"] - fills["short_put"]["price"] == group.limit
    assert all(fill["price"] >= 0 for fill in fills.values())


# --- what is refused before anything is sent -----------------------------------------------------------------------------


def test_an_account_outside_risk_is_refused() -> None:
    acted = act("orders.work", ENTRY, None, context(risk={"accounts": ["IB-1"]}))
    assert (acted.asked, acted.code) == ([], "account_not_allowed")


def test_an_old_plan_may_not_open_risk() -> None:
    late = context(now=NOW + timedelta(minutes=5, seconds=1))
    acted = act("orders.work", ENTRY, None, late)
    assert acted.asked == []
    assert (
        str(acted.error)
        == "plan_too_old: exec plan 9001 is 301 s old; one that may open risk is at most 300 s old"
    )


def test_a_plan_that_grows_old_while_quotes_are_waited_for_may_not_either() -> None:
    script = booked(Script(takes=timedelta(seconds=2), live=True))
    assert act("orders.work", {**ENTRY, "max_plan_age": "7s"}, script).code == "plan_too_old"


def test_an_exit_is_never_too_old() -> None:
    late = context(now=NOW + timedelta(hours=5))
    assert act("orders.work", EXIT, closed(Script(live=True)), late).error is None


UNWIND = {"unwind": {"price": {"start": "mid"}, "within": "2m"}}


@pytest.mark.parametrize(
    ("inputs", "summary"),
    [
        (
            {**ENTRY, "sequence": ["short_call"]},
            "sequence names 'short_call'; the plan's legs are short_put, long_put",
        ),
        (
            {**EXIT, "if_incomplete": UNWIND},
            "if_incomplete: unwind is for entries; elsewhere it would close what was there before",
        ),
        (
            {
                **ENTRY,
                "if_incomplete": "keep",
                "exec_plan": {**ENTRY["exec_plan"], "groups": ENTRY["exec_plan"]["groups"] * 2},
            },
            "if_incomplete: keep needs a plan of one leg group, this one has 2",
        ),
    ],
)
def test_wishes_that_a_plan_cannot_have(inputs: dict[str, Any], summary: str) -> None:
    acted = act("orders.work", inputs)
    assert (acted.asked, str(acted.error)) == ([], f"bad_value: {summary}")


@pytest.mark.parametrize(
    "wishes",
    [
        {"sequence": ["long_put"]},
        {"sequence": "together"},
        {"if_incomplete": "keep"},
        {"if_incomplete": UNWIND},
    ],
)
def test_wishes_that_do_not_apply_on_paper_are_accepted(wishes: dict[str, Any]) -> None:
    assert act("orders.work", {**ENTRY, **wishes}, booked()).error is None


def test_an_entry_beside_what_cannot_be_judged_is_refused_and_an_exit_is_not() -> None:
    shares = leg(99, "shares", 100, position=3)
    shares["live_contract"] = {"contract_type": "Stock", "underlying": {"symbol": "SPY"}}
    script = market().answers("ListLegs", listed("legs", shares))
    assert act("orders.work", ENTRY, script).code == "bad_value"
    script = closed()
    script.table["ListLegs"][0]["legs"].append(script_leg(shares))
    assert act("orders.work", EXIT, script).error is None


def script_leg(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the hub's models give it."""
    return Script().answers("ListLegs", listed("legs", row)).table["ListLegs"][0]["legs"][0]


# --- refusals of the booking ---------------------------------------------------------------------------------------------


def refusal(*controls: str) -> StepError:
    """What the gate refuses with."""
    return StepError("rail_refused", "why not", {"rules": list(controls)})


def test_what_a_rail_refuses_ends_an_entry() -> None:
    script = booked()
    script.table["ApplyPaperFills"] = [refusal("C05")]
    acted = act("orders.work", ENTRY, script)
    assert (acted.code, acted.asked[-1]) == ("rail_refused", "fill: ApplyPaperFills")


def test_what_the_hub_refuses_is_rejected() -> None:
    script = booked()
    script.table["ApplyPaperFills"] = []
    assert act("orders.work", ENTRY, script.refuses("ApplyPaperFills", "BadRequest")).code == "rejected"


def test_what_did_not_leave_is_priced_anew_at_the_frozen_prices() -> None:
    script = booked(Script(live=True))
    script.table["ApplyPaperFills"].insert(0, StepError("not_sent", "no connection", {}, retryable=True))
    script.table["ListLegs"].insert(0, script.table["ListLegs"][0])
    script.table["GetContractSnapshot"] = script.table["GetContractSnapshot"][:3]
    script.answers("GetContractSnapshot", {"prices": prices("139.90", "141.80")})
    dearer = [execution(11, "short_put", -1, "98.357576"), execution(12, "long_put", 1, "140.907576")]
    script.table["ListExecutions"] = []
    script.answers("ListExecutions", listed("executions", *dearer))
    acted = act("orders.work", ENTRY, script)
    assert [line for line in acted.asked if "~2" in line or line.startswith(("fill", "pause"))] == [
        "fill: ApplyPaperFills",
        "pause: Sleep",
        "account~2: GetAccount",
        "underlying~2: GetUnderlyingSnapshot",
        "quotes~2/short_put: GetContractSnapshot",
        "quotes~2/long_put: GetContractSnapshot",
        "open-legs~2: ListLegs",
        "fill~2: ApplyPaperFills",
    ]
    group = acted.effect("fill~2").order.groups[0]
    assert (group.mid, group.limit, group.worst) == (D("42.45"), D("42.55"), D("42.55"))
    assert acted.error is None


@pytest.mark.parametrize(
    ("controls", "paused"), [(["C05"], True), (["C05", "C07"], True), (["C07", "C03"], False), ([], False)]
)
def test_a_pausing_rail_pauses_an_exit(controls: list[str], paused: bool) -> None:
    script = closed(Script(live=True))
    script.table["ApplyPaperFills"].insert(0, refusal(*controls))
    script.table["ListLegs"].insert(0, script.table["ListLegs"][0])
    acted = act("orders.work", EXIT, script)
    assert ("fill~2: ApplyPaperFills" in acted.asked, acted.code) == (
        paused,
        None if paused else "rail_refused",
    )


def test_a_paused_exit_ends_with_its_time() -> None:
    script = closed(Script(takes=timedelta(milliseconds=100), live=True))
    script.table["ApplyPaperFills"] = [refusal("C07")]
    script.table["ListLegs"] = script.table["ListLegs"][:1]
    acted = act("orders.work", {**EXIT, "within": "12s"}, script)
    assert [line for line in acted.asked if line.startswith("fill")] == [
        "fill: ApplyPaperFills",
        "fill~2: ApplyPaperFills",
        "fill~3: ApplyPaperFills",
        "fill~4: ApplyPaperFills",
    ]
    assert acted.effect("pause~3").until == NOW + timedelta(seconds=12)
    assert str(acted.error) == "not_filled: out of time; last: why not"


# --- the comparison ------------------------------------------------------------------------------------------------------


def test_a_hub_that_lags_is_waited_for() -> None:
    script = booked()
    script.table["ListLegs"].insert(1, script.table["ListLegs"][0])
    script.table["ListExecutions"].insert(
        0, Script().answers("ListExecutions", listed("executions")).table["ListExecutions"][0]
    )
    assert act("orders.work", ENTRY, script).error is None


@pytest.mark.parametrize(
    ("script", "at"),
    [
        (booked(legs=HELD[:1]), "compare/legs"),
        (booked(legs=[leg(11, "short_put", -2, days=28), HELD[1]]), "compare/legs"),
        (booked(fills=FILLS[:1]), "compare/executions"),
        (booked(fills=[execution(11, "short_put", -1, "90"), FILLS[1]]), "compare/executions"),
        (booked(answer={"position_id": 8}), "compare/position"),
    ],
)
def test_what_differs_parks_the_run(script: Script, at: str) -> None:
    acted = act("orders.work", ENTRY, script)
    assert isinstance(acted.error, Parked)
    assert (acted.code, acted.asked[-1].split(":")[0]) == ("legs_differ", at)
    assert acted.now == NOW + timedelta(seconds=30)


def test_an_answer_without_a_position_is_found_by_its_exec_plan() -> None:
    assert act("orders.work", ENTRY, booked(answer={"exec_plan_id": 9001})).outputs["position_id"] == 7


def test_a_cancelled_run_still_says_what_filled() -> None:
    acted = act("orders.work", ENTRY, booked(), cancel_at="fill")
    assert acted.asked[-3:] == [
        "compare/position: ListPositions",
        "compare/legs: ListLegs",
        "compare/executions: ListExecutions",
    ]
    assert acted.outputs["position_id"] == 7


def test_a_run_cancelled_before_the_booking_sends_nothing() -> None:
    acted = act("orders.work", ENTRY, booked(), cancel_at="open-legs")
    assert isinstance(acted.error, Cancelled)
    assert "fill: ApplyPaperFills" not in acted.asked


# --- forecast ------------------------------------------------------------------------------------------------------------


RUNG = "group-*/rung-*"
ENTERS = [
    "fill: ApplyPaperFills",
    "pause: Sleep",
    f"{RUNG}/send: SendOrder",
    f"{RUNG}/pause: Sleep",
    f"{RUNG}/watch*/pause: Sleep",
    f"{RUNG}/cancel: CancelOrder",
    "page: Tell",
]
# What only an exit does.
PAUSES = [
    f"{RUNG}/clear-*/cancel: CancelOrder",
    f"{RUNG}/page: Tell",
    f"{RUNG}/prepare/start: StartPreparePositionExit",
    f"{RUNG}/prepare/stop: CancelPreparePositionExit",
    f"{RUNG}/prepare/start: StartPreparePositionAdjustment",
    f"{RUNG}/prepare/stop: CancelPreparePositionAdjustment",
]


def test_a_forecast_of_a_plan_that_is_not_there_yet() -> None:
    plan = {"exec_plan_id": Unknown("integer"), "kind": "entry", "broker_account_id": "PAPER-1", "lots": 2}
    told = foretell("orders.work", {**ENTRY, "exec_plan": plan})
    assert told.asked == ENTERS
    assert told.effects[0].order.args == {
        "broker_account_id": "PAPER-1",
        "exec_plan_id": Unknown("integer"),
        "qty_multiplier": 2,
        "paper_leg_fills": Unknown("map<PaperLegFill>", 'step "step"'),
    }
    assert (told.outputs["kind"], told.outputs["lots"]) == ("entry", 2)
    assert told.outputs["position_id"] == Unknown("integer", 'step "step"')


def test_a_forecast_of_nothing_that_is_known() -> None:
    told = foretell(
        "orders.work", {**ENTRY, "exec_plan": Unknown("ExecPlan", 'step "entry"'), "price": Unknown("any")}
    )
    assert told.asked == [*ENTERS[:-1], *PAUSES, "page: Tell"]
