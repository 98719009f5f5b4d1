"""A simulated world under the hand of a test: calls go through its hubs as decoded JSON, time passes when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from mesoflow.hubs.contract import METHODS, PATHS
from mesoflow.simulator.faults import Faults
from mesoflow.simulator.simulator import Simulator

_READER = msgspec.json.Decoder(float_hook=Decimal)
_WRITER = msgspec.json.Encoder(decimal_format="number")


def as_json(item: object) -> Any:
    """What a hub gives to its encoder, as a client of the JSON encoding reads it."""
    return _READER.decode(_WRITER.encode(item))


@dataclass
class HandTimer:
    """One appointment of a HandClock."""

    when: datetime
    fn: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class HandClock:
    """Stands still until it is moved; then every appointment on the way is kept, in order."""

    at: datetime
    speed: float | None = None
    timers: list[HandTimer] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    def call_at(self, when: datetime, fn: Callable[[], None]) -> HandTimer:
        timer = HandTimer(when, fn)
        self.timers.append(timer)
        return timer

    def move_to(self, when: datetime) -> None:
        while due := sorted(
            (t for t in self.timers if not t.cancelled and t.when <= when), key=lambda t: t.when
        ):
            self.timers.remove(due[0])
            self.at = max(self.at, due[0].when)
            due[0].fn()
        self.at = max(self.at, when)


@dataclass
class Listener:
    """A connected client that only listens."""

    connection_id: str = "c1"
    closed: bool = False
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def send(self, target: str, *arguments: Any) -> None:
        self.heard.append((target, arguments[0]))

    def close(self, error: str | None = None, *, allow_reconnect: bool = False) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True


class Desk:
    """A world, its hubs and its clock."""

    def __init__(self, folder: Path, *, seed: int | None = None, faults: Faults | None = None) -> None:
        self.folder, self.faults = folder, faults or Faults()
        self.simulator = Simulator.open(folder, HandClock, seed=seed, faults=self.faults)
        self.caller = Listener()

    @property
    def world(self) -> Any:
        return self.simulator.world

    @property
    def clock(self) -> HandClock:
        assert isinstance(self.simulator.clock, HandClock)
        return self.simulator.clock

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def wait(self, seconds: float) -> None:
        self.clock.move_to(self.now + timedelta(seconds=seconds))

    def go_to(self, moment: datetime) -> None:
        self.clock.move_to(moment)

    def hub(self, name: str) -> Any:
        return self.simulator.apps()[PATHS[name]]  # type: ignore[index]

    def raw(self, method: str, args: Any) -> dict[str, Any]:
        """The whole envelope, as a client of the JSON encoding reads it."""
        answer = asyncio.run(self.hub(METHODS[method].hub).invoke(method, [args], self.caller))
        envelope: dict[str, Any] = _READER.decode(_WRITER.encode(answer))
        return envelope

    def call(self, method: str, **args: Any) -> dict[str, Any]:
        wire = METHODS[method].args_model.write(args).wire()
        return self.raw(method, _READER.decode(_WRITER.encode(wire)))

    def ok(self, method: str, **args: Any) -> Any:
        """The data of a call that must succeed."""
        envelope = self.call(method, **args)
        assert envelope["Status"] == "Success", envelope
        return envelope["Data"]

    def refused(self, method: str, **args: Any) -> tuple[str, str, str]:
        """Status, code and text of a call that must not succeed."""
        envelope = self.call(method, **args)
        assert envelope["Status"] != "Success", envelope
        return envelope["Status"], envelope["Error"]["Code"], envelope["Error"]["Detail"]

    # --- the main loop, in four words ------------------------------------------------------------------------------

    def prepare_entry(
        self, key: str = "prep-1", strategy: int = 101, account: str = "PAPER-1", **more: Any
    ) -> Any:
        """The plan of an entry."""
        started = self.ok(
            "StartPreparePositionEntry",
            **{
                "idempotency_key": key,
                "position_name": "calendar",
                "strategy_id": strategy,
                "broker_account_id": account,
                "leg_selection_constraint": "FullyUnique",
                "underlying": None,
                "data_provider": None,
            }
            | more,
        )
        self.wait(10)
        status = self.ok("GetPreparePositionEntryStatus", job_id=started["JobId"])
        assert status["Status"] == "Completed", status["Error"]
        return status["Result"]

    def fill(self, plan: Any, key: str = "fill-1", at: str = "Mark", **more: Any) -> Any:
        """Book a plan at its own quotes."""
        fills = {name: {"price": prices[at]} for name, prices in plan["LegPrices"].items()}
        return self.ok(
            "ApplyPaperFills",
            idempotency_key=key,
            exec_plan_id=plan["ExecPlanId"],
            paper_leg_fills=fills,
            **more,
        )

    def prepare_exit(self, position: int, key: str = "exit-1") -> Any:
        """The plan of an exit."""
        started = self.ok(
            "StartPreparePositionExit", idempotency_key=key, position_id=position, data_provider=None
        )
        self.wait(10)
        status = self.ok("GetPreparePositionExitStatus", job_id=started["JobId"])
        assert status["Status"] == "Completed", status["Error"]
        return status["Result"]

    def close(self) -> None:
        self.simulator.close()
