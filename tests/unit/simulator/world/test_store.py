"""What a world's folder survives, and what it notices."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mesoflow.simulator.world.errors import WorldDamaged, WorldHeld
from mesoflow.simulator.world.schema import FORMAT, MISSING
from mesoflow.simulator.world.store import COUNT, DATABASE, Store, moment_of, written

AT = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)


def commit(store: Store, at: datetime = AT) -> None:
    with store.change(at):
        store.next_id("plans")


def test_one_process_holds_a_world(tmp_path: Path) -> None:
    first = Store(tmp_path / "w")
    with pytest.raises(WorldHeld) as caught:
        Store(tmp_path / "w")
    assert str(caught.value) == f"the simulated world {tmp_path / 'w'} is held by process {os.getpid()}"
    first.close()
    Store(tmp_path / "w").close()


def test_a_world_s_folder_is_its_owner_s_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "w")
    commit(store)
    assert (tmp_path / "w").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "w").iterdir()} == {0o600}


def test_a_change_is_whole_or_not_at_all(tmp_path: Path) -> None:
    store = Store(tmp_path / "w")
    commit(store)
    with pytest.raises(RuntimeError), store.change(AT + timedelta(hours=1)):
        store.next_id("plans")
        raise RuntimeError
    assert (store.get("next plans"), store.get("commits"), store.get("last_time")) == (5002, 1, written(AT))
    commit(store)
    assert (store.get("next plans"), store.get("commits")) == (5003, 2)


def test_a_world_s_last_time_never_goes_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "w")
    commit(store, AT)
    commit(store, AT - timedelta(hours=1))
    assert moment_of(store.get("last_time")) == AT


def test_times_sort_as_text() -> None:
    moments = [AT, AT + timedelta(microseconds=1), AT + timedelta(seconds=1), AT + timedelta(days=400)]
    assert sorted(map(written, moments)) == list(map(written, moments))
    assert [moment_of(written(moment)) for moment in moments] == moments


KILLED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from mesoflow.simulator.world.store import Store
store = Store(Path(sys.argv[1]))
while True:
    with store.change(datetime(2025, 1, 16, 15, 0, tzinfo=UTC)):
        id = store.next_id("plans")
    print(id, flush=True)
"""


def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "w")], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert process.stdout is not None
    for _ in range(200):
        acknowledged = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
    process.wait()
    store = Store(tmp_path / "w")
    assert store.get("next plans") - 1 >= acknowledged >= 5200
    commit(store)


def test_lost_changes_are_noticed_by_their_count(tmp_path: Path) -> None:
    store = Store(tmp_path / "w")
    for _ in range(3):
        commit(store)
    store.close()
    (tmp_path / "w" / COUNT).write_text(f"{5:020d}")
    with pytest.raises(WorldDamaged, match="its last 2 changes are lost, as after a power failure"):
        Store(tmp_path / "w")


def test_a_count_that_lags_is_no_damage(tmp_path: Path) -> None:
    """Killed between the commit and the count."""
    store = Store(tmp_path / "w")
    commit(store)
    commit(store)
    store.close()
    (tmp_path / "w" / COUNT).write_text(f"{1:020d}")
    Store(tmp_path / "w").close()


def test_what_is_no_database_is_named_and_let_go(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / DATABASE).write_bytes(b"nothing of the kind" * 300)
    for _ in range(2):
        with pytest.raises(
            WorldDamaged, match="file is not a database; remove the folder to begin a new one"
        ):
            Store(tmp_path / "w")


def test_a_later_format_is_not_touched(tmp_path: Path) -> None:
    store = Store(tmp_path / "w")
    with store.change(AT):
        store.set("format", 99)
    store.close()
    with pytest.raises(WorldDamaged, match="its format is 99, this version reads 3"):
        Store(tmp_path / "w")


def test_an_older_world_is_brought_up(tmp_path: Path) -> None:
    store = Store(tmp_path / "w")
    schema = store.rows("SELECT name, sql FROM sqlite_master ORDER BY name")
    with store.change(AT):
        store.set("format", 2)
        store.run("DROP TABLE signals")
    store.close()
    again = Store(tmp_path / "w")
    assert again.get("format") == FORMAT and not again.new
    assert again.rows("SELECT name, sql FROM sqlite_master ORDER BY name") == schema
    again.close()


def test_every_older_format_has_a_way_to_this_one() -> None:
    assert list(MISSING) == list(range(min(MISSING), FORMAT))
