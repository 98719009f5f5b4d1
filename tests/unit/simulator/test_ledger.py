"""The ledger agrees with the world, and notices when it does not."""

from decimal import Decimal
from pathlib import Path

from mesoflow.simulator.ledger import Executed
from tests.support.broker_desk import BrokerDesk
from tests.support.worlds import Desk


def held_by_the_world(desk: Desk, account: str = "PAPER-1") -> dict[tuple[str, str], Decimal]:
    held: dict[tuple[str, str], Decimal] = {}
    for holding in desk.world.positions.held(account):
        place = (account, str(holding.option))
        held[place] = held.get(place, Decimal(0)) + holding.qty
    return {place: qty for place, qty in sorted(held.items()) if qty}


def test_the_ledger_adds_up_to_the_positions(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    first = desk.fill(desk.prepare_entry("p1"), "f1", qty_multiplier=2)["PositionId"]
    desk.fill(desk.prepare_entry("p2"), "f2")
    ledger = desk.world.ledger
    assert len(ledger.positions()) == 4
    assert ledger.positions() == held_by_the_world(desk)
    desk.fill(desk.prepare_exit(first), "f3")
    assert len(ledger.positions()) == 2
    assert ledger.positions() == held_by_the_world(desk)
    assert ledger.keys() == {"f1": 1, "f2": 1, "f3": 1}
    account = desk.ok("GetAccount", broker_account_id="PAPER-1")["Account"]
    assert account["Cash"] == Decimal("250000.00") + ledger.cash()["PAPER-1"]


def test_a_key_that_was_executed_twice_is_seen(tmp_path: Path) -> None:
    """The mutant: a world without its idempotency store, here written by hand."""
    desk = Desk(tmp_path / "w")
    desk.fill(desk.prepare_entry(), "f1")
    with desk.world.core.change(desk.now):
        desk.world.ledger.executed_call(Executed(desk.now, "ApplyPaperFills", "f1", "PAPER-1", 5001))
    assert desk.world.ledger.keys() == {"f1": 2}


def test_a_position_without_a_fill_is_seen(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    desk.fill(desk.prepare_entry(), "f1")
    with desk.world.core.change(desk.now):
        desk.world.store.run("DELETE FROM ledger WHERE leg = 'long_put'")
    assert desk.world.ledger.positions() != held_by_the_world(desk)


def test_facts_leave_out_times_and_keys(tmp_path: Path) -> None:
    facts = []
    for name, key in (("a", "k1"), ("b", "k2")):
        desk = Desk(tmp_path / name)
        plan = desk.prepare_entry("p")
        fills = {leg: {"price": "50"} for leg in plan["LegPrices"]}
        desk.wait(1 if name == "a" else 60)
        desk.ok(
            "ApplyPaperFills", idempotency_key=key, exec_plan_id=plan["ExecPlanId"], paper_leg_fills=fills
        )
        facts.append(desk.world.ledger.facts())
    assert facts[0] == facts[1] and len(facts[0]) == 3


def test_orders_and_their_fills_add_up_to_the_positions(tmp_path: Path) -> None:
    desk = BrokerDesk(tmp_path / "w")
    plan = desk.plan(lots=2)
    filled = desk.send(plan, desk.price(plan, "1") + Decimal("0.30"))
    desk.ended(filled)
    resting = desk.send(plan, desk.price(plan, "0"), "order-2")
    ledger = desk.world.ledger
    assert ledger.positions() == held_by_the_world(desk, "IB-1") != {}
    assert [(o.id, o.key, o.packages, o.filled, o.phase, o.alive) for o in ledger.orders()] == [
        (filled, "order-1", 2, 2, "filled", False),
        (resting, "order-2", 2, 0, "sent", True),
    ]
    account = desk.ok("GetAccount", broker_account_id="IB-1")["Account"]
    assert account["Cash"] == Decimal("250000.00") + ledger.cash()["IB-1"]
    sent = [call for call in ledger.executed() if call.operation == "SendOrder"]
    assert [call.key for call in sent] == ["order-1", "order-2"]
