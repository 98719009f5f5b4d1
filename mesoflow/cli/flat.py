"""What our journals say is open, hub by hub: what `kill --flatten` has to exit, and what it names where that did not succeed.

Only a fold over the journal: nobody is asked here, so that it can be told of a hub that does not answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from mesoflow.journal.store import Journal
from mesoflow.runtime.holdings import at_same_hub, fold_since, unsettled
from mesoflow.runtime.standing import Standing

# Hub and account that a run of `flatten` has read at its end → the positions that the hub showed as open.
Shown = Mapping[tuple[str, str], Collection[int]]


@dataclass(frozen=True, slots=True)
class Open:
    """Legs of ours that nobody has closed. `position` is None where only the exec plan of the entry is known. `why`: what its
    exit ended with, where one was tried."""

    hub: str
    account: str
    position: int | None
    plan: int | None
    legs: Mapping[str, Decimal]
    held: str = ""
    why: str = ""

    def __str__(self) -> str:
        what = (
            f"position {self.position}" if self.position is not None else f"what exec plan {self.plan} filled"
        )
        legs = ", ".join(f"{quantity:+f} {name}" for name, quantity in self.legs.items())
        return f"{what} of {self.account} at {self.hub}: {legs}" + (
            f" (on hold: {self.held})" if self.held else ""
        )

    def value(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "hub": self.hub,
            "account": self.account,
            "position_id": self.position,
            "exec_plan_id": self.plan,
            "legs": dict(self.legs),
            "held": self.held or None,
            "why": self.why or None,
        }


def places(runs: Sequence[Standing]) -> Iterator[list[Standing]]:
    """The runs of each hub, newest first; `runs` newest first."""
    left = list(runs)
    while left:
        hub = left[0].started["hub"]
        yield [run for run in left if at_same_hub(run.started, hub)]
        left = [run for run in left if not at_same_hub(run.started, hub)]


def open_at(journal: Journal, here: Sequence[Standing]) -> list[Open]:
    """What is open at the hub of these runs, newest first. What has settled by now is held by nobody."""
    fold, now = fold_since(journal, here, here[0]), _now(journal, here)
    hub = name_of(here[0].started["hub"])
    found = []
    for key, entry in fold.positions.items():
        if legs := unsettled(entry, now):
            found.append(Open(hub, entry["account"], int(key), None, legs, entry.get("held", "")))
    for key, plan in fold.plans.items():
        if plan["position_id"] is None and (legs := unsettled(plan, now)):
            found.append(Open(hub, plan["account"], None, int(key), legs))
    return found


def still_open(found: Sequence[Open], shown: Shown) -> list[Open]:
    """Without positions that somebody else has closed: an account's open ones, as the hub showed them last, are the proof."""
    return [
        one
        for one in found
        if one.position is None
        or (one.hub, one.account) not in shown
        or one.position in shown[one.hub, one.account]
    ]


def accounts_of(found: Sequence[Open]) -> list[str]:
    """Whose they are, each once."""
    return sorted({one.account for one in found})


def plans_of(found: Sequence[Open]) -> list[int]:
    """Plans whose position is not known."""
    return sorted(one.plan for one in found if one.plan is not None)


def _now(journal: Journal, here: Sequence[Standing]) -> datetime:
    """A real hub's time is everybody's; a simulated one's is the last that the journal knows of."""
    if here[0].started["hub"]["kind"] == "hub":
        return datetime.now(UTC)
    last = [journal.last(run.run_id) for run in here]
    times: list[datetime] = [run.started["at"] for run in here]
    times += [record.body["at"] for record in last if record is not None and "at" in record.body]
    return max(times)


def name_of(hub: Mapping[str, Any]) -> str:
    """A hub in a few words."""
    return str(hub["url"] or f"the simulated world {hub['world']}")
