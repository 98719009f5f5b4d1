"""The trading state of a state home: HALTED is the file HALT and nothing else; the journal records who said so, and why.

Halting makes the file first, so that nothing leaves from then on, whatever becomes of the record. Releasing writes the
record first: whoever dies in between leaves a home that is still halted.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Literal

from mesoflow.engine.effects import Govern, Value
from mesoflow.journal.records import HOME, Entry
from mesoflow.journal.store import Journal
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.refusal import HALTED, Refusal
from mesoflow.safety.states import TradingState

State = Literal["ACTIVE", "REDUCING", "HALTED"]


def halt(home: StateHome, journal: Journal, owner: str, reason: str, at: datetime | None = None) -> bool:
    """No order leaves from here on. False: the home was halted already, and the first word stands."""
    now = at or datetime.now(UTC)
    said = json.dumps({"by": owner, "reason": reason, "at": now.isoformat()}, ensure_ascii=False)
    if not home.halt(said):
        return False
    _record(journal, "HALTED", owner, reason, now)
    return True


def reduce(journal: Journal, owner: str, reason: str, at: datetime | None = None) -> None:
    """From here on only what reduces risk leaves (C18)."""
    _record(journal, "REDUCING", owner, reason, at or datetime.now(UTC))


def release(home: StateHome, journal: Journal, owner: str, reason: str) -> bool:
    """A person takes the halt, or the REDUCING, back. False: HALT was not there."""
    _record(journal, "ACTIVE", owner, reason, datetime.now(UTC))
    return home.release()


def release_playbook(journal: Journal, playbook: str, owner: str, reason: str) -> None:
    """A playbook that has run too often in this session may run again (C11)."""
    body: dict[str, Value] = {"playbook": playbook, "by": owner, "reason": reason, "at": datetime.now(UTC)}
    journal.commit([Entry(HOME, "released", body)])


def govern(home: StateHome, journal: Journal, run_id: str, effect: Govern, at: datetime) -> dict[str, Value]:
    """`trading.halt` of a run: asked for twice it changes nothing more."""
    if effect.state == "halted":
        halt(home, journal, run_id, effect.reason, at)
    elif effect.state == "reducing":
        reduce(journal, run_id, effect.reason, at)
    return {"state": effect.state, "since": at}


def halted_by(home: StateHome) -> str:
    """Who halted the home and why, in a line; "" where nobody did."""
    if not home.is_halted():
        return ""
    try:
        said = json.loads(home.halt_path.read_text(encoding="utf-8"))
        when = datetime.fromisoformat(said["at"])
        reason = f": {said['reason']}" if said["reason"] else ""
        return f"by {said['by']} at {when:%F %T} UTC{reason}"
    except (OSError, ValueError, KeyError, TypeError):
        return (
            "by a file that nobody signed"  # an empty HALT halts as well: `touch HALT` is the shortest kill
        )


def require_released(home: StateHome) -> None:
    """Raise Refusal while the home is halted: nothing is started or resumed."""
    if home.is_halted():
        raise Refusal(
            HALTED,
            "the state home is halted: nothing is started or resumed, and no order leaves",
            (("halted", halted_by(home)), ("home", str(home.path))),
            (
                "mesoflow runs         what stands where",
                "mesoflow release      takes the halt back, on purpose",
            ),
        )


def _record(journal: Journal, state: State, owner: str, reason: str, at: datetime) -> None:
    body = TradingState(state, owner, reason, at).value()
    journal.commit([Entry(HOME, "state", body)])
