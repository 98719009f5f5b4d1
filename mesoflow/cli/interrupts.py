"""Signals: Ctrl-C, SIGTERM and SIGHUP park. What becomes of working orders is the policy's word (C16); on a terminal Ctrl-C
asks first. A second Ctrl-C leaves at once, with the orders as they are, and says which.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from mesoflow.cli.exits import Exit
from mesoflow.cli.realtime import every
from mesoflow.runtime.idle_loop import IdleLoop
from mesoflow.runtime.run import Parked
from mesoflow.runtime.views import OrderView

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ALL = frozenset({"entry", "exit", "adjustment"})
# Nobody answers: the policy's word is taken.
ANSWER_WITHIN_S = 30.0


class Interruptible(Protocol):
    """What an interrupt wants of a run."""

    def interrupt(self, parked: Parked, kinds: Collection[str]) -> None: ...
    def working_orders(self) -> Sequence[OrderView]: ...


def told(orders: Sequence[OrderView]) -> str:
    """Working orders in a line."""
    return ", ".join(f"order {order.order_id} ({order.kind}, {order.filled} filled)" for order in orders)


class Interrupts:
    """`kinds`: orders of these kinds are withdrawn when nobody says otherwise."""

    def __init__(
        self, run: Interruptible, say: Callable[[str], None], kinds: Collection[str], asks: bool
    ) -> None:
        self._run = run
        self._say = say
        self._kinds = kinds
        self._asks = asks
        self._asked = False
        self._parking = False
        self._waiting: AbstractContextManager[None] | None = None

    def heard(self, number: signal.Signals) -> None:
        """A signal came."""
        if number == signal.SIGINT and (self._asked or self._parking):
            self._leave_at_once()
        elif number == signal.SIGINT and self._asks and self._run.working_orders():
            self._ask()
        else:
            self._park(number.name, self._kinds)

    def _leave_at_once(self) -> None:
        orders = told(self._run.working_orders())
        left = f"; left working: {orders}" if orders else ""
        print(
            f"left at once{left}; what was sent and not answered is settled by `mesoflow resume`",
            file=sys.stderr,
            flush=True,
        )
        os._exit(Exit.INTERRUPTED)

    def _park(self, name: str, kinds: Collection[str]) -> None:
        if not self._parking:
            self._say(f"{name}: the run parks once calls under way are answered; Ctrl-C again leaves at once")
        self._parking = True
        self._run.interrupt(Parked("interrupted", f"by {name}"), kinds)

    # --- asking --------------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        self._asked = True
        self._say(
            f"working: {told(self._run.working_orders())}\n"
            "[w] withdraw them and park  [l] leave them and park  [c] go on  [Enter] as the policy says; "
            "Ctrl-C again leaves at once"
        )
        loop = asyncio.get_running_loop()
        if isinstance(loop, IdleLoop):
            loop.hold()  # the market waits for the person
        loop.add_reader(sys.stdin.fileno(), self._answered)
        self._waiting = every(ANSWER_WITHIN_S, lambda: self._take("", "nobody answered"))
        self._waiting.__enter__()

    def _answered(self) -> None:
        self._take(sys.stdin.readline().strip().lower()[:1], "by SIGINT")

    def _take(self, answer: str, why: str) -> None:
        self.stop()
        self._asked = False
        if answer == "c":
            self._say("the run goes on")
            return
        kinds = {"w": ALL, "l": frozenset[str]()}.get(answer, self._kinds)
        self._park("SIGINT" if why == "by SIGINT" else f"SIGINT ({why})", kinds)

    def stop(self) -> None:
        """Nobody is asked any more."""
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return
        waiting.__exit__(None, None, None)
        loop = asyncio.get_running_loop()
        loop.remove_reader(sys.stdin.fileno())
        if isinstance(loop, IdleLoop):
            loop.release()


@contextmanager
def interrupts(
    run: Interruptible, say: Callable[[str], None], kinds: Collection[str], *, asks: bool | None = None
) -> Iterator[None]:
    """Listen to signals while the run goes on. `asks`: a person sits at this terminal."""
    loop = asyncio.get_running_loop()
    person = (sys.stdin.isatty() and sys.stdout.isatty()) if asks is None else asks
    hearing = Interrupts(run, say, kinds, person)
    for number in SIGNALS:
        loop.add_signal_handler(number, hearing.heard, number)
    try:
        yield
    finally:
        hearing.stop()
        for number in SIGNALS:
            loop.remove_signal_handler(number)
