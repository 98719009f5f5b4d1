"""What a person does at the portal: it is told and counted, and it is no trade."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mesoflow.simulator.world.errors import Refused
from tests.support.worlds import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "w")
    desk.fill(desk.prepare_entry())
    return desk


def realized(desk: Desk) -> tuple[Any, Any]:
    """Of leg 2001 as it is listed and as it is streamed."""
    leg = desk.ok("GetLeg", leg_id=2001)["Leg"]
    figures = desk.ok("GetLegSnapshot", leg_id=2001, include="PnL")["PnL"]
    return (leg["UserSetRealizedPnL"], leg["TrackedRealizedPnL"]), figures["Realized"]


def events(desk: Desk, since: int) -> list[tuple[str, str, Any]]:
    found = desk.ok("GetEventsSince", event_seq_id=since)["Events"]
    return [(row["EventType"], row["Event"]["Status"], row["Event"]["RealizedPnL"]) for row in found]


def test_what_is_set_counts_until_it_is_reset(desk: Desk) -> None:
    by_hand = desk.world.by_hand
    desk.fill(desk.prepare_exit(1001), key="f2")
    (before, tracked), shown = realized(desk)
    assert before is None and tracked == shown != 0
    latest = desk.world.events.latest
    by_hand.set_realized_pnl(2001, Decimal("-12.5"), desk.now)
    assert realized(desk) == ((Decimal("-12.5"), tracked), Decimal("-12.5"))
    other = desk.ok("GetLeg", leg_id=2002)["Leg"]["TrackedRealizedPnL"]
    assert events(desk, latest) == [
        ("LegUpdateEvent", "RealizedPnLChanged", Decimal("-12.5")),
        ("PositionUpdateEvent", "RealizedPnLChanged", other - Decimal("12.5")),
    ]
    by_hand.set_realized_pnl(2001, Decimal(0), desk.now)
    assert realized(desk)[1] == 0, "nothing, set by hand, is something"
    by_hand.reset_realized_pnl(2001, desk.now)
    assert realized(desk) == ((None, tracked), tracked)


def test_nothing_is_traded(desk: Desk) -> None:
    cash, executions = desk.ok("GetAccount", broker_account_id="PAPER-1")["Account"]["Cash"], 2
    held = desk.world.ledger.positions()
    desk.world.by_hand.set_realized_pnl(2001, Decimal(100), desk.now)
    desk.world.by_hand.set_closed(1001, desk.now)
    assert desk.ok("GetAccount", broker_account_id="PAPER-1")["Account"]["Cash"] == cash
    assert len(desk.ok("ListExecutions")["Executions"]) == executions
    assert desk.world.ledger.positions() == held, "the broker holds what it held"
    detail = desk.ok("GetPosition", position_id=1001)
    assert detail["Position"]["State"] == "Closed"
    assert all(leg["ClosedAt"] is not None for leg in detail["Legs"])


def test_what_is_not_possible_is_refused_and_changes_nothing(desk: Desk) -> None:
    by_hand, before = desk.world.by_hand, desk.world.dump()
    for amount in ("0.001", "1000000", "-1000000"):
        with pytest.raises(Refused, match="is not an amount in whole cents below 1000000"):
            by_hand.set_realized_pnl(2001, Decimal(amount), desk.now)
    with pytest.raises(Refused, match="there is no leg 9"):
        by_hand.reset_realized_pnl(9, desk.now)
    with pytest.raises(Refused, match="there is no position 9"):
        by_hand.set_closed(9, desk.now)
    assert desk.world.dump() == before
    by_hand.set_closed(1001, desk.now)
    with pytest.raises(Refused, match="position 1001 is closed"):
        by_hand.set_closed(1001, desk.now)
