"""What one durable effect costs, against one bare SQLite WAL FULL commit of 500 bytes on the same disk in the same run,
and against DBOS on SQLite doing no-op steps. `python -m benchmarks.effects [FOLDER]`.

The run is the real one (interpreter, codec, journal, rails, send gate); the hub answers at once and in process, so that
what is measured is ours. Goals: at most 2.0 commits for a trading effect with its rails; one sync an effect in a sequence
(counted by the journal's VFS); at least 8 times cheaper than a DBOS step.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import apsw

from mesoflow.engine.action import Context
from mesoflow.engine.control import Machine
from mesoflow.engine.program import ForEach, Program, Step
from mesoflow.journal.codec import decode
from mesoflow.journal.records import Entry
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.runtime.commits import Committer
from mesoflow.runtime.crashpoints import CrashPoints
from mesoflow.runtime.run import Run
from mesoflow.runtime.setting import Setting
from tests.support.gates import practice_gate
from tests.support.memory_hub import MemoryHub, MemoryWorld
from tests.support.rig import NONCE, RigClock
from tests.support.toys import T0, TOYS
from tests.support.vfs import RecordingVfs

EFFECTS = 500
ROUNDS = 7

READS = Program(
    "reads",
    (Step("each", "toy.look", {"account": "{{ loop.item }}"}, for_each=ForEach("{{ inputs.items }}")),),
)
TRADES = Program(
    "trades",
    (Step("each", "toy.trade", {"plan": "{{ loop.item }}"}, for_each=ForEach("{{ inputs.items }}")),),
)


class InstantHub(MemoryHub):
    """Answers without a pause. Orders of one run lie minutes apart, as they do: each answer takes two on its clock."""

    def __init__(self, world: MemoryWorld, clock: RigClock) -> None:
        super().__init__(world)
        self._clock = clock

    async def invoke(self, method: str, argument: bytes, *, within: timedelta) -> Any:
        self._clock.base += timedelta(minutes=2)
        return self._world.call(method, decode(argument), argument)


def sequence(folder: Path, program: Program, vfs: str | None = None) -> float:
    """Seconds a run of EFFECTS effects takes, one after another, start and end included."""
    journal = SqliteJournal.open(folder / "journal.db", vfs=vfs)
    try:
        begun = perf_counter()
        asyncio.run(_run(journal, program))
        return perf_counter() - begun
    finally:
        journal.close()


async def _run(journal: SqliteJournal, program: Program) -> None:
    loop = asyncio.get_running_loop()
    clock = RigClock(T0 - timedelta(seconds=loop.time()), loop)
    crash = CrashPoints()
    committer = Committer(journal, crash, failed=_raise)
    setting = Setting(InstantHub(MemoryWorld(clock.now), clock), clock, committer, crash, tell=None)  # type: ignore[arg-type]
    items = list(range(EFFECTS))
    context = Context("bench-1", program.name, "cboe-index-options", T0, account="PAPER-1")
    run = Run(
        "bench-1", NONCE, Machine(program, TOYS, context, {"items": items}), setting, practice_gate("bench-1")
    )
    committer.hold("bench-1", journal.claim("bench-1"))
    committer.add([Entry("bench-1", "started", {"at": T0})])
    ended = await run.go([], T0)
    if getattr(ended, "state", "") != "done":
        raise SystemExit(f"the measured run did not end as it should: {ended}")


def _raise(error: BaseException) -> None:
    raise error


def bare(folder: Path) -> float:
    """Seconds of EFFECTS bare commits of 500 bytes."""
    connection = apsw.Connection(str(folder / "bare.db"))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, body TEXT)")
    text = "x" * 500
    begun = perf_counter()
    for _ in range(EFFECTS):
        connection.execute("INSERT INTO t(body) VALUES(?)", (text,))
    taken = perf_counter() - begun
    connection.close()
    return taken


def syncs(folder: Path) -> dict[str, float]:
    """Syncs of the WAL an effect, as the journal's VFS sees them."""
    counted = {}
    for name, program in (("read", READS), ("trade", TRADES)):
        vfs = RecordingVfs(f"bench-{name}")
        sequence(new(folder, f"sync-{name}"), program, vfs.name)
        counted[name] = sum(1 for what, kind in vfs.events if what == "sync" and kind == "wal") / EFFECTS
    return counted


DBOS_STEPS = """
import sys, time
from dbos import DBOS, DBOSConfig
DBOS(config=DBOSConfig(name="bench", system_database_url=f"sqlite:///{sys.argv[1]}/dbos.db"))
@DBOS.step()
def noop(n): return n
@DBOS.workflow()
def steps(count):
    begun = time.perf_counter()
    for n in range(count): noop(n)
    return time.perf_counter() - begun
DBOS.launch()
print("TAKEN", steps(int(sys.argv[2])))
DBOS.destroy()
"""


def dbos(folder: Path) -> float | None:
    """Seconds of EFFECTS no-op steps of DBOS on SQLite; None where it is not installed."""
    command = [sys.executable, "-c", DBOS_STEPS, str(folder), str(EFFECTS)]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("TAKEN")]
    return float(lines[0].split()[1]) if lines else None


def new(folder: Path, name: str) -> Path:
    """A new folder in the folder."""
    made = folder / name
    made.mkdir(mode=0o700)
    return made


def main(argv: list[str]) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(dir=argv[0] if argv else None) as name:
        folder = Path(name)
        taken: dict[str, list[float]] = {"bare commit": [], "read": [], "trade": []}
        for number in range(ROUNDS):
            taken["bare commit"].append(bare(folder))
            taken["read"].append(sequence(new(folder, f"read-{number}"), READS))
            taken["trade"].append(sequence(new(folder, f"trade-{number}"), TRADES))
        base = median(taken["bare commit"])
        for kind, times in taken.items():
            print(
                f"{kind:14} {median(times) / EFFECTS * 1e6:7.0f} µs   {median(times) / base:5.2f} × bare commit"
            )
        for kind, count in syncs(folder).items():
            print(f"{kind:14} {count:7.2f} syncs an effect")
        steps = dbos(folder)
        if steps is None:
            print("DBOS           not installed: pip install '.[bench]'")
        else:
            each = median(taken["trade"])
            print(
                f"{'DBOS step':14} {steps / EFFECTS * 1e6:7.0f} µs   {steps / each:5.1f} × a trading effect of ours"
            )


if __name__ == "__main__":
    main(sys.argv[1:])
