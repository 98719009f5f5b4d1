"""The three playbooks that walk, killed and resumed with the simulator as a server of its own: its orders live on meanwhile.

Ten states, each with its own world: the same position afterwards as a run that nobody killed comes to, no key executed
twice, and nothing that a checker finds (I1–I17). What is killed in an adjustment was parked by a kill before; the world
lives on for two sessions until it is resumed, since the market has to move for that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mesoflow.rehearsal.checkers.catalogue import violations
from mesoflow.rehearsal.evidence import Evidence
from tests.support.lab import Lab
from tests.support.played import evidence_of

KILLED = -9
# What may have been resumed too late on a busy machine: written down, and never sent.
A_PERSON = 4
UNSENT = {"committed:enter/sell/group-1/rung-1/send#intended": "enter/sell/group-1/rung-1/send"}
IT_IS_NOT_THERE = ("--did-not-happen", "--reason", "the hub shows no such order")
# A walk that nothing retries has to outlast the start of a command.
SPEED_OF_A_LAST_WALK = 6
# A world and a speed for each attempt: a market may fill an order first, and a busy machine may be too slow for a walk.
ATTEMPTS = ((7, 10), (8, 10), (9, 5), (10, 3))
# Most of the time they wait for a clock.
SIDE_BY_SIDE = 4
# Contracts by leg.
Position = Mapping[str, int]
FLAT: Position = {}
WINGS: Position = {"long_put": 1, "long_call": 1}
STRANGLE: Position = {"short_put": -1, "short_call": -1}
MOVED: Position = {"short_put": -1, "short_call_2": -1}


@dataclass(frozen=True)
class Case:
    """One of the playbooks in a served world that begins at `begins`. `ends`: what it may come to, by the market's word.

    `later`: where it is killed first, and when it is resumed, for what only a moved market brings about.
    """

    playbook: str
    begins: datetime
    inputs: tuple[str, ...]
    ends: tuple[Position, ...]
    later: tuple[str, datetime] | None = None

    @property
    def run_id(self) -> str:
        """The run's, by the session in which it begins."""
        return f"{self.playbook}-2025-01-17"

    @property
    def codes(self) -> tuple[int, ...]:
        """How its commands end."""
        return (KILLED,) * (1 if self.later is None else 2) + (0,)


@dataclass(frozen=True)
class Found:
    """How the commands of one state ended, what the last one said if it failed, and what both sides hold."""

    codes: tuple[int, ...]
    said: str
    evidence: Evidence


CONDOR = Case(
    "live-like-iron-condor",
    datetime(2025, 1, 17, 14, 44, tzinfo=UTC),
    ("entry_at=09:45", "hold=5s"),
    (WINGS, FLAT),
)
BOTH_SIDES = Case(
    "live-like-strangle", datetime(2025, 1, 17, 20, 40, tzinfo=UTC), ("entry_at=15:41",), (FLAT,)
)
ORDERS = Case("first-orders", CONDOR.begins, ("entry_at=09:45", "adjust_at=09:48"), (STRANGLE, MOVED))
MOVING = replace(
    ORDERS,
    inputs=("entry_at=09:45", "adjust_at=next 15:00"),
    ends=(MOVED,),
    later=("committed:later/at#settled", datetime(2025, 1, 21, 19, 59, 50, tzinfo=UTC)),
)

STATES: tuple[tuple[Case, str], ...] = (
    (CONDOR, "committed:enter/sell/group-1/rung-1/send#intended"),
    (CONDOR, "sent:enter/sell/group-1/rung-1/send"),
    (CONDOR, "sent:enter/sell/group-1/rung-1/cancel"),
    (CONDOR, "committed:enter/sell/group-1/rung-2/send#settled"),
    (BOTH_SIDES, "sent:sell/group-1/rung-1/send"),
    (BOTH_SIDES, "committed:sell/group-1/rung-1/cancel#intended"),
    (ORDERS, "sent:send/group-1/rung-1/send"),
    (ORDERS, "committed:send/group-2/rung-1/send#settled"),
    (MOVING, "sent:move/adjust/group-2/rung-1/send"),
    (MOVING, "committed:move/adjust/group-2/rung-1/send#settled"),
)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    """What each state came to."""
    folder = tmp_path_factory.mktemp("served")
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        each = pool.map(lambda state: killed_at(folder / str(STATES.index(state)), *state), STATES)
        return {point: one for (_, point), one in zip(STATES, each, strict=True)}


@pytest.mark.parametrize(("case", "point"), STATES, ids=[point for _, point in STATES])
def test_killed_and_resumed_while_its_orders_live_on(found: dict[str, Found], case: Case, point: str) -> None:
    one = found[point]
    assert (one.codes, one.said) == (case.codes, "")
    assert wrong_with(one.evidence, case) == []


def killed_at(folder: Path, case: Case, point: str) -> Found:
    """A kill at `point`, and a resume. A run that never comes to the point has another world, in the end a slower one."""
    for seed, speed in ATTEMPTS:
        found = killed_in(folder / str(seed), seed, speed, case, point)
        if found.codes[-2] == KILLED:
            break
    return found


def killed_in(folder: Path, seed: int, speed: int, case: Case, point: str) -> Found:
    """In the world of that seed."""
    lab = Lab(folder, speed=speed)
    lab.pass_time(case.begins, seed=seed)
    inputs = [word for one in case.inputs for word in ("--set", one)]
    start, resume = ("run", f"plans/{case.playbook}.yaml", "--hub", "lab", *inputs), ("resume", case.run_id)
    with lab:
        codes, going = [], start
        if case.later is not None:
            first, until = case.later
            codes.append(lab.mesoflow(*start, MESOFLOW_CRASH=first).returncode)
            lab.stop()
            lab.pass_time(until)
            lab.speed = min(speed, SPEED_OF_A_LAST_WALK)
            lab.serve()
            going = resume
        done = lab.mesoflow(*going, MESOFLOW_CRASH=point)
        codes.append(done.returncode)
        if done.returncode == KILLED:
            done = lab.mesoflow(*resume)
        if done.returncode == A_PERSON and point in UNSENT:
            # Too late to send it again, by the walk's time or the rails: the person looks at the hub, and it is not there.
            assert lab.mesoflow("settle", case.run_id, UNSENT[point], *IT_IS_NOT_THERE).returncode == 0
            done = lab.mesoflow(*resume)
        codes.append(done.returncode)
        lab.stop()
        said = f"{done.stdout[-600:]}{done.stderr[-600:]}" if done.returncode else ""
        return Found(tuple(codes), said, evidence_of(lab.home, lab.world))


def wrong_with(evidence: Evidence, case: Case) -> list[str]:
    """By the served world's own ledger."""
    wrong = [str(violation) for violation in violations(evidence)]
    wrong += [f"order {order.id} is alive" for order in evidence.orders if order.alive]
    keys = Counter(call.key for call in evidence.executed)
    wrong += [f"{key} was executed {times} times" for key, times in keys.items() if times > 1]
    if position_of(evidence) not in case.ends:
        wrong.append(f"the position is {dict(position_of(evidence))}")
    return wrong


def position_of(evidence: Evidence) -> Position:
    """Added up from the fills."""
    held: Counter[str] = Counter()
    for fill in evidence.fills:
        held[fill.leg] += int(fill.qty)
    return {leg: quantity for leg, quantity in held.items() if quantity}


# --- mutants -----------------------------------------------------------------------------------------------------------


def forgets_a_key(evidence: Evidence) -> Evidence:
    """The order is sent a second time under its key, and the hub executes it."""
    return replace(evidence, executed=(*evidence.executed, evidence.executed[0]))


def leaves_an_order(evidence: Evidence) -> Evidence:
    return replace(evidence, orders=(*evidence.orders[:-1], replace(evidence.orders[-1], phase="working")))


def sells_twice(evidence: Evidence) -> Evidence:
    return replace(evidence, fills=(*evidence.fills, evidence.fills[0]))


@pytest.mark.parametrize(
    ("mutant", "words"),
    [
        (forgets_a_key, "was executed 2 times"),
        (leaves_an_order, "is alive"),
        (sells_twice, "the position is"),
    ],
)
def test_each_mutant_is_caught(
    found: dict[str, Found], mutant: Callable[[Evidence], Evidence], words: str
) -> None:
    case, point = STATES[0]
    assert any(words in wrong for wrong in wrong_with(mutant(found[point].evidence), case))
