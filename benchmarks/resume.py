"""A long run, resumed inside the process: from opening the journal to the launch of the first effect that is new.
`python -m benchmarks.resume [FOLDER]`. Goal: at most 0.5 s with 10,000 settled effects, and linear to 40,000.

check      the journal opened, its length held against the head, the run's chain verified
read       every record read, verified against the chain again, and decoded
replay     the inputs fed to a new interpreter in their order, each effect's digest compared, ledger and views folded
new        what is left until the first new effect is asked of the world

Two shapes: one action that asks for everything, and a loop with a step for each effect, which evaluates its templates and
validates its inputs anew, as a playbook's steps are. Seconds of processor: nothing of it waits for anything but the page cache,
and who else is busy on the machine does not count. Against 10,000 bare reads of the same texts by SQLite, with `json.loads`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import apsw

from benchmarks._goals import at_most
from benchmarks.effects import ACTIONS, BenchClock, InstantHub
from mesoflow.engine.action import Context
from mesoflow.engine.control import Machine, run_playbook
from mesoflow.engine.effects import Done
from mesoflow.engine.interpreter import Interpreter
from mesoflow.engine.program import ForEach, Program, Step
from mesoflow.journal.records import Entry, Record
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.runtime.bodies import effect_digest, settled, trip
from mesoflow.runtime.commits import Committer
from mesoflow.runtime.core import changes_world
from mesoflow.runtime.crashpoints import CrashPoints
from mesoflow.runtime.run import Parked, Run
from mesoflow.runtime.setting import Progress, Setting
from tests.support.gates import practice_gate
from tests.support.memory_hub import MemoryWorld
from tests.support.rig import NONCE
from tests.support.toys import T0

RUN = "bench-1"
COUNTS = (10_000, 40_000)
ROUNDS = 5
GOAL_S = 0.5
ANSWER = {
    "account": {
        "broker_account_id": "PAPER-1",
        "broker_type": "Paper",
        "currency": "USD",
        "is_paper_account": True,
        "cash": "250000.00",
        "created_at": T0,
    }
}


def one_action(count: int) -> Program:
    return Program("one-action", (Step("each", "bench.look", {"count": count}),))


def a_step_each(count: int) -> Program:
    step = Step("each", "toy.look", {"account": "{{ loop.item }}"}, for_each=ForEach("{{ inputs.items }}"))
    return Program("a-step-each", (step,))


SHAPES = {"one action": one_action, "a step each": a_step_each}


def machine_of(program: Program, count: int) -> Machine:
    context = Context(RUN, program.name, "cboe-index-options", T0, account="PAPER-1")
    return Machine(program, ACTIONS, context, {"items": list(range(count))})


def write(path: Path, program: Program, count: int) -> None:
    """The journal of a run that has come so far: the interpreter's own effects, settled one after another."""
    journal = SqliteJournal.open(path)
    machine = machine_of(program, count + 1)
    interpreter = Interpreter(run_playbook(machine), changes_world=changes_world, tick=machine.tick)
    entries, turn = [Entry(RUN, "started", {"at": T0})], interpreter.start(T0)
    for number in range(count):
        ((effect_path, effect),) = turn.perform
        at = T0 + timedelta(seconds=number)
        outcome, stored = trip(Done(ANSWER))
        entries.append(Entry(RUN, "settled", settled(effect_path, stored, effect_digest(effect), at)))
        turn = interpreter.settle(effect_path, outcome, at)
        if len(entries) >= 500:
            journal.commit(entries)
            entries = []
    if entries:
        journal.commit(entries)
    journal.close()


class Marks:
    """Stages of one resume, in seconds."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}
        self._began = self._last = process_time()

    def note(self, stage: str) -> None:
        now = process_time()
        self.stages[stage] = now - self._last
        self.stages["whole"] = now - self._began
        self._last = now


def resume(path: Path, program: Program, count: int) -> dict[str, float]:
    """One resume."""
    marks = Marks()
    journal = SqliteJournal.open(path)
    try:
        journal.check(RUN)
        marks.note("check")
        records = list(journal.read(RUN))
        marks.note("read")
        asyncio.run(_resumed(journal, machine_of(program, count + 1), records, marks))
        return marks.stages
    finally:
        journal.close()


async def _resumed(journal: SqliteJournal, machine: Machine, records: list[Record], marks: Marks) -> None:
    clock = BenchClock(records[-1].body["at"], asyncio.get_running_loop())
    crash = CrashPoints()
    committer = Committer(journal, crash, failed=_raise)
    run: Run

    def first_new(progress: Progress) -> None:
        if progress.kind == "asked" and "new" not in marks.stages:
            marks.note("new")
            run.park(Parked("interrupted", "measured"))

    hub: Any = ListeningHub(MemoryWorld(clock.now), clock, lambda: marks.note("replay"))
    setting = Setting(hub, clock, committer, crash, tell=None, progress=first_new)  # type: ignore[arg-type]
    run = Run(RUN, NONCE, machine, setting, practice_gate(RUN))
    ended = await run.go(records[1:], records[0].body["at"])
    if getattr(ended, "code", "") != "interrupted":
        raise SystemExit(f"the measured run did not stop as it should: {ended}")


class ListeningHub(InstantHub):
    """A run begins to listen right after its replay."""

    def __init__(self, world: MemoryWorld, clock: BenchClock, replayed: Any) -> None:
        super().__init__(world, clock)
        self._replayed = replayed

    def listen(self, heard: Any) -> None:
        self._replayed()


def _raise(error: BaseException) -> None:
    raise error


def bare(path: Path) -> float:
    """Seconds to read the same texts with SQLite and json."""
    begun = process_time()
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    for (body,) in connection.execute("SELECT body FROM records ORDER BY run_id, run_seq"):
        json.loads(body)
    connection.close()
    return process_time() - begun


@contextmanager
def journals(folder: Path) -> Iterator[dict[tuple[str, int], Path]]:
    made = {}
    for shape, program in SHAPES.items():
        for count in COUNTS:
            place = folder / f"{shape.replace(' ', '-')}-{count}"
            place.mkdir(mode=0o700)
            made[shape, count] = place / "journal.db"
            write(made[shape, count], program(count + 1), count)
    yield made


def main(argv: list[str]) -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory(dir=argv[0] if argv else None) as name, journals(Path(name)) as made:
        for (shape, count), path in made.items():
            program = SHAPES[shape](count + 1)
            rows, texts = [], []
            for _ in range(ROUNDS):
                rows.append(resume(path, program, count))
                texts.append(bare(path))
            stages = {stage: median(row[stage] for row in rows) for stage in rows[0]}
            told = "  ".join(f"{stage} {stages[stage]:.3f}" for stage in ("check", "read", "replay", "new"))
            goal = at_most(stages["whole"], GOAL_S * count / 10_000, " s")
            print(
                f"{shape:12} {count:6} effects {stages['whole']:6.3f} s   {told}   {stages['whole'] / median(texts):4.1f} × bare{goal}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
