"""The gate of one run, put together and kept up to date: what the home's journal says, and what its policy says now.

People write marks, clears and trading states from other processes, and edit the policy, while a run lives. Both are looked at
every 50 ms of real time. A stricter policy counts at once; a looser one, or one that cannot be read, changes nothing here:
that takes a resume, and a person's word (C24).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mesoflow.cli.in_force import InForce, policy_now
from mesoflow.engine.semantics import SEMANTICS
from mesoflow.journal.store import Journal
from mesoflow.runtime.gate import Gate
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.ledgers import Grounds, News, grounds, hear
from mesoflow.runtime.programs import program_digest, read_program
from mesoflow.runtime.refusal import Refusal
from mesoflow.runtime.standing import standings
from mesoflow.safety.environment import Environment
from mesoflow.safety.limits import Limits
from mesoflow.safety.policy import Policy

# What a policy file looks like from outside: unchanged, it need not be read.
Stamp = tuple[int, int, int] | None


@dataclass(slots=True)
class Keeper:
    """`say` tells a person what became of a policy that was edited meanwhile. `versions`: see runtime/commits.py."""

    home: StateHome
    journal: Journal
    gate: Gate
    playbook: Limits
    known: Grounds
    policy: Policy
    say: Callable[[str], None]
    heard: int
    stamp: Stamp

    @classmethod
    def of(
        cls,
        home: StateHome,
        journal: Journal,
        started: Mapping[str, Any],
        under: InForce,
        *,
        simulator: bool,
        allow_live: bool,
        now: datetime,
        new: bool,
        say: Callable[[str], None],
    ) -> Keeper:
        """For the run that `started` describes; its own records are told to the gate by whoever replays them."""
        stamp = _stamp(home)
        known = grounds(journal, started, standings(journal, lambda _: False), now, new=new)
        environment = Environment(
            started["run_id"],
            simulator=simulator,
            durable=True,
            semantics=SEMANTICS,
            pinned_semantics=started["semantics"],
            program=program_digest(read_program(started["program"])),
            pinned_program=started["digest"],
            run_number=known.run_number,
            policy_accepted=under.accepted,
            allow_live=allow_live,
        )
        risk = started["risk"]
        # A playbook without `risk` cannot trade; its gate would refuse every order.
        playbook = Limits.parse(risk) if risk else Limits(accounts=())
        news = News(journal, started["run_id"], known.versions)
        gate = Gate(started["run_id"], playbook, known.fold.ledger, environment, known.fold, news)
        keeper = cls(home, journal, gate, playbook, known, under.policy, say, known.heard, stamp)
        keeper._obey(under.policy)
        return keeper

    @property
    def versions(self) -> Mapping[str, int]:
        """Of each account of the run, up to where its ledger is folded."""
        return self.known.versions

    def hear(self) -> None:
        """What others have said since."""
        self.heard = hear(self.journal, self.known.fold, self.heard)
        stamp = _stamp(self.home)
        if stamp != self.stamp:
            self.stamp = stamp
            self._edited()

    def _edited(self) -> None:
        try:
            policy = policy_now(self.home)
        except Refusal as refusal:
            self.say(f"{refusal.summary}; the run goes on under the one it has")
            return
        if policy.digest == self.policy.digest:
            return
        looser = policy.looser_than(self.policy)
        if looser:
            names = ", ".join(looser)
            self.say(
                f"the policy is looser now ({names}): it counts for a run that is resumed with --accept-policy"
            )
        else:
            self._obey(policy)
            self.say("the policy is stricter now, and counts")

    def _obey(self, policy: Policy) -> None:
        self.policy = policy
        self.gate.limits = policy.over(self.playbook)
        self.gate.environment = replace(
            self.gate.environment,
            policy=policy.digest,
            live_accounts=policy.live_accounts,
            acknowledged=policy.acknowledged,
        )


def _stamp(home: StateHome) -> Stamp:
    try:
        found = os.stat(home.policy_path)
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
