"""The one table of exit codes, and what leads to each. Nothing else in the project names an exit code by number."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class Exit(IntEnum):
    """What a process ends with. The words are those of the command line's reference."""

    FINE = 0  # also a run that is done, or skipped
    REFUSED = 1  # findings; a refusal before anything was sent; a run that failed
    USAGE = 2  # wrong usage, always and only
    BUG = 3  # ours
    HUMAN = 4  # parked: an outcome is unknown or legs differ; a human must look
    ASKED = 5  # parked: waits for an approval or an answer
    CANCELLED = 6
    HALTED = 7  # a run parked, or a start refused
    AWAY = 8  # parked: the hub, the agent or quotes stayed away
    HELD = 9  # another runner holds the run, or its world
    SKIPPED = 10  # only with --detailed-exit-code
    WOULD_TRADE = 11  # only with --detailed-exit-code
    INTERRUPTED = 130  # parked


ENDED: Mapping[str, Exit] = {
    "done": Exit.FINE,
    "skipped": Exit.FINE,
    "failed": Exit.REFUSED,
    "cancelled": Exit.CANCELLED,
    "superseded": Exit.FINE,
}

# Why a run parked. What is not listed is an error that may pass by itself and was not handled: AWAY.
PARKED: Mapping[str, Exit] = {
    "outcome_unknown": Exit.HUMAN,
    "legs_differ": Exit.HUMAN,
    "late_fill": Exit.HUMAN,
    "clock_lost": Exit.HUMAN,
    "account_not_found": Exit.HUMAN,
    "account_not_allowed": Exit.HUMAN,
    "approval": Exit.ASKED,
    "question": Exit.ASKED,
    "halted": Exit.HALTED,
    "lock_lost": Exit.HELD,
    "interrupted": Exit.INTERRUPTED,
}


def exit_of(state: str, reason: str = "", *, detailed: bool = False) -> Exit:
    """The exit code of a run that is in `state`; for a parked one `reason` is the code of its park."""
    if state == "skipped" and detailed:
        return Exit.SKIPPED
    if state == "parked":
        return PARKED.get(reason, Exit.AWAY)
    return ENDED[state]
