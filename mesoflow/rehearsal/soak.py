"""Worlds from a seed (EXECUTION.md §6): a phase with faults, then a phase without, in which everything must settle.

A seed draws a playbook (stories.py), faults (storms.py), an interruption at an instant, and what is done about a run that
died: resume, cancel, kill. Each command is a process of its own, so that it can really be killed. In calm weather the run is
resumed; where it calls a person, one comes, looks at the world's ledger, says what happened, and lets it go on. Once it is
over it is resumed once more. Then every checker judges; what is drawn depends on the seed alone, so a number replays a world.

The witness (witness.py) looks at each trading call of each process: one without a durable intent and a verdict ends the
process as a bug, and what was executed unseen is a violation too. The checkers alone see only what is there afterwards.

How a command is run is the caller's affair (`Lives`): the command line stands above this room.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from mesoflow.journal.records import Record
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.rehearsal.checkers.catalogue import violations
from mesoflow.rehearsal.drawing import Draw
from mesoflow.rehearsal.evidence import ORDERS, Calm, Evidence, gather, last
from mesoflow.rehearsal.staging import Stage
from mesoflow.rehearsal.stories import NAME, story
from mesoflow.rehearsal.storms import Fault, storm
from mesoflow.rehearsal.witness import WITNESS, unwitnessed
from mesoflow.runtime.halting import halt
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.run import Run
from mesoflow.simulator.ledger import Ledger
from mesoflow.simulator.simulator import Simulator
from mesoflow.simulator.world.store import Store

RUN = "soak"
KILLED = -int(signal.SIGKILL)
# Exit codes, which live above this layer: a bug of ours; parked, and a person must look.
BUG, HUMAN = 3, 4
# How often a person comes: more often than this no unknown needs him, and who is called in vain stays away.
WORDS_MAX = 4
RESUMES_MAX = 8
_PROFILES = ("strict", "strict", "strict", "realistic", "kind")


class Lives(Protocol):
    """Runs one command in a process of its own, on a stage; answers its exit code, negative where a signal ended it."""

    def __call__(
        self, home: Path, arguments: Sequence[str], stage: Stage, variables: Mapping[str, str]
    ) -> int: ...


@dataclass(frozen=True, slots=True)
class Interruption:
    """What becomes of the first process: nothing, or a deed after so many seconds, or death at its so many-th crash point."""

    words: str
    deed: str = ""
    at: float = 0.0
    point: int = 0


CALM = Interruption("undisturbed")
DEATHS = frozenset({"point", "die"})


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that a seed draws."""

    seed: int
    playbook: str
    told: str
    profile: str
    faults: tuple[Fault, ...]
    interruption: Interruption
    after: str
    again: tuple[Fault, ...]

    @classmethod
    def of(cls, seed: int) -> Scene:
        """The same seed, the same scene."""
        draw = Draw(seed)
        text, told = story(draw)
        return cls(
            seed,
            text,
            told,
            draw.choice("profile", _PROFILES),
            storm(draw),
            _interruption(draw),
            draw.choice("after", ("resume", "resume", "cancel", "kill")),
            storm(draw.of("again")),
        )

    @property
    def words(self) -> str:
        """In one line."""
        faults, again = (
            "; ".join(fault.words for fault in storm) or "no fault" for storm in (self.faults, self.again)
        )
        then = f"{self.after} ({again})" if self.interruption.deed in DEATHS else ""
        return " | ".join(
            filter(None, (f"{self.told}, {self.profile}", faults, self.interruption.words, then))
        )


@dataclass(frozen=True, slots=True)
class Played:
    """What a seed came to: the exit codes of its processes, and the violations."""

    seed: int
    words: str
    codes: tuple[int, ...]
    problems: tuple[str, ...]


def _interruption(draw: Draw) -> Interruption:
    deed = draw.choice("deed", ("", "", "point", "point", "die", "cancel", "park", "halt"))
    at = draw.between("at", 0.2, 120.0)
    point = int(draw.between("point", 5, 160))
    if not deed:
        return CALM
    if deed == "point":
        return Interruption(f"killed at crash point {point}", deed, point=point)
    return Interruption(f"{deed} after {at} s", deed, at=at)


# --- playing -----------------------------------------------------------------------------------------------------------


def play(seed: int, folder: Path, lives: Lives) -> Played:
    """One world, whole."""
    return Play(Scene.of(seed), folder, lives).play()


@dataclass
class Play:
    """A scene under way."""

    scene: Scene
    folder: Path
    lives: Lives
    codes: list[int] = field(default_factory=list)
    resumes: int = 0

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def witness(self) -> Path:
        return self.folder / "witness.txt"

    def play(self) -> Played:
        self.folder.mkdir(parents=True, exist_ok=True)
        playbook = self.folder / f"{NAME}.yaml"
        playbook.write_text(self.scene.playbook, encoding="utf-8")
        self.storm(playbook)
        if not self.records():
            return self._played((f"nothing began: exit {self.codes[-1]}",))
        since, problems = self.now(), self.wrong()
        problems += self._calm()
        earlier, resumes = self.evidence(), self.resumes
        self._resume()
        calm = Calm(since, resumes)
        evidence = replace(self.evidence(), calm=calm, earlier=earlier)
        problems += [str(violation) for violation in violations(evidence)]
        problems += unwitnessed(self.witness, evidence)
        problems += [
            f"process {number} ended in {code}"
            for number, code in enumerate(self.codes, 1)
            if code == BUG or (code < 0 and code != KILLED)
        ]
        return self._played(tuple(problems))

    def _played(self, problems: tuple[str, ...]) -> Played:
        return Played(self.scene.seed, self.scene.words, tuple(self.codes), problems)

    def storm(self, playbook: Path) -> None:
        """The run begins, is interrupted, and what the scene wants is done about it while the faults last."""
        scene, there = self.scene, self.scene.interruption
        dead_at = {"MESOFLOW_CRASH": f"#{there.point}"} if there.point else {}
        self.command(self.begin(playbook), _stage(scene.faults, there, self.home), dead_at)
        if self.codes[-1] == KILLED:
            self.command(
                [scene.after, *([] if scene.after == "kill" else [RUN])], _stage(scene.again, CALM, self.home)
            )

    def wrong(self) -> list[str]:
        """What is wrong at the end of the storm already."""
        return []

    def begin(self, playbook: Path) -> list[str]:
        """The command that begins the run, in a world of the scene's own."""
        scene = self.scene
        return ["run", str(playbook), "--run-id", RUN, "--seed", str(scene.seed), "--profile", scene.profile]

    def _calm(self) -> list[str]:
        """No fault is left: resumed until it is over, with a person's help; what is wrong with that."""
        words = 0
        while self.resumes < RESUMES_MAX:
            self.release()
            state = last(self.records())
            if state is not None and state.kind == "ended":
                return []
            if state is not None and self.codes[-1] == HUMAN:
                words += 1
                if words > WORDS_MAX:
                    return [f"a person came {WORDS_MAX} times in vain: {state.body['code']}"]
                self.person_comes(state)
            self._resume()
        return [f"resumed {self.resumes} times in calm weather"]

    def release(self) -> None:
        """Where it is halted."""
        if (self.home / "HALT").exists():
            self.command(["release", "--yes"])

    def _resume(self) -> None:
        self.resumes += 1
        self.command(["resume", RUN])

    def command(
        self, arguments: list[str], stage: Stage | None = None, variables: Mapping[str, str] | None = None
    ) -> None:
        seen = {WITNESS: str(self.witness)}
        self.codes.append(self.lives(self.home, arguments, stage or Stage(), {**seen, **(variables or {})}))

    # --- a person ------------------------------------------------------------------------------------------------------

    def person_comes(self, parked: Record) -> None:
        """Who knows what really happened says so: of an order without an outcome, and of legs that differ."""
        account = ""
        for record in self._open_intents():
            account = record.body["order"]["account"]
            self.command(
                ["settle", RUN, record.body["path"], "--reason", "by the ledger", *self._truth(record)]
            )
        if parked.kind == "parked" and parked.body["code"] == "legs_differ":
            marks = [record.body["account"] for record in self.records() if record.kind == "mark"]
            self.command(["clear", marks[-1] if marks else account])

    def _open_intents(self) -> list[Record]:
        records = self.records()
        settled = {record.body["path"] for record in records if record.kind == "settled"}
        return [
            record
            for record in records
            if record.kind == "intended"
            and record.body["method"] in ORDERS
            and record.body["path"] not in settled
        ]

    def _truth(self, intent: Record) -> list[str]:
        evidence = self.evidence()
        key = intent.body["key"]
        ids = [order.id for order in evidence.orders if order.key == key]
        ids += [fill.position for fill in evidence.fills if fill.key == key and not ids]
        return ["--happened", str(ids[0])] if ids else ["--did-not-happen"]

    # --- looking ------------------------------------------------------------------------------------------------------

    def records(self) -> tuple[Record, ...]:
        """The run's, so far."""
        if not (self.home / "journal.db").exists():
            return ()
        with _journal(self.home) as journal:
            return tuple(journal.read(RUN))

    def now(self) -> datetime:
        """The last time that the journal knows."""
        times: list[datetime] = [record.body["at"] for record in self.records() if "at" in record.body]
        return max(times)

    def evidence(self) -> Evidence:
        """Of a home whose world nobody holds."""
        with _journal(self.home) as journal:
            world = next(iter(journal.read(RUN))).body["hub"]["world"]
            store = Store(self.home / "worlds" / world)
            try:
                return gather(journal, Ledger(store))
            finally:
                store.close()


@contextmanager
def _journal(home: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal.open(home / "journal.db", read_only=True)
    try:
        yield journal
    finally:
        journal.close()


# --- inside the first process --------------------------------------------------------------------------------------------


def _stage(faults: Sequence[Fault], there: Interruption, home: Path) -> Stage:
    """The dials are set when the world opens; the deed is done on the run's loop, at its instant of simulated time."""

    def opened(simulator: Simulator) -> None:
        for fault in faults:
            fault.sets(simulator.world.faults, simulator.clock.now())

    def begun(run: Run) -> None:
        asyncio.get_running_loop().call_later(there.at, DEEDS[there.deed], run, home)

    return Stage(opened, begun if there.deed in DEEDS else None)


def _halt(run: Run, home: Path) -> None:
    """As `mesoflow kill` does it: the file first, then the record, then whoever runs sees it."""
    there = StateHome.open(home)
    journal = there.journal()
    halt(there, journal, "a person", "drill")
    journal.close()
    run.halt(by_a_person=True)


DEEDS: Mapping[str, Callable[[Run, Path], Any]] = {
    "die": lambda run, home: os.kill(os.getpid(), signal.SIGKILL),
    "park": lambda run, home: os.kill(os.getpid(), signal.SIGTERM),
    "cancel": lambda run, home: run.cancel("operator"),
    "halt": _halt,
}
