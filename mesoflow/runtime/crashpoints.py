"""Named crash points: where the real command can be told to SIGKILL itself (EXECUTION.md §6).

    committed:PATH#intended   right after the commit that holds that record; #settled and #input likewise
    sent:PATH                 the last byte is written and, where the simulator is embedded, executed
    answered:PATH             the reply is read and not yet committed

MESOFLOW_CRASH=NAME kills the process at that point, MESOFLOW_CRASH=#17 at the seventeenth that it reaches; MESOFLOW_STOP=NAME,NAME stops it (SIGSTOP) the first time at each of these until
it is sent SIGCONT, so that something else can be killed meanwhile; MESOFLOW_CRASH_LIST=FILE appends each point as it is reached,
one a line, a tab, and the state it stands for: the points of one commit are one state. Without any of them a point costs
one attribute look-up.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Collection
from pathlib import Path


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


class CrashPoints:
    """`reach(name)` at each point. `die` is what a crash is: SIGKILL, or an exception in tests."""

    def __init__(
        self,
        at: str | None = None,
        list_to: Path | None = None,
        die: Callable[[], None] = _die,
        stop_at: Collection[str] = (),
    ) -> None:
        self._at = at
        # `#17`: counted down to the point to die at.
        self._left = int(at[1:]) if at is not None and at.startswith("#") else 0
        self._stop_at = set(stop_at)
        self._list_to = list_to
        self._die = die
        self.active = at is not None or list_to is not None or bool(self._stop_at)

    @classmethod
    def from_environment(cls) -> CrashPoints:
        """As MESOFLOW_CRASH, MESOFLOW_STOP and MESOFLOW_CRASH_LIST say."""
        listing = os.environ.get("MESOFLOW_CRASH_LIST")
        stops = os.environ.get("MESOFLOW_STOP", "").split(",")
        return cls(
            os.environ.get("MESOFLOW_CRASH"),
            Path(listing) if listing else None,
            stop_at=[name for name in stops if name],
        )

    def reach(self, name: str, state: str = "") -> None:
        """Be here; die if this is the place to die at. `state` is what the point shares with others, default itself."""
        if not self.active:
            return
        if self._list_to is not None:
            with self._list_to.open("a", encoding="utf-8") as file:
                file.write(f"{name}\t{state or name}\n")
        self._left -= 1
        if name == self._at or self._left == 0:
            self._die()
        if name in self._stop_at:
            self._stop_at.discard(name)
            _stop()
