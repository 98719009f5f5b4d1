"""A cancel and a kill at any instant of a walk, and cancel, kill and resume of a run that died there (I17).

However it is stopped: no order is alive, what is reported is exactly what filled, and no checker finds anything. After a
SIGKILL nothing is sent in order to be stopped: the world executes no SendOrder that it had not executed before. A walk's
last instants may lie after the run's own end: such a run came to what the undisturbed one came to.

200 instants of the walks of each playbook (stopping.py); in the test command those that the seed draws of them:

    python -m pytest tests/e2e/test_stopped_walks.py --every-point -s
    python -m pytest tests/e2e/test_stopped_walks.py --kill-seed 12 -s
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mesoflow.rehearsal.checkers.catalogue import violations
from mesoflow.rehearsal.evidence import Evidence, filled_by_belief, last, live_ids
from tests.support.killing import KILLED, Desk, Told
from tests.support.played import evidence_of
from tests.support.stopping import STAGE, Instant, instants, walks
from tests.support.warm import Done, Warm

PLAYBOOKS = ("live-like-iron-condor", "live-like-strangle", "first-orders")
INSTANTS = 200
# Of them in the test command: stopped while it lives, and dead first.
LIVING, DEAD = 10, 3

Check = Callable[[Desk, Instant, Told], str]
NOBODYS = Told("", None, [], None)


@dataclass
class Uncut:
    """What a run that nobody stops comes to, the instants at which others are stopped, and when it walks."""

    told: Told
    instants: list[Instant]
    walks: list[tuple[datetime, datetime]]


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    with Warm() as commands:
        yield commands


@pytest.fixture(scope="module")
def uncut(
    warm: Warm, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> dict[str, Uncut]:
    """Each playbook to its end, and the instants of its walks."""
    found: dict[str, Uncut] = {}
    for name in PLAYBOOKS:
        desk = Desk(tmp_path_factory.mktemp(name), f"plans/{name}.yaml", warm)
        done = desk.run()
        assert done.code == 0, done.said
        seed = request.config.getoption("--kill-seed")
        records = desk.records()
        found[name] = Uncut(desk.told(), instants(records, INSTANTS, seed), walks(records))
    return found


@pytest.fixture
def everywhere(
    uncut: dict[str, Uncut], warm: Warm, tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[[Check, int], None]:
    """Play a check at instants of every playbook's walks: all of them, or so many a playbook."""
    whole, seed = request.config.getoption("--every-point"), request.config.getoption("--kill-seed")

    def play(check: Check, number: int) -> None:
        tasks = [
            (name, instant)
            for name, one in uncut.items()
            for instant in (
                one.instants if whole else random.Random(f"{seed} {name}").sample(one.instants, number)
            )
        ]

        def one(task: tuple[str, Instant]) -> str:
            name, instant = task
            desk = desk_for(tmp_path, warm, name, instant)
            problem = check(desk, instant, uncut[name].told)
            if not problem:
                shutil.rmtree(desk.folder)
            else:
                print(f"{check.__name__} {name} {instant}: {problem}", flush=True)
            return f"{name} {instant}: {problem}" if problem else ""

        began = time.monotonic()
        problems = [problem for problem in warm.each(one, tasks) if problem]
        print(f"{check.__name__}: {len(tasks)} instants, seed {seed}, {time.monotonic() - began:.0f} s")
        assert problems == []

    return play


def desk_for(folder: Path, warm: Warm, name: str, instant: object) -> Desk:
    return Desk(folder / f"{name}-{instant}".replace(":", "_"), f"plans/{name}.yaml", warm)


# --- what must hold ----------------------------------------------------------------------------------------------------


def wrong_with(desk: Desk) -> str:
    """What is wrong with a run that was stopped, by the world's ledger."""
    evidence = evidence_of(desk.home)
    # A dead run that had nothing at work is let alone by a kill: it has no end, and can be resumed (I12), as is shown then.
    as_it_died = last(evidence.runs[desk.run_id]) is None
    wrong = [str(found) for found in violations(evidence) if not (as_it_died and found.invariant == "I12")]
    wrong += [f"order {order.id} is alive" for order in evidence.orders if order.alive]
    wrong += [f"{key} was executed twice" for key in desk.executed_twice()]
    return "; ".join(wrong + misreported(evidence, desk.run_id) + desk.unwitnessed())


def misreported(evidence: Evidence, run_id: str) -> list[str]:
    """Orders of which the journal does not say exactly what the world's ledger says."""
    records = evidence.runs[run_id]
    known, accepted = filled_by_belief(records), set(live_ids(records).values())
    return [
        f"order {order.id}: {known.get(order.id)} reported, {order.filled} filled"
        for order in evidence.orders
        if order.id not in accepted or known.get(order.id, 0) != order.filled
    ]


def staged(desk: Desk, deed: str, instant: Instant, play: str = "stage") -> Done:
    return desk.warm.staged(
        f"tests.support.stopping:{play}",
        "run",
        desk.playbook,
        MESOFLOW_HOME=str(desk.home),
        MESOFLOW_WITNESS=str(desk.witness),
        **{STAGE: f"{deed} {instant}"},
    )


def came_too_late(desk: Desk, done: Done, uncut: Told) -> bool:
    return done.code == 0 and desk.told() == uncut


def died_after_its_end(desk: Desk, died: Done, uncut: Told) -> bool:
    return died.code == KILLED and desk.records()[-1].kind == "ended" and desk.told() == uncut


def sends(desk: Desk) -> Sequence[str]:
    return [call.key for call in evidence_of(desk.home).executed if call.operation == "SendOrder"]


# --- while it lives ----------------------------------------------------------------------------------------------------


def cancelled(desk: Desk, instant: Instant, uncut: Told) -> str:
    done = staged(desk, "cancel", instant)
    if came_too_late(desk, done, uncut):
        return ""
    return wrong_with(desk) if done.code == 6 else done.said


def halted(desk: Desk, instant: Instant, uncut: Told) -> str:
    done = staged(desk, "halt", instant)
    if came_too_late(desk, done, uncut):
        return ""
    return wrong_with(desk) if done.code == 7 else done.said


@pytest.mark.parametrize("check", [cancelled, halted])
def test_stopped_at_any_instant(everywhere: Callable[[Check, int], None], check: Check) -> None:
    everywhere(check, LIVING)


# --- dead first --------------------------------------------------------------------------------------------------------


def dead_and_cancelled(desk: Desk, instant: Instant, uncut: Told) -> str:
    return dead_and_then(desk, instant, uncut, 6, "cancel", desk.run_id)


def dead_and_killed(desk: Desk, instant: Instant, uncut: Told) -> str:
    """Killed, nothing of it is alive; released, it goes on to its end."""
    wrong = dead_and_then(desk, instant, uncut, 0, "kill")
    if wrong or not (desk.home / "HALT").exists():
        return wrong
    for code, command in (
        (7, ["resume", desk.run_id]),
        (0, ["release", "--yes"]),
        (0, ["resume", desk.run_id]),
    ):
        done = desk.mesoflow(*command)
        if done.code != code:
            return f"{command[0]} after the kill: {done.said}"
    return wrong_with(desk)


def dead_and_then(desk: Desk, instant: Instant, uncut: Told, code: int, *command: str) -> str:
    """Nothing is sent in order to be stopped."""
    died = staged(desk, "die", instant)
    if came_too_late(desk, died, uncut) or died_after_its_end(desk, died, uncut):
        return ""
    if died.code != KILLED:
        return f"it did not die: {died.said}"
    before = sends(desk)
    done = desk.mesoflow(*command)
    return sent_to_be_stopped(desk, before) or (
        f"{command[0]}: {done.said}" if done.code != code else wrong_with(desk)
    )


def sent_to_be_stopped(desk: Desk, before: Sequence[str]) -> str:
    more = len(sends(desk)) - len(before)
    return f"orders sent in order to be stopped: {more}" if more else ""


def dead_and_resumed(desk: Desk, instant: Instant, uncut: Told) -> str:
    died = staged(desk, "die", instant)
    if came_too_late(desk, died, uncut) or died_after_its_end(desk, died, uncut):
        return ""
    if died.code != KILLED:
        return f"it did not die: {died.said}"
    done = desk.resume()
    if done.code != 0:
        return done.said
    return wrong_with(desk) if desk.told() == uncut else "it came to something else than the undisturbed run"


@pytest.mark.parametrize("check", [dead_and_cancelled, dead_and_killed, dead_and_resumed])
def test_stopped_after_it_died_at_any_instant(everywhere: Callable[[Check, int], None], check: Check) -> None:
    everywhere(check, DEAD)


# --- mutants -----------------------------------------------------------------------------------------------------------

SEND = "enter/sell/group-1/rung-1/send"


@pytest.fixture
def resting(uncut: dict[str, Uncut]) -> Instant:
    """Six seconds into the first walk of the condor: its first rung rests."""
    begin, _ = uncut["live-like-iron-condor"].walks[0]
    return Instant(begin + timedelta(seconds=6), 0)


def test_a_halt_that_withdraws_nothing_is_caught(warm: Warm, tmp_path: Path, resting: Instant) -> None:
    desk = desk_for(tmp_path, warm, "live-like-iron-condor", resting)
    staged(desk, "halt", resting, "withdraws_nothing")
    (order,) = evidence_of(desk.home).orders
    assert f"order {order.id} is alive" in wrong_with(desk)


def test_a_rung_that_leaves_after_the_halt_is_caught(warm: Warm, tmp_path: Path, resting: Instant) -> None:
    """By the witness, which lets pass what left before it: nothing of it is executed."""
    desk = desk_for(tmp_path, warm, "live-like-iron-condor", resting)
    done = staged(desk, "touch", resting, "sees_no_halt")
    assert (done.code, done.err.rpartition(": ")[2]) == (3, "the state home is halted\n")
    assert len(sends(desk)) == 1


def test_a_cancel_that_forgets_the_orders_is_caught(warm: Warm, tmp_path: Path, resting: Instant) -> None:
    """The run is over at once, and its rung still rests."""
    desk = desk_for(tmp_path, warm, "live-like-iron-condor", resting)
    staged(desk, "cancel", resting, "forgets_its_orders")
    (order,) = evidence_of(desk.home).orders
    assert f"order {order.id} is alive" in wrong_with(desk)


def test_a_fill_that_is_not_reported_is_caught(warm: Warm, tmp_path: Path, resting: Instant) -> None:
    desk = desk_for(tmp_path, warm, "live-like-iron-condor", resting)
    assert cancelled(desk, resting, NOBODYS) == ""
    evidence = evidence_of(desk.home)
    (order,) = evidence.orders
    more = replace(evidence, orders=(replace(order, filled=1),))
    assert misreported(more, desk.run_id) == [f"order {order.id}: 0 reported, 1 filled"]


@pytest.mark.parametrize("play", ["", "resends_whatever_happens"])
def test_an_order_that_is_sent_in_order_to_be_stopped_is_caught(
    warm: Warm, tmp_path: Path, play: str
) -> None:
    """It died with its first order written down and not sent; an honest cancel lets it be."""
    desk = Desk(tmp_path, "plans/live-like-iron-condor.yaml", warm)
    assert desk.run(MESOFLOW_CRASH=f"committed:{SEND}#intended").code == KILLED
    before = sends(desk)
    if play:
        warm.staged(f"tests.support.stopping:{play}", "cancel", desk.run_id, MESOFLOW_HOME=str(desk.home))
    else:
        assert desk.mesoflow("cancel", desk.run_id).code == 6
    assert sent_to_be_stopped(desk, before) == ("orders sent in order to be stopped: 1" if play else "")
