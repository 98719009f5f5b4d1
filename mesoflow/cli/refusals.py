"""Which exceptions are refusals, and the exit code of each: the one place that knows them all.

Refusals of the runtime carry their own text; errors of journal, state home and hub get theirs here.
"""

from __future__ import annotations

from dataclasses import replace

from mesoflow.cli.exits import Exit
from mesoflow.hubs.errors import ConnectFailed, HubError
from mesoflow.journal.errors import JournalError, LockLost
from mesoflow.runtime.clock import ClockError
from mesoflow.runtime.home import Held, HomeError
from mesoflow.runtime.refusal import CONFIG, HALTED, HUB_AWAY, OTHER_VERSION, Refusal
from mesoflow.runtime.run import ReplayDiffers

# Commands that go on with a run: when the hub stays away from them, that run is parked.
GO_ON = frozenset({"resume", "cancel"})


def refusal_of(error: Exception, command: str) -> tuple[Refusal, Exit] | None:
    """The refusal that an exception is, with its exit code; None for a bug of ours."""
    away = Exit.AWAY if command in GO_ON else Exit.REFUSED
    match error:
        case Refusal(code=code) if code == HALTED:
            return error, Exit.HALTED
        case Refusal(code=code):
            return error, away if code == HUB_AWAY else Exit.REFUSED
        case HomeError():
            summary = f"{error.path} {error.reason}"
            return Refusal(error.code, summary, help=(error.remedy,)), Exit.HELD if isinstance(
                error, Held
            ) else Exit.REFUSED
        case LockLost():
            return Refusal(error.code, str(error), help=(f"mesoflow show {error.run_id}",)), Exit.HELD
        case JournalError():
            return Refusal(error.code, str(error), help=("nothing more was sent",)), Exit.REFUSED
        case ReplayDiffers():
            return _differs(error), Exit.BUG
        case ClockError():
            return Refusal(
                CONFIG, str(error), help=("nothing more was sent; set the clock, then `mesoflow resume`",)
            ), Exit.REFUSED
        case HubError():
            return _hub(error), away
        case _:
            return None


def _differs(error: ReplayDiffers) -> Refusal:
    """The journal and the program do not agree: never guess. Ours, unless somebody changed the code under the run."""
    return Refusal(
        OTHER_VERSION,
        f"this is a bug in mesoflow: {error}",
        help=(
            "nothing was sent; please send us this and `mesoflow journal RUN`",
            "mesoflow journal RUN --verify",
        ),
    )


def _hub(error: HubError) -> Refusal:
    remedy = "try again when it answers"
    if isinstance(error, ConnectFailed) and error.remedy:
        error, remedy = replace(error, remedy=""), error.remedy
    return Refusal(HUB_AWAY, f"the hub could not be used: {error}", help=(f"{remedy}; nothing was sent",))
