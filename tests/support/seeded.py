"""Worlds from a seed: a playbook, an account, faults and an interruption are drawn; then everything must settle.

Each run is a process of its own, forked with everything imported, so that it can really be killed. First a phase with
faults and one interruption, then a phase without, in which the run is resumed until it is over or a person is called.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from mesoflow.cli.__main__ import main
from mesoflow.rehearsal.checkers.catalogue import violations
from mesoflow.runtime.run import Run
from mesoflow.simulator.faults import Loss, Mishap
from mesoflow.simulator.simulator import Simulator
from tests.support.played import evidence_of

NAME = "seeded"
RUN = f"{NAME}-2025-01-16"
RISK = (
    "max_contracts_per_order: 40, max_order_premium: 1000000, max_order_loss: unlimited, max_open_loss: unlimited, "
    "max_stress_loss: {move: 8%, loss: 2000000}, max_daily_loss: 500000, max_distance_from_mid: 60% of mid"
)
WALK = "{start: mid, step: 0.20, every: 15s, worst: {from_natural: 0.20}}"
ENTRY = "  - {id: entry, action: entry.prepare, with: {strategy: STRATEGY, lots: LOTS}}\n"
BUY = ENTRY + (
    f'  - {{id: buy, action: orders.work, with: {{exec_plan: "{{{{ steps.entry }}}}", price: {WALK}, within: 4m MORE}}}}\n'
)
CLOSE = (
    "  - id: close\n    action: position.exit\n    retry: {attempts: 3, errors: [not_filled, incomplete, no_quote], wait: 10s}\n"
    f'    with: {{position_id: "{{{{ steps.buy.position_id }}}}", price: {WALK}, within: 4m}}\n'
)
SEND = ENTRY + (
    '  - {id: send, action: orders.send, with: {exec_plan: "{{ steps.entry }}", price: {start: mid}}}\n'
    '  - {id: buy, action: fills.wait, with: {orders: "{{ steps.send }}", within: 2m}}\n'
)
UNWIND = f", if_incomplete: {{unwind: {{price: {WALK}, within: 4m}}}}"
# (account, strategy, steps): one group, two groups one after the other and at once, sent and waited for, paper.
STORIES = (
    ("IB-1", "101", BUY),
    ("IB-1", "101", BUY + CLOSE),
    ("IB-1", "103", BUY.replace("MORE", ", sequence: together")),
    ("TT-1", "103", BUY.replace("MORE", UNWIND)),
    ("TT-1", "103", BUY + CLOSE),
    ("IB-1", "103", SEND + CLOSE),
    ("PAPER-1", "101", BUY + CLOSE),
)
# Ends that a resume goes on from, once the faults are over.
RESUMABLE = frozenset({-signal.SIGKILL, 8, 130})
RESUMES_MAX = 6
# A command takes about a second; one that takes this long hangs, and its alarm's number is the end that is told.
HANGS_AFTER_S = 90
OVER = frozenset({0, 1, 4, 6})
S = timedelta(seconds=1)

Fault = Callable[[Simulator], None]


@dataclass(frozen=True)
class World:
    """What a seed came to; `problems` are violations, and ends that are none."""

    seed: int
    story: str
    codes: tuple[int, ...]
    problems: tuple[str, ...]


def play(seed: int, folder: Path) -> World:
    """One world, whole."""
    draw = random.Random(seed)
    account, strategy, steps = draw.choice(STORIES)
    lots = draw.choice((1, 1, 2, 3))
    steps = steps.replace("STRATEGY", strategy).replace("LOTS", str(lots)).replace("MORE", "")
    folder.mkdir(parents=True)
    path = folder / "seeded.yaml"
    head = f"mesoflow: 1\nname: {NAME}\nstart: {{once_per: never}}\nrisk: {{accounts: [{account}], {RISK}}}\nsteps:\n"
    path.write_text(head + steps, encoding="utf-8")
    faults = [draw.choice(FAULTS)(draw) for _ in range(draw.choice((0, 1, 1, 2, 3)))]
    interruption = draw.choice((None, None, "kill", "kill", "cancel", "park"))
    at = draw.uniform(0.5, 120)
    home = folder / "home"
    codes = [_process(folder, home, ["run", str(path)], faults, interruption, at)]
    while codes[-1] in RESUMABLE and len(codes) <= RESUMES_MAX:
        codes.append(_process(folder, home, ["resume", RUN], [], None, 0))
    problems = [str(found) for found in violations(evidence_of(home))]
    if codes[-1] not in OVER:
        problems.append(f"it ended in {codes[-1]}: {(folder / 'said.txt').read_text()[-600:]}")
    return World(seed, f"{account} {strategy} lots {lots} {interruption}", tuple(codes), tuple(problems))


def _process(
    folder: Path, home: Path, arguments: list[str], faults: list[Fault], interruption: str | None, at: float
) -> int:
    """A command in a process of its own; its exit code, negative where a signal ended it."""
    child = os.fork()
    if child == 0:
        signal.alarm(HANGS_AFTER_S)
        code = 3
        try:
            code = _command(folder, home, arguments, faults, interruption, at)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _command(
    folder: Path, home: Path, arguments: list[str], faults: list[Fault], interruption: str | None, at: float
) -> int:
    said = os.open(folder / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.environ["MESOFLOW_HOME"] = str(home)
    if faults:
        _with_faults(faults)
    if interruption is not None:
        _interrupted(interruption, at)
    return int(main(arguments))


def _with_faults(faults: list[Fault]) -> None:
    honest = Simulator.open.__func__  # type: ignore[attr-defined]

    def opened(cls: type[Simulator], *arguments: Any, **named: Any) -> Simulator:
        simulator: Simulator = honest(cls, *arguments, **named)
        for fault in faults:
            fault(simulator)
        return simulator

    Simulator.open = classmethod(opened)  # type: ignore[assignment]


def _interrupted(how: str, at: float) -> None:
    """After `at` simulated seconds of the run."""
    go = Run.go

    async def interrupted(self: Run, *arguments: Any, **named: Any) -> Any:
        deeds: dict[str, Callable[[], None]] = {
            "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
            "park": lambda: os.kill(os.getpid(), signal.SIGTERM),
            "cancel": lambda: self.cancel("operator"),
        }
        asyncio.get_running_loop().call_later(at, deeds[how])
        return await go(self, *arguments, **named)

    Run.go = interrupted  # type: ignore[method-assign]


# --- faults, each drawn with its figures -------------------------------------------------------------------------------


def _befalls(what: str) -> Callable[[random.Random], Fault]:
    def drawn(draw: random.Random) -> Fault:
        mishap = Mishap(
            what,  # type: ignore[arg-type]
            nth=draw.choice((1, 1, 2, 3)),
            after=draw.choice((1, 4, 9, 25)) * S,
            packages=1 if what == "fills" else None,
            reason="margin",
        )
        return lambda simulator: simulator.world.faults.orders.append(mishap)

    return drawn


def _lost(part: str) -> Callable[[random.Random], Fault]:
    def drawn(draw: random.Random) -> Fault:
        loss = Loss(
            draw.choice(("SendOrder", "CancelOrder", "ApplyPaperFills", "GetOrder")), draw.choice((1, 2))
        )
        return lambda simulator: getattr(simulator.world.faults, part).append(loss)

    return drawn


def _away(draw: random.Random) -> Fault:
    start, length = draw.uniform(1, 90) * S, draw.choice((5, 40)) * S
    return lambda simulator: simulator.world.faults.hub_away(simulator.last_time + start, length)


def _agent_away(draw: random.Random) -> Fault:
    start, length = draw.uniform(1, 90) * S, draw.choice((5, 30)) * S
    connector = draw.choice(("IBKR", "TastyTrade"))
    return lambda simulator: simulator.world.faults.agent_away(connector, simulator.last_time + start, length)


def _silent(draw: random.Random) -> Fault:
    start = draw.uniform(0, 60) * S
    return lambda simulator: simulator.world.faults.silence(simulator.last_time + start, 300 * S)


def _restart(draw: random.Random) -> Fault:
    start, new = draw.uniform(1, 90) * S, draw.choice((True, False))
    broker = draw.choice(("IBKR", "TastyTrade"))
    return lambda simulator: simulator.world.faults.broker_restart(
        broker, simulator.last_time + start, 8 * S, new_ids=new
    )


def _processing(draw: random.Random) -> Fault:
    method = draw.choice(("SendOrder", "CancelOrder", "ApplyPaperFills"))

    def change(simulator: Simulator) -> None:
        simulator.world.faults.lose_reply.append(Loss(method))
        simulator.world.faults.record_processing[method] = 20 * S

    return change


FAULTS: tuple[Callable[[random.Random], Fault], ...] = (
    *map(
        _befalls,
        ("ack_late", "id_late", "frozen", "reject", "late_reject", "fills", "fill_wins", "fill_after_cancel",
         "fill_told_twice", "fill_told_again", "cancel_slow", "person_cancels", "person_closes", "record_failed"),
    ),
    _lost("lose_request"),
    _lost("lose_reply"),
    _away,
    _agent_away,
    _silent,
    _restart,
    _processing,
)  # fmt: skip
