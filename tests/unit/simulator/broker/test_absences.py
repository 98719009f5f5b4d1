"""Each edge of an absence happens once, in the order of time, also over a restart."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from mesoflow.simulator.broker.absences import Absences
from tests.support.broker_desk import BrokerDesk


def test_edges_happen_once_in_the_order_of_their_time(tmp_path: Path) -> None:
    desk, second = BrokerDesk(tmp_path / "w"), timedelta(seconds=1)
    desk.faults.broker_restart("TastyTrade", desk.now + 2 * second, 3 * second, new_ids=False)
    desk.faults.agent_away("IBKR", desk.now + second, 9 * second)
    absences, seen = Absences(desk.world.store, desk.faults), []
    while (edge := absences.next()) is not None:
        seen.append(((edge.at - desk.now).total_seconds(), edge.who, edge.is_back, edge.new_ids))
        with desk.world.core.change(desk.now):
            absences.crossed(edge)
    assert seen == [(1, "IBKR", False, None), (5, "TastyTrade", True, False), (10, "IBKR", True, None)]


def test_what_has_happened_is_not_repeated_after_a_restart(tmp_path: Path) -> None:
    desk = BrokerDesk(tmp_path / "w")
    desk.faults.agent_away("IBKR", desk.now + timedelta(seconds=1), timedelta(seconds=9))
    desk.wait(5)
    desk.close()
    again = BrokerDesk(tmp_path / "w", faults=desk.faults)
    again.wait(60)
    statuses = [event["Status"] for event in again.events("AgentStatusEvent")]
    assert statuses == ["Connected", "Connected", "Disconnected", "Connected"]
