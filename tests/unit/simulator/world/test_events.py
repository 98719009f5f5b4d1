"""The history: numbered, replayed in pages, told after the commit."""

from pathlib import Path

import pytest

from mesoflow.simulator.world.world import World
from tests.support.worlds import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "w")


def test_a_replay_page_by_page_is_the_history(desk: Desk) -> None:
    for n in range(4):
        desk.fill(desk.prepare_entry(f"p{n}"), key=f"f{n}")
    whole = desk.ok("GetEventsSince", event_seq_id=0)["Events"]
    assert [row["EventSeqId"] for row in whole] == list(range(1, 19))
    token, found = None, []
    while True:
        answer = desk.ok("GetEventsSince", event_seq_id=3, limit=4, continuation_token=token)
        found, token = found + answer["Events"], answer["ContinuationToken"]
        if token is None:
            break
    assert found == whole[3:]
    assert desk.ok("GetLatestEventSeqId") == {
        "LatestEventSeqId": 18,
        "SnapshotTime": desk.now.isoformat().replace("+00:00", "Z"),
    }


def test_events_that_come_meanwhile_are_on_a_later_page(desk: Desk) -> None:
    first = desk.ok("GetEventsSince", event_seq_id=0, limit=1)
    desk.prepare_entry()
    second = desk.ok(
        "GetEventsSince", event_seq_id=0, limit=10, continuation_token=first["ContinuationToken"]
    )
    assert [row["EventSeqId"] for row in first["Events"] + second["Events"]] == [1, 2, 3]


def test_ids_are_unique_and_the_payload_repeats_its_number(desk: Desk) -> None:
    desk.fill(desk.prepare_entry())
    events = desk.ok("GetEventsSince", event_seq_id=0)["Events"]
    assert len({row["Event"]["EventId"] for row in events}) == len(events)
    assert all(row["Event"]["EventSeqId"] == row["EventSeqId"] for row in events)


def test_what_was_rolled_back_is_not_told(tmp_path: Path) -> None:
    world = World(tmp_path / "w")
    told: list[int] = []
    world.events.listeners.append(lambda _, __, event: told.append(event.event_seq_id))
    fields = {"status": "Disconnected", "message": "gone", "connector": "IBKR"}
    with pytest.raises(RuntimeError), world.core.change(world.last_time):
        world.events.add("AgentStatusEvent", world.last_time, fields)
        raise RuntimeError
    assert (told, world.events.latest) == ([], 2)
    with world.core.change(world.last_time):
        world.events.add("AgentStatusEvent", world.last_time, fields)
        assert told == []
    assert told == [3]
