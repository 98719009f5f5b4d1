"""A whole session from a seed: six hours of market time, a story each half hour, and a fault every five minutes.

From 10:00, when a world begins, to the closing bell at 16:00 one run trades the stories of a seed (stories.py) at three accounts.
Every five minutes another fault sets in; each kind comes once or twice. The process dies, is parked and is halted on the
way; each time it is resumed while the faults go on, and where it calls a person, one comes. After the bell it is calm,
and what holds for every seeded world must hold (soak.py): it settles, and no checker finds anything.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from mesoflow.rehearsal.drawing import Draw
from mesoflow.rehearsal.evidence import last
from mesoflow.rehearsal.soak import DEEDS, HUMAN, RUN, Lives, Play, Played, Scene
from mesoflow.rehearsal.staging import Stage
from mesoflow.rehearsal.stories import drawn, playbook
from mesoflow.rehearsal.storms import DAY_KINDS, Fault, clear
from mesoflow.runtime.run import Run
from mesoflow.simulator.simulator import Simulator
from mesoflow.simulator.world.world import BEGINNING

DAY = timedelta(hours=6)
EVERY = timedelta(minutes=5)
ROUNDS = 12
# How often the process is ended on the way, in which ways, and how often at most somebody resumes it before the bell.
_DEEDS = ("die", "die", "park", "halt")
_LIVES_MAX = 60
# Six hours are tens of seconds of work.
_HANGS_AFTER_S = 600


@dataclass(frozen=True, slots=True)
class Trouble:
    """Sets in at an instant of the day."""

    at: datetime
    fault: Fault


def play_day(seed: int, folder: Path, lives: Lives) -> Played:
    """One session, whole."""
    draw = Draw(seed, ("day",))
    text, told = day(draw)
    scene = replace(Scene.of(seed), playbook=text, told=told, faults=tuple(t.fault for t in troubles(draw)))
    return DayPlay(scene, folder, lives, draw=draw).play()


def day(draw: Draw) -> tuple[str, str]:
    """The playbook of a session, and what it is in a few words."""
    stories = [drawn(draw.of("round", number)) for number in range(ROUNDS)]
    rounds = [_round(number, one.account, one.steps) for number, one in enumerate(stories)]
    bell = f'  - {{id: bell, action: wait.until, with: {{at: "{_clock(DAY)}", grace: unlimited}}}}\n'
    accounts = sorted({one.account for one in stories})
    return playbook(accounts, "".join(rounds) + bell), f"a session at {', '.join(accounts)}"


def _round(number: int, account: str, steps: str) -> str:
    """A group of its own: whatever becomes of it, the next one comes."""
    steps = re.sub(r"\bid: (\w+)", rf"id: \1_{number}", steps)
    steps = re.sub(r"\bsteps\.(\w+)", rf"steps.\1_{number}", steps)
    steps = steps.replace("{strategy:", f"{{broker_account_id: {account}, strategy:")
    at = _clock(EVERY + number * DAY / ROUNDS)
    note = f'{{id: missed_{number}, action: set, with: {{code: "{{{{ error.code }}}}"}}}}'
    return (
        f"  - id: round_{number}\n"
        f"    rescue: [{{errors: any, steps: [{note}]}}]\n"
        "    steps:\n"
        f'      - {{id: at_{number}, action: wait.until, with: {{at: "{at}", grace: unlimited}}}}\n'
        + re.sub("^", "    ", steps.rstrip("\n"), flags=re.M)
        + "\n"
    )


def _clock(after: timedelta) -> str:
    """As New York's clocks show it; a world begins there at ten."""
    minutes = 10 * 60 + int(after.total_seconds()) // 60
    return f"{minutes // 60:02}:{minutes % 60:02}"


def troubles(draw: Draw) -> tuple[Trouble, ...]:
    """One after the other through all kinds, in an order that is drawn anew each time they are through."""
    found: list[Trouble] = []
    for number in range(DAY // EVERY):
        lap, place = divmod(number, len(DAY_KINDS))
        order = sorted(range(len(DAY_KINDS)), key=lambda kind: draw.of("lap", lap).between(str(kind), 0, 1e6))
        fault = DAY_KINDS[order[place]](draw.of("trouble", number))
        found.append(Trouble(BEGINNING + number * EVERY, fault))
    return tuple(found)


@dataclass
class DayPlay(Play):
    """A session under way."""

    draw: Draw = field(kw_only=True)

    def storm(self, playbook: Path) -> None:
        """From the opening to the bell, resumed as often as it takes."""
        self.command(self.begin(playbook), self._stage())
        for _ in range(_LIVES_MAX):
            state = last(self.records())
            if (state is not None and state.kind == "ended") or self.now() >= BEGINNING + DAY:
                break
            self.release()
            if state is not None and self.codes[-1] == HUMAN:
                self.person_comes(state)
            self.command(["resume", RUN], self._stage())

    def wrong(self) -> list[str]:
        """A day that was over before the bell has proved less than it says."""
        over = self.now()
        return [] if over >= BEGINNING + DAY else [f"the session was over at {over:%H:%M:%S} UTC"]

    def _stage(self) -> Stage:
        """What of the day is still to come, at its instants."""
        opened: list[Simulator] = []

        def begun(run: Run) -> None:
            simulator = opened[-1]
            for trouble in troubles(self.draw):
                _at(simulator, trouble.at, partial(_sets_in, trouble.fault, simulator))
            for number, deed in enumerate(_DEEDS):
                after = self.draw.of("deed", number).between("at", 60, DAY.total_seconds())
                done = self.folder / f"{number}-{deed}"
                if not done.exists():
                    _at(simulator, BEGINNING + timedelta(seconds=after), partial(self._do, run, deed, done))

        return Stage(opened.append, begun, _HANGS_AFTER_S)

    def _do(self, run: Run, deed: str, done: Path) -> None:
        """Once: where nothing was written since, a resumed run begins before the instant at which it was ended."""
        done.touch()
        DEEDS[deed](run, self.home)


def _sets_in(fault: Fault, simulator: Simulator) -> None:
    faults = simulator.world.faults
    clear(faults)
    fault.sets(faults, simulator.clock.now())


def _at(simulator: Simulator, moment: datetime, do: Callable[[], object]) -> None:
    """On the run's loop, unless it is past."""
    left = (moment - simulator.clock.now()).total_seconds()
    if left >= 0:
        asyncio.get_running_loop().call_later(left, do)
