"""What a rehearsal does to a process from inside: dials of its embedded world, and a deed at an instant of its run.

The process that plays a seeded world sets the stage before it begins; the command itself tells when a world was opened and
when a run begins. In any other process nothing is set, and both do nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mesoflow.runtime.run import Run
    from mesoflow.simulator.simulator import Simulator


@dataclass(slots=True)
class Stage:
    """`opened` sets the dials of a world; `begun` is called on the run's loop, before its first input.

    `hangs_after_s`: a command lasts a second or some; one that is stuck is ended by its own alarm, and that is a violation.
    """

    opened: Callable[[Simulator], None] | None = None
    begun: Callable[[Run], None] | None = None
    hangs_after_s: int = 60


# One a process: whoever plays a world does so in a process of its own.
STAGE = Stage()


def world_opened(simulator: Simulator) -> None:
    """The command has opened its embedded world."""
    if STAGE.opened is not None:
        STAGE.opened(simulator)


def run_begins(run: Run) -> None:
    """The command is about to run it."""
    if STAGE.begun is not None:
        STAGE.begun(run)
