"""Every rail refuses what it is there for, alone; and a rail that always held would be noticed (its mutant)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.judge import judge
from mesoflow.safety.ledger import Ledger
from mesoflow.safety.limits import Limits
from mesoflow.safety.rails.catalogue import RAILS, Rail
from mesoflow.safety.states import TradingState
from mesoflow.safety.verdicts import RailLine
from mesoflow.trading.orders import Order, Quote
from tests.unit.safety.making import (
    CALENDAR,
    CONDOR,
    HERE,
    NOW,
    RISK,
    RUN,
    closing,
    contract,
    facts,
    judged,
    opened,
    order,
    quote,
    refused,
    with_facts,
    with_group,
    with_quotes,
)


def test_every_rail_holds_for_a_good_entry() -> None:
    verdict = judged(order())
    assert [(line.control, line.code, line.held) for line in verdict.lines] == [
        ("C08", "order_incoherent", "held"),
        ("C01", "account_not_allowed", "held"),
        ("C01", "live_refused", "held"),
        ("C02", "symbol_not_allowed", "held"),
        ("C02", "expiry_not_allowed", "held"),
        ("C03", "contracts_per_order", "held"),
        ("C03", "contracts_per_run", "held"),
        ("C03", "contracts_per_day", "held"),
        ("C04", "order_premium", "held"),
        ("C04", "order_loss", "held"),
        ("C04", "open_loss", "held"),
        ("C05", "distance_from_mid", "held"),
        ("C06", "beyond_worst", "held"),
        ("C07", "quote_unusable", "held"),
        ("C08", "limit_sign", "held"),
        ("C08", "legs_overlap", "held"),
        ("C09", "duplicate_order", "held"),
        ("C10", "messages_per_run", "held"),
        ("C10", "messages_per_day", "held"),
        ("C10", "messages_per_minute", "held"),
        ("C11", "runs_per_session", "held"),
        ("C12", "open_orders", "held"),
        ("C12", "open_orders_value", "held"),
        ("C13", "session_window", "held"),
        ("C14", "daily_loss", "held"),
        ("C15", "heartbeat", "held"),
        ("C18", "reducing", "held"),
        ("C20", "error_budget", "held"),
        ("C21", "account_marked", "held"),
        ("C22", "not_reconciled", "held"),
        ("C23", "not_durable", "held"),
        ("C24", "semantics_differ", "held"),
        ("C24", "program_differs", "held"),
        ("C24", "policy_looser", "held"),
    ]
    assert verdict.policy == "def"


def test_exits_are_privileged_and_each_skip_is_recorded() -> None:
    verdict = judged(
        closing(), max_order_premium=1, max_contracts_per_order=1, max_open_loss=0, max_daily_loss=0
    )
    assert (verdict.passed, verdict.only_reduces) == (True, True)
    assert [(line.control, line.held) for line in verdict.lines] == [
        ("C08", "held"), ("C01", "held"), ("C01", "held"), ("C02", "skipped"), ("C03", "skipped"), ("C04", "skipped"),
        ("C05", "held"), ("C06", "held"), ("C07", "held"), ("C08", "held"), ("C08", "held"), ("C09", "held"),
        ("C10", "skipped"), ("C11", "skipped"), ("C12", "skipped"), ("C13", "skipped"), ("C14", "skipped"), ("C15", "held"),
        ("C18", "held"), ("C20", "skipped"), ("C21", "skipped"), ("C22", "skipped"), ("C23", "held"), ("C24", "held"),
        ("C24", "held"), ("C24", "held"),
    ]  # fmt: skip


def test_a_verdict_names_everything_that_is_wrong() -> None:
    made = with_facts(with_quotes(order(account="PAPER-2"), quote("1.00", "1.10", 9000)), day_pnl=None)
    assert refused(
        judged(made, max_contracts_per_order=1, max_contracts_per_run=9, max_contracts_per_day=9)
    ) == [
        "account_not_allowed",
        "contracts_per_order",
        "reference_missing",
        "quote_unusable",
        "quote_unusable",
        "day_pnl_unknown",
    ]


def test_an_order_that_does_not_hang_together_is_judged_no_further() -> None:
    assert [line.code for line in judged(replace(order(), legs=())).lines] == ["order_incoherent"]


# --- one spoiled order a rail, and the rail's mutant -------------------------------------------------------------------


@dataclass(frozen=True)
class Spoiled:
    """What only this rail refuses, and by which code."""

    control: str
    code: str
    judge: Callable[[Iterable[Rail]], list[str]]


def spoiled(
    control: str,
    code: str,
    made: Order | None = None,
    *,
    ledger: Ledger | None = None,
    here: object = HERE,
    **risk: object,
) -> Spoiled:
    what = order() if made is None else made
    said = {key: value for key, value in {**RISK, **risk}.items() if value is not None}

    def codes(rails: Iterable[Rail]) -> list[str]:
        verdict = judge(what, Limits.parse(said), ledger or Ledger(), NOW, here, rails=rails)  # type: ignore[arg-type]
        return list(dict.fromkeys(refused(verdict)))

    return Spoiled(control, code, codes)


def filled(*orders: Order, run_id: str = RUN, ago: timedelta = timedelta(minutes=5)) -> Ledger:
    """Orders that have filled and are over."""
    ledger = Ledger()
    for number, each in enumerate(orders):
        ledger.apply_intent(run_id, each, NOW - ago, f"step-{number}")
        ledger.settle(run_id, each, NOW - ago, path=f"step-{number}")
    return ledger


def alive(*orders: Order, run_id: str = RUN) -> Ledger:
    """Orders of which nothing is known yet."""
    ledger = Ledger()
    for number, each in enumerate(orders):
        ledger.apply_intent(run_id, each, NOW - timedelta(minutes=5), f"step-{number}")
    return ledger


def cancelled(messages: int, seconds: int = 30, run_id: str = RUN) -> Ledger:
    ledger = Ledger()
    for _ in range(messages):
        ledger.message(run_id, NOW - timedelta(seconds=seconds))
    return ledger


def failing(runs: int) -> Ledger:
    ledger = Ledger()
    for _ in range(runs):
        ledger.failed(NOW - timedelta(hours=1))
    return ledger


def stood(state: TradingState) -> Ledger:
    ledger = Ledger()
    ledger.states.set(state)
    return ledger


def holding(legs: dict[str, int]) -> Ledger:
    """Our journals say that position 4712 holds these legs."""
    ledger = Ledger()
    held = {name: D(quantity) for name, quantity in legs.items()}
    ledger.positions.know({"4712": {"account": "PAPER-1", "legs": held}})
    return ledger


def sold(*, limit: str) -> Order:
    """A condor that is sold, at a limit; its width is 25."""
    return order(CONDOR, limit=limit)


def at_broker(made: Order, **facts_: object) -> Order:
    return replace(with_facts(made, **{"agent_age_ms": 300, **facts_}), method="SendOrder")


def marked() -> Ledger:
    ledger = Ledger()
    ledger.mark("PAPER-1", "far_put: 1 instead of 2", position_id=4712)
    return ledger


ALL_LIVE = replace(HERE, live_accounts=frozenset({"PAPER-1"}), acknowledged=True, allow_live=True)
SPREAD = at_broker(
    order(
        [
            ("long", contract("put", 5900), 1, quote("20.00", "20.20")),
            ("short", contract("put", 5895), -1, quote("19.95", "20.15")),
        ]
    )
)
# The near put of the calendar, bought, in another position.
OTHER_WAY = [(name, what, -quantity, quoted) for name, what, quantity, quoted in CALENDAR[:1]]
LEGS_AT = {"near_put": D("55.00"), "far_put": D("98.00")}
PAID_MORE = replace(order(), legs=tuple(replace(leg, price=LEGS_AT[leg.name]) for leg in order().legs))

SPOILED = [
    spoiled("C01", "account_not_allowed", order(account="PAPER-2")),
    spoiled("C01", "live_refused", with_facts(order(), is_paper=False), here=ALL_LIVE, live="allowed"),
    spoiled("C02", "symbol_not_allowed", order(symbol="XSP")),
    spoiled("C02", "symbol_not_allowed", symbols=["XSP"]),
    spoiled("C02", "root_not_allowed", roots=["SPX"]),
    spoiled("C02", "strategy_not_allowed", strategies=[102]),
    spoiled("C02", "expiry_not_allowed", max_days_to_expiry=59),
    spoiled("C03", "contracts_per_order", max_contracts_per_order=3),
    spoiled("C03", "rail_not_set", max_contracts_per_order=None),
    spoiled("C03", "contracts_per_run", max_contracts_per_order=4, max_contracts_per_day=99, ledger=filled(*[closing()] * 10)),
    spoiled("C03", "contracts_per_day", max_contracts_per_order=4, ledger=filled(*[closing()] * 10, run_id="other")),
    spoiled("C04", "order_premium", max_order_premium=8000),
    spoiled("C04", "rail_not_set", max_order_premium=None),
    spoiled("C04", "order_loss", max_order_loss=8000),
    spoiled("C04", "rail_not_set", max_order_loss=None),
    spoiled("C04", "open_loss", max_open_loss=8000),
    spoiled("C04", "open_loss", with_facts(order(), open_legs=opened(CONDOR)), max_open_loss=9000),
    spoiled("C04", "open_loss", max_open_loss=9000, ledger=alive(order(CONDOR, exec_plan_id=7009))),
    spoiled("C04", "open_loss", max_open_loss=9000, ledger=alive(order(CONDOR, exec_plan_id=7009), run_id="other")),
    spoiled("C04", "rail_not_set", max_open_loss=None),
    spoiled("C04", "fact_missing", with_facts(order(), open_legs=opened(CONDOR, priced=False))),
    spoiled("C04", "fact_missing", with_facts(order(), net_liquidation=None), max_order_loss="5% of net_liquidation", max_daily_loss=1000),
    spoiled("C04", "stress_loss", max_stress_loss={"move": "8%", "loss": 100}),
    spoiled("C04", "fact_missing", with_facts(order(), underlying_mark=None), max_stress_loss={"move": "8%", "loss": 99999}),
    spoiled("C05", "distance_from_mid", order(worse="2.05")),
    spoiled("C05", "distance_from_mid", order(worse="-2.05")),
    spoiled("C05", "rail_not_set", max_distance_from_mid=None),
    spoiled("C05", "fact_missing", max_distance_from_mid="5% of strike_width"),
    spoiled("C06", "beyond_worst", with_group(order(), worst=D("42.60"))),
    spoiled("C06", "beyond_worst", PAID_MORE),
    spoiled("C06", "price_missing", with_group(order(), worst=D("NaN"))),
    spoiled("C06", "price_missing", replace(order(), legs=tuple(replace(leg, price=None) for leg in order().legs))),
    spoiled("C07", "quote_unusable", with_facts(order(), as_of=NOW - timedelta(milliseconds=4801))),
    spoiled("C07", "clock_backwards", with_facts(order(), as_of=NOW + timedelta(milliseconds=1))),
    spoiled("C08", "limit_sign", replace(SPREAD, groups=(replace(SPREAD.groups[0], limit=D("-0.05")),)), max_distance_from_mid=9),
    spoiled("C08", "credit_beyond_width", sold(limit="-25.05"), max_distance_from_mid="unlimited"),
    spoiled("C08", "legs_overlap", with_facts(order(), open_legs=opened(CALENDAR)), max_contracts_per_order=10),
    spoiled("C08", "legs_overlap", with_facts(order(), open_legs=opened(OTHER_WAY)), overlap="same_side"),
    spoiled("C08", "legs_per_order", at_broker(order(CONDOR)), max_legs_per_order=3),
    spoiled("C09", "duplicate_order", ledger=alive(order(exec_plan_id=7009))),
    spoiled("C09", "duplicate_order", closing(), ledger=alive(closing(exec_plan_id=7009), run_id="other")),
    spoiled("C09", "duplicate_entry", ledger=filled(order(exec_plan_id=7009), run_id="other")),
    spoiled("C10", "messages_per_minute", ledger=cancelled(30)),
    spoiled("C10", "messages_per_run", ledger=cancelled(120, seconds=90)),
    spoiled("C10", "messages_per_day", ledger=cancelled(400, seconds=90, run_id="other")),
    spoiled("C11", "runs_per_session", here=replace(HERE, run_number=21)),
    spoiled("C11", "fact_missing", here=replace(HERE, run_number=None)),
    spoiled("C12", "open_orders", max_open_orders=1, ledger=alive(order(CONDOR, exec_plan_id=7009), run_id="other")),
    spoiled("C12", "open_orders_value", max_open_orders_value=8000),
    spoiled("C13", "session_window", session_window={"before_close": "31m"}),
    spoiled("C13", "no_trade_date", no_trade_dates=["2025-01-17"]),
    spoiled("C14", "daily_loss", with_facts(order(), day_pnl=D("-2500"))),
    spoiled("C14", "daily_loss", with_facts(order(kind="adjustment"), day_pnl=D("-2500"))),
    spoiled("C14", "day_pnl_unknown", with_facts(order(), day_pnl=None)),
    spoiled("C14", "fact_missing", with_facts(order(), net_liquidation=None)),
    spoiled("C14", "rail_not_set", max_daily_loss=None),
    spoiled("C15", "fact_missing", at_broker(order(), agent_age_ms=None)),
    spoiled("C15", "heartbeat", at_broker(order(), agent_age_ms=14_701)),
    spoiled("C18", "reducing", ledger=stood(TradingState("REDUCING", "ann", "the market is odd", NOW))),
    spoiled("C20", "error_budget", ledger=failing(5)),
    spoiled("C21", "account_marked", ledger=marked()),
    spoiled("C22", "not_reconciled", ledger=holding({"near_put": -2, "far_put": 2})),
    spoiled("C23", "not_durable", here=replace(HERE, durable=False)),
    spoiled("C24", "semantics_differ", here=replace(HERE, semantics=2)),
    spoiled("C24", "semantics_differ", here=replace(HERE, pinned_semantics=None)),
    spoiled("C24", "program_differs", here=replace(HERE, program="other")),
    spoiled("C24", "program_differs", here=replace(HERE, program="", pinned_program="")),
    spoiled("C24", "policy_looser", here=replace(HERE, policy_accepted=False)),
]  # fmt: skip


@pytest.mark.parametrize("wrong", SPOILED, ids=lambda wrong: f"{wrong.control}-{wrong.code}")
def test_a_rail_refuses_what_it_is_there_for_and_no_other_does(wrong: Spoiled) -> None:
    assert wrong.judge(RAILS) == [wrong.code]


def always_held(rail: Rail) -> Rail:
    def judge(_: Case) -> Iterable[RailLine]:
        return [RailLine(rail.skipped or Code.NOT_DURABLE, "held", {}, rail.control)]

    return replace(rail, judge=judge)


def caught_by(rails: Iterable[Rail]) -> list[str]:
    """The spoiled orders that these rails let through, by code: what the test above would report."""
    chosen = tuple(rails)
    return [wrong.code for wrong in SPOILED if wrong.judge(chosen) != [wrong.code]]


@pytest.mark.parametrize("control", [rail.control for rail in RAILS])
def test_a_rail_that_always_held_is_noticed(control: str) -> None:
    mutant = [always_held(rail) if rail.control == control else rail for rail in RAILS]
    assert caught_by(mutant) == [wrong.code for wrong in SPOILED if wrong.control == control] != []


@pytest.mark.parametrize("control", [rail.control for rail in RAILS])
def test_a_rail_that_is_left_out_is_noticed(control: str) -> None:
    assert caught_by(rail for rail in RAILS if rail.control != control) != []


def test_facts_of_no_known_time_are_refused_by_all_who_count_from_it() -> None:
    verdict = judged(with_facts(order(), as_of=None))
    assert [(line.control, line.code) for line in verdict.refusals] == [
        ("C07", "fact_missing"), ("C15", "fact_missing"), ("C22", "fact_missing"),
    ]  # fmt: skip


# --- fail closed -------------------------------------------------------------------------------------------------------

NOT_A_NUMBER = st.sampled_from([D("NaN"), D("-NaN"), D("sNaN"), D("Infinity"), D("-Infinity")])
BAD = st.one_of(st.none(), NOT_A_NUMBER)


@given(st.one_of(BAD, st.just(D(0))), st.sampled_from(["bid", "ask", "both"]), st.booleans())
def test_a_reference_that_is_missing_zero_or_not_finite_is_refused(
    bad: D | None, side: str, exit_: bool
) -> None:
    made = closing(CALENDAR) if exit_ else order()
    bid = bad if side in ("bid", "both") else D(0)
    ask = bad if side in ("ask", "both") else D(0)
    spoilt = with_quotes(made, Quote(bid, ask, None, 200, 200))
    codes = refused(judged(spoilt))
    assert "reference_missing" in codes
    assert "quote_unusable" in codes


@given(st.sampled_from(["day_pnl", "net_liquidation"]), BAD)
def test_a_figure_of_the_account_that_is_no_number_is_refused(fact: str, bad: D | None) -> None:
    assert not judged(with_facts(order(), **{fact: bad})).passed


@given(st.one_of(BAD, st.just(D(0)), st.just(D(-1))))
def test_a_mark_that_is_no_number_is_refused_where_it_is_needed(bad: D | None) -> None:
    made = with_facts(order(), underlying_mark=bad)
    assert not judged(made, max_stress_loss={"move": "8%", "loss": 10**9}).passed


@given(st.sampled_from(["limit", "worst"]), NOT_A_NUMBER)
def test_a_price_that_is_no_number_is_refused(name: str, bad: D) -> None:
    assert not judged(with_group(order(), **{name: bad})).passed


@given(NOT_A_NUMBER, st.sampled_from(["quantity", "price"]))
def test_an_open_leg_that_is_no_number_is_refused(bad: D, name: str) -> None:
    legs = tuple(replace(leg, **{name: bad}) for leg in opened(CONDOR))
    assert not judged(with_facts(order(), open_legs=legs)).passed


@given(NOT_A_NUMBER)
def test_a_leg_price_that_is_no_number_is_refused(bad: D) -> None:
    assert not judged(replace(order(), legs=tuple(replace(leg, price=bad) for leg in order().legs))).passed


@given(st.integers(1, 10**7), st.booleans(), st.booleans())
def test_a_clock_that_goes_backwards_is_refused(milliseconds: int, exit_: bool, by_ledger: bool) -> None:
    ahead = NOW + timedelta(milliseconds=milliseconds)
    made, ledger = (closing() if exit_ else order()), Ledger()
    if by_ledger:
        ledger.message(RUN, ahead)
    else:
        made = with_facts(made, as_of=ahead)
    assert refused(judged(made, ledger=ledger)) == ["clock_backwards"]


def test_another_runs_clock_is_its_own() -> None:
    ledger = Ledger()
    ledger.message("another-run", NOW + timedelta(days=300))
    assert judged(order(), ledger=ledger).passed


@given(st.integers(-60, 60).map(lambda ticks: D(ticks) / 20))
def test_the_collar_lets_through_exactly_what_is_within_it(worse: D) -> None:
    verdict = judged(order(worse=str(worse)), max_distance_from_mid=D("0.50"))
    assert verdict.passed == (abs(worse) <= D("0.50"))


def test_a_resend_is_judged_without_itself() -> None:
    made, ledger = order(), Ledger()
    ledger.apply_intent(RUN, made, NOW - timedelta(seconds=2), "buy/fill")
    tight = {
        "max_open_loss": 8600,
        "max_contracts_per_order": 4,
        "max_contracts_per_day": 4,
        "max_open_orders": 1,
    }
    assert judged(order(), ledger=ledger, path="buy/fill", **tight).passed
    assert refused(judged(order(), ledger=ledger, path="buy/other", **tight)) == [
        "contracts_per_day", "open_loss", "duplicate_order", "open_orders",
    ]  # fmt: skip


def test_facts_do_not_change_what_an_exit_may_do() -> None:
    """A stop that closes at a multiple of the credit is not refused by a premium rail, a loss or a mark."""
    made = with_facts(closing(CONDOR), day_pnl=None, net_liquidation=None)
    verdict = judged(made, ledger=marked(), max_order_premium=1, max_order_loss=1)
    assert verdict.passed
    assert facts().is_paper
