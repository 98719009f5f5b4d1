"""`kill --flatten`: what our journals say is open is exited by a run of the built-in playbook `flatten`, one for each hub, before
the halt. A run of it that died is resumed first: what it left unknown is settled before anything more is sent.

Nothing here halts: whoever calls does, whatever became of this. While the home is halted nothing is exited (C17).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from mesoflow.cli.config import Config
from mesoflow.cli.embedded import EmbeddedWish
from mesoflow.cli.flat import Open, accounts_of, name_of, open_at, places, plans_of, still_open
from mesoflow.cli.ground import Ground
from mesoflow.cli.in_force import in_force, pinned, policy_now
from mesoflow.cli.reading import all_standings
from mesoflow.cli.running import Conduct
from mesoflow.cli.starting import (
    choice_of,
    first_record,
    ground_of,
    last_in_world,
    on_loop,
    require_same,
    run_lock,
    view_of,
)
from mesoflow.hubs.errors import HubError
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.playbook.compile import Compiled, load
from mesoflow.runtime.clock import ClockError
from mesoflow.runtime.holdings import at_same_hub
from mesoflow.runtime.home import RunHeld, StateHome, WorldHeld
from mesoflow.runtime.inbox import LOOK_EVERY_S
from mesoflow.runtime.refusal import CONFIG, OTHER_HUB, Refusal
from mesoflow.runtime.standing import Standing, standing_of
from mesoflow.runtime.starts import NewRun, Wish, decide_start
from mesoflow.safety.policy import Policy
from mesoflow.trading.sessions import Calendar

PLAYBOOK = Path(__file__).parent.parent / "data" / "playbooks" / "flatten.yaml"
NAME = "flatten"

# What is open after a run that was resumed is tried once more by a fresh one; what is open after that is a person's affair.
RUNS_MAX = 2

_NUMBERS = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Flattened:
    """One run of it, and how it stands; `why` where there could be none. `shown`: by hub and account, the positions that the
    hub showed as open at its end. `failures`: by hub and position, why its exit did not succeed."""

    run_id: str
    state: str
    reason: str = ""
    why: str = ""
    shown: Mapping[tuple[str, str], Sequence[int]] = field(default_factory=dict)
    failures: Mapping[tuple[str, int], str] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether another one may be begun: one that is parked may have an order alive."""
        return self.state not in ("parked", "failed to run")

    def value(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "run_id": self.run_id or None,
            "state": self.state,
            "reason": self.reason or None,
            "why": self.why or None,
        }


@dataclass(slots=True)
class Flattening:
    """`quiet()` sees to it that nobody else runs: living runners are asked to park, dead ones' orders are withdrawn."""

    home: StateHome
    journal: SqliteJournal
    config: Config
    args: argparse.Namespace
    quiet: Callable[[], object]
    runs: list[Flattened] = field(default_factory=list)

    def go(self) -> None:
        """Exit what is open, hub by hub. Ends early when the home is halted meanwhile."""
        self._wait_for_others()
        for here in places(all_standings(self.home, self.journal)):
            self._at(here[0])

    def _at(self, newest: Standing) -> None:
        for _ in range(RUNS_MAX):
            here = self._here(newest)
            there = next((run for run in here if run.started["playbook"] == NAME and not run.over), None)
            if (there is None and not self._open_here(here)) or self.home.is_halted():
                return
            done = self._one(here[0], there)
            self.runs.append(done)
            if there is None or not done.is_over:
                return

    def _here(self, newest: Standing) -> list[Standing]:
        runs = all_standings(self.home, self.journal)
        return [run for run in runs if at_same_hub(run.started, newest.started["hub"])]

    def _open_here(self, here: Sequence[Standing]) -> list[Open]:
        return still_open(open_at(self.journal, here), shown_by(self.runs))

    def _wait_for_others(self) -> None:
        """Somebody else flattens already: his run is waited for, not stopped."""
        for run in all_standings(self.home, self.journal):
            while run.started["playbook"] == NAME and not run.over and self.home.is_run_held(run.run_id):
                time.sleep(LOOK_EVERY_S)

    # --- one run -------------------------------------------------------------------------------------------------------

    def _one(self, newest: Standing, there: Standing | None) -> Flattened:
        """Resume `there`, or begin a run. Who holds the world is asked to leave, as often as it takes."""
        begun: list[str] = [] if there is None else [there.run_id]
        choice = choice_of(newest.started, self.config)
        while True:
            try:
                on_loop(choice, None, self._conducted(newest, there, begun))
                return self._told(begun[0])
            except (RunHeld, WorldHeld):
                self.quiet()
                time.sleep(LOOK_EVERY_S)
            except (Refusal, HubError, ClockError) as error:
                exists = bool(begun) and standing_of(self.journal, begun[0], lambda _: False) is not None
                return Flattened(begun[0] if exists else "", "failed to run", why=str(error))

    async def _conducted(self, newest: Standing, there: Standing | None, begun: list[str]) -> int:
        wish = EmbeddedWish(
            world=newest.started["hub"]["world"],
            since=lambda world: last_in_world(self.journal, all_standings(self.home, self.journal), world),
        )
        choice = choice_of(newest.started, self.config)
        async with ground_of(self.home, choice, wish, newest.at) as ground:
            if not at_same_hub({"hub": ground.where}, newest.started["hub"]):
                raise Refusal(OTHER_HUB, f"the hub is not the one at which {newest.run_id} traded")
            if there is None:
                await self._begin(ground, newest, begun)
            else:
                await self._resume(ground, there)
        return 0

    async def _resume(self, ground: Ground, there: Standing) -> None:
        with run_lock(self.home, there.run_id):
            self.journal.check(there.run_id)
            require_same(there.started, ground)
            await self._conduct(ground, there.started, new=False).go()

    async def _begin(self, ground: Ground, newest: Standing, begun: list[str]) -> None:
        runs, policy = all_standings(self.home, self.journal), policy_now(self.home)
        compiled = compiled_for(self._open_here(self._here(newest)), policy)
        wish = _wish(compiled, ground)
        decided = decide_start(wish, self.journal, runs)
        assert isinstance(decided, NewRun), "once_per: never"
        with run_lock(self.home, decided.run_id):
            named = newest.started["options"].get("hub")
            args = argparse.Namespace(
                playbook=str(PLAYBOOK), hub=named, env=None, sets=(), reason=self.args.reason
            )
            started = first_record(args, compiled, ground, wish, decided, self.journal, runs)
            begun[:] = [decided.run_id]
            await self._conduct(ground, {**started, "policy": pinned(policy)}, new=True).go()

    def _conduct(self, ground: Ground, started: Mapping[str, Any], *, new: bool) -> Conduct:
        # Under a policy that has become looser a run sends nothing more: the fresh one that follows is under it.
        under = in_force(self.args, self.home, self.journal, started, new=new, cancel=True)
        return Conduct(
            home=self.home,
            journal=self.journal,
            ground=ground,
            targets=self.config.targets(),
            started=started,
            epoch=self.journal.claim(started["run_id"]),
            new=new,
            view_of=lambda machine, now: view_of(self.args, started, machine, now),
            under=under,
            allow_live=self.args.allow_live,
        )

    def _told(self, run_id: str) -> Flattened:
        now = standing_of(self.journal, run_id, lambda _: False)
        assert now is not None
        rows = [row for row in (now.last.get("outputs") or {}).get("accounts") or [] if row is not None]
        hub = name_of(now.started["hub"])
        return Flattened(
            run_id,
            now.state,
            now.reason,
            now.words,
            {(hub, row["account"]): list(row["open"]) for row in rows},
            {
                (hub, exit["position_id"]): exit["failure"]
                for row in rows
                for exit in row["exits"]
                if exit is not None and exit["failure"]
            },
        )


def open_now(home: StateHome, journal: SqliteJournal, runs: Sequence[Flattened]) -> list[Open]:
    """What is open, by the journal and by what the hub has shown to these runs."""
    here = places(all_standings(home, journal))
    left = still_open([one for runs_there in here for one in open_at(journal, runs_there)], shown_by(runs))
    said = {key: text for run in runs for key, text in run.failures.items()}
    return [replace(one, why=said.get((one.hub, one.position or 0), "")) for one in left]


def shown_by(runs: Sequence[Flattened]) -> dict[tuple[str, str], Sequence[int]]:
    """By hub and account; the last word counts."""
    return {key: ids for run in runs for key, ids in run.shown.items()}


def compiled_for(found: Sequence[Open], policy: Policy) -> Compiled:
    """The built-in playbook, for these accounts and as the policy prices its exits. Raises Refusal."""
    said = policy.flatten
    sets = {
        "accounts": _text(accounts_of(found)),
        "plans": _text(plans_of(found)),
        "price": _text(said["price"]),
        "within": str(said["within"]),
        "max_distance_from_mid": str(said["max_distance_from_mid"]),
    }
    compiled = load(PLAYBOOK, sets)
    if compiled.program is None:  # the playbook is ours and tested: what is wrong came from the policy
        first = compiled.findings[0]
        raise Refusal(CONFIG, f"nothing can be exited as the policy's `flatten` says: {first.summary}")
    return compiled


def _text(value: Any) -> str:  # noqa: ANN401 - a value of YAML
    """As `--set` takes lists and maps; JSON is YAML."""
    return _NUMBERS.encode(value).decode()


def _wish(compiled: Compiled, ground: Ground) -> Wish:
    assert compiled.program is not None
    session = Calendar.load(compiled.program.session).session_of(ground.clock.now())
    return Wish(NAME, tuple(str(account) for account in compiled.inputs["accounts"]), "never", session)
