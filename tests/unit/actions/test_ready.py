"""Each predicate, both ways; what an answer does not tell is never ready."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from mesoflow.actions.ready import READY
from mesoflow.hubs.contract import METHODS
from tests.support.acting import NOW
from tests.support.answers import account, agent, agents, prices, underlying
from tests.support.answers import order as answers_order

AT_MOST_5_S = {"max_age_ms": 5_000}
IBKR, ANY = {"connector": "IBKR"}, {"connector": None}


def holds(
    name: str, method: str, answer: Any, params: dict[str, Any] | None = None, *, after_s: int = 0
) -> bool:
    value = METHODS[method].result_model.read(answer).value()
    return READY[name](value, params or {}, NOW + timedelta(seconds=after_s))


def test_always() -> None:
    assert holds("always", "GetAccount", account())


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("Pending", False),
        ("Running", False),
        ("Completed", True),
        ("Failed", True),
        ("Cancelled", True),
        ("Odd", False),
    ],
)
def test_job_terminal(status: str, ended: bool) -> None:
    answer = {"job_id": "j", "status": status, "created_at": NOW, "updated_at": NOW}
    assert holds("job_terminal", "GetPreparePositionExitStatus", answer) is ended


@pytest.mark.parametrize(
    ("rows", "params", "connected"),
    [
        ([agent("IBKR")], IBKR, True),
        ([agent("TastyTrade")], IBKR, False),
        ([agent("TastyTrade")], ANY, True),
        ([agent("IBKR", connected=False)], IBKR, False),
        ([], ANY, False),
    ],
)
def test_agent_connected(rows: list[Any], params: dict[str, Any], connected: bool) -> None:
    assert holds("agent_connected", "ListAgents", agents(*rows), params) is connected


@pytest.mark.parametrize(("age_s", "fresh"), [(15, True), (16, False), (None, False)])
def test_agent_fresh(age_s: int | None, fresh: bool) -> None:
    answer = agents(agent("TastyTrade"), agent("IBKR", age_s=age_s))
    assert holds("agent_fresh", "ListAgents", answer, IBKR | {"max_age_s": 15}) is fresh


@pytest.mark.parametrize(
    ("answer", "fresh"),
    [
        (underlying(age_ms=5_000), True),
        (underlying(age_ms=5_001), False),
        (underlying(bid=None, ask=None), False),
        ({"prices": None}, False),
        ({"prices": prices("1", "2") | {"mark_age_ms": None}}, False),
        ({"prices": prices("1", "2") | {"snapshot_time": None}}, False),
    ],
)
def test_underlying_fresh(answer: Any, fresh: bool) -> None:
    assert holds("underlying_fresh", "GetUnderlyingSnapshot", answer, AT_MOST_5_S) is fresh


def test_a_quote_ages_after_it_was_taken() -> None:
    answer = underlying(age_ms=2_000)
    assert holds("underlying_fresh", "GetUnderlyingSnapshot", answer, AT_MOST_5_S, after_s=3)
    assert not holds("underlying_fresh", "GetUnderlyingSnapshot", answer, AT_MOST_5_S, after_s=4)


def test_a_clock_that_is_behind_the_hub_makes_no_quote_younger() -> None:
    answer = underlying(age_ms=6_000)
    assert not holds("underlying_fresh", "GetUnderlyingSnapshot", answer, AT_MOST_5_S, after_s=-60)


QUOTES = [
    (prices("1.20", "1.30"), True),
    (prices("0", "0.05"), True),
    (prices("1.30", "1.30"), True),
    (prices("1.40", "1.30"), False),
    (prices("0", "0"), False),
    (prices(None, "1.30"), False),
    (prices("1.20", None), False),
    (prices("-1", "1.30"), False),
    (prices("1.20", "1.30", age_ms=5_001), False),
    (None, False),
]


@pytest.mark.parametrize(("block", "fresh"), QUOTES)
def test_contract_fresh(block: Any, fresh: bool) -> None:
    assert holds("contract_fresh", "GetContractSnapshot", {"prices": block}, AT_MOST_5_S) is fresh


@pytest.mark.parametrize(("block", "fresh"), QUOTES)
def test_legs_fresh(block: Any, fresh: bool) -> None:
    legs = {"leg_prices": {"1": prices("2", "3")} | ({} if block is None else {"2": block})}
    assert holds("legs_fresh", "GetLegsSnapshot", legs, AT_MOST_5_S | {"leg_ids": [1, 2]}) is fresh
    assert not holds("legs_fresh", "GetLegsSnapshot", {"leg_prices": None}, AT_MOST_5_S | {"leg_ids": [1]})


def position(state: str) -> dict[str, Any]:
    return {
        "id": 7,
        "state": state,
        "created_at": NOW,
        "name": "p",
        "broker_account_id": "PAPER-1",
        "live_strategy_id": 101,
        "strategy_name": "s",
    }


GATE = [
    (prices("97.70", "99.10", age_ms=5_000), True),
    (prices("97.70", "99.10", age_ms=5_001), False),
    (prices("97.70", None), False),
    (prices("99.20", "99.10"), False),
    (prices("0.05", "10.00"), False),
    (prices("50", "99"), False),
    (None, False),
]


@pytest.mark.parametrize(("block", "tradable"), GATE)
def test_contract_tradable(block: Any, tradable: bool) -> None:
    assert holds("contract_tradable", "GetContractSnapshot", {"prices": block}, {"sold": True}) is tradable


@pytest.mark.parametrize(("sold", "tradable"), [(True, False), (False, True)])
def test_nobody_bids_for_what_is_sold(sold: bool, tradable: bool) -> None:
    answer = {"prices": prices("0", "0.05")}
    assert holds("contract_tradable", "GetContractSnapshot", answer, {"sold": sold}) is tradable


@pytest.mark.parametrize(("block", "tradable"), [*GATE, (prices("0", "0.05"), False)])
def test_legs_tradable(block: Any, tradable: bool) -> None:
    legs = {"leg_prices": {"1": prices("0", "0.05")} | ({} if block is None else {"2": block})}
    assert holds("legs_tradable", "GetLegsSnapshot", legs, {"leg_ids": [1, 2], "sold": [2]}) is tradable


@pytest.mark.parametrize(
    ("rows", "named", "found"),
    [
        ([position("Open")], None, True),
        ([position("Open")], 7, True),
        ([position("Open")], 8, False),
        ([], None, False),
        ([], 7, False),
    ],
)
def test_position_found(rows: list[Any], named: int | None, found: bool) -> None:
    assert holds("position_found", "ListPositions", {"positions": rows}, {"position_id": named}) is found


@pytest.mark.parametrize(("state", "closed"), [("Closed", True), ("Open", False), ("Odd", False)])
def test_position_closed(state: str, closed: bool) -> None:
    assert holds("position_closed", "GetPosition", {"position": position(state), "legs": []}) is closed


def leg(name: str, qty: int, *, closed: bool = False) -> dict[str, Any]:
    return {
        "id": 1,
        "name": name,
        "live_contract": {"contract_type": "Options", "underlying": {"symbol": "SPX"}},
        "leg_group_id": 1,
        "created_at": NOW,
        "closed_at": NOW if closed else None,
        "live_position_id": 7,
        "account_id": "PAPER-1",
        "underlying": "SPX",
        "qty": qty,
        "avg_entry_price": 1,
    }


@pytest.mark.parametrize(
    ("legs", "token", "agree"),
    [
        ([leg("short", -1), leg("long", 1)], None, True),
        ([leg("short", -1), leg("long", 1), leg("marker", 0), leg("old", 5, closed=True)], None, True),
        ([leg("short", -1), leg("long", 1)], "more", False),
        ([leg("short", -1)], None, False),
        ([leg("short", -1), leg("long", 2)], None, False),
        ([leg("short", -1), leg("long", 1), leg("other", 1)], None, False),
        ([], None, False),
    ],
)
def test_legs_agree(legs: list[Any], token: str | None, agree: bool) -> None:
    expected = {"legs": {"short": Decimal(-1), "long": Decimal(1)}}
    assert holds("legs_agree", "ListLegs", {"legs": legs, "continuation_token": token}, expected) is agree


def test_nothing_open_agrees_with_nothing_expected() -> None:
    closed = {"legs": [leg("short", -1, closed=True)]}
    assert holds("legs_agree", "ListLegs", closed, {"legs": {}})


def fill(name: str | None, qty: int | None, price: str = "1") -> dict[str, Any]:
    return {"leg_name": name, "qty": qty, "price": Decimal(price)}


@pytest.mark.parametrize(
    ("rows", "token", "agree"),
    [
        ([fill("short", -1), fill("long", 1)], None, True),
        ([fill("short", -1), fill("long", 2), fill("long", -1)], None, True),
        ([fill("short", -1)], None, False),
        ([fill("short", -1), fill("long", 1)], "more", False),
        ([fill("short", -2), fill("long", 2)], None, False),
        ([fill(None, -1), fill("long", 1)], None, True),
        ([fill("short", None)], None, True),
        ([fill("short", -1, "1.01"), fill("long", 1, "0.99")], None, True),
        ([fill("short", -1, "1.011"), fill("long", 1)], None, False),
        ([], None, False),
    ],
)
def test_executions_agree(rows: list[Any], token: str | None, agree: bool) -> None:
    expected = {
        "fills": {"short": Decimal(-1), "long": Decimal(1)},
        "prices": {"short": Decimal(1), "long": Decimal(1)},
        "tolerance": Decimal("0.01"),
    }
    answer = {"executions": rows, "continuation_token": token}
    assert holds("executions_agree", "ListExecutions", answer, expected) is agree


def an_order(state: str = "Submitted", filled: int = 0, id: int = 501) -> dict[str, Any]:
    return answers_order(id, 9001, state) | {"cum_qty": filled}


@pytest.mark.parametrize(
    ("state", "filled", "moved"),
    [("Submitted", 0, False), ("PartiallyFilled", 1, True), ("Submitted", 1, True), ("Cancelled", 0, True)],
)
def test_order_moved(state: str, filled: int, moved: bool) -> None:
    known = {"state": "Submitted", "cum_qty": Decimal(0)}
    answer = {"order": an_order(state, filled)}
    assert holds("order_moved", "GetOrder", answer, {"known": known}) is moved


def test_an_order_of_which_nothing_is_known_has_moved() -> None:
    unseen = {"state": "", "cum_qty": Decimal(0)}
    assert holds("order_moved", "GetOrder", {"order": an_order()}, {"known": unseen})


@pytest.mark.parametrize(
    ("state", "over"),
    [
        ("Pending", False),
        ("Submitted", False),
        ("PartiallyFilled", False),
        ("PendingCancel", False),
        ("Inactive", False),
        ("Filled", True),
        ("Cancelled", True),
        ("Rejected", True),
        ("Expired", True),
    ],
)
def test_order_terminal(state: str, over: bool) -> None:
    """A state that nobody knows is alive (lesson A2: thetagang #709, Inactive read as done)."""
    assert holds("order_terminal", "GetOrder", {"order": an_order(state)}, {}) is over


def test_order_reason() -> None:
    told = an_order("Rejected") | {"rejection": {"code": "201", "reason": "no margin"}}
    for row, known in (an_order("Rejected"), False), (told, True):
        assert holds("order_reason", "GetOrder", {"order": row}) is known


@pytest.mark.parametrize(
    ("rows", "over"),
    [
        ([an_order("Cancelled")], True),
        ([an_order("Submitted")], False),
        ([an_order("Filled", id=502)], False),
        ([], False),
    ],
)
def test_listed_order_terminal(rows: list[Any], over: bool) -> None:
    answer = {"orders": rows, "continuation_token": None}
    assert holds("listed_order_terminal", "ListOrders", answer, {"order_id": 501}) is over


@pytest.mark.parametrize(
    ("rows", "known", "listed"), [([an_order()], [], True), ([an_order()], [501], False), ([], [], False)]
)
def test_order_listed(rows: list[Any], known: list[int], listed: bool) -> None:
    answer = {"orders": rows, "continuation_token": None}
    assert holds("order_listed", "ListOrders", answer, {"group": 1, "known": known}) is listed


def test_executions_of_nothing_agree_when_there_are_none() -> None:
    expected = {"fills": {}, "prices": {}, "tolerance": Decimal("0.01")}
    for rows, agree in ([], True), ([fill("short", -1)], False):
        answer = {"executions": rows, "continuation_token": None}
        assert holds("executions_agree", "ListExecutions", answer, expected) is agree


def test_every_predicate_is_tested_here() -> None:
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert set(READY) <= tested
