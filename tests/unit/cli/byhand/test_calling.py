"""An embedded world's time is held while somebody looks, and let go when an answer never comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from mesoflow.cli.byhand.calling import call, still
from mesoflow.hubs.contract import METHODS
from mesoflow.hubs.errors import CallRefused, OutcomeUnknown
from mesoflow.runtime.idle_loop import new_idle_loop
from mesoflow.runtime.refusal import Refusal

EMBEDDED: Any = SimpleNamespace(embedded=True)
REMOTE: Any = SimpleNamespace(embedded=False)


def on_idle_loop(main: Callable[[asyncio.AbstractEventLoop], Awaitable[Any]]) -> Any:
    async def started() -> Any:
        return await main(asyncio.get_running_loop())

    with asyncio.Runner(loop_factory=new_idle_loop) as runner:
        return runner.run(started())


async def real_turn(loop: asyncio.AbstractEventLoop) -> None:
    """Something that takes real time and no simulated one."""
    await loop.run_in_executor(None, time.monotonic)


def test_time_stands_still_though_a_timer_waits() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> tuple[bool, float]:
        before = loop.time()
        with still(EMBEDDED):
            hour = asyncio.ensure_future(asyncio.sleep(3600))
            for _ in range(3):
                await real_turn(loop)
            held = (hour.done(), loop.time() - before)
        await hour
        return held

    assert on_idle_loop(main) == (False, 0.0)


def test_after_its_patience_deadlines_pass_again() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> float:
        before = loop.time()
        with still(EMBEDDED, patience_s=0.01):
            await asyncio.sleep(3600)
        return loop.time() - before

    assert on_idle_loop(main) >= 3600


def test_another_hub_s_time_is_its_own() -> None:
    async def main(loop: asyncio.AbstractEventLoop) -> float:
        before = loop.time()
        with still(REMOTE):
            await asyncio.sleep(3600)
        return loop.time() - before

    assert on_idle_loop(main) >= 3600


@pytest.mark.parametrize(
    ("error", "args", "summary", "rows", "help_"),
    [
        (
            CallRefused(
                "GetLeg", "NotFound", "there is no leg 9", code="NotFound", fields={"LegId": ["unknown"]}
            ),
            {"leg_id": 9},
            "the hub refused GetLeg: there is no leg 9",
            (("status", "NotFound"), ("code", "NotFound"), ("LegId", "unknown")),
            (),
        ),
        (
            OutcomeUnknown("GetLeg", "no answer in 30 s"),
            {"leg_id": 9},
            "GetLeg was sent and its outcome is unknown: no answer in 30 s",
            (),
            ("ask again",),
        ),
        (
            OutcomeUnknown("StartPreparePositionExit", "no answer in 30 s"),
            {"idempotency_key": "k"},
            "StartPreparePositionExit was sent and its outcome is unknown: no answer in 30 s",
            (),
            ("mesoflow hub call GetIdempotencyRecord idempotency_key=k",),
        ),
    ],
)
def test_how_a_call_ends_when_not_in_an_answer(
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    args: dict[str, Any],
    summary: str,
    rows: Any,
    help_: Any,
) -> None:
    class Failing:
        def encode(self, *_: Any) -> bytes:
            return b""

        async def invoke(self, *_: Any, **__: Any) -> Any:
            raise error

        async def __aenter__(self) -> Failing:
            return self

        async def __aexit__(self, *_: object) -> None:
            return None

    monkeypatch.setattr("mesoflow.cli.byhand.calling.hub_of", lambda *_: Failing())
    method = METHODS[str(error.method)]  # type: ignore[attr-defined]
    with pytest.raises(Refusal) as refused:
        asyncio.run(call(REMOTE, method, args, frozenset({"read"}), one_page=False))
    seen = refused.value
    assert (seen.code, seen.summary, seen.rows, seen.help) == ("MF516", summary, rows, help_)
