"""What the journal consists of: entries on their way in, records as they stand, commits, requests and run rows.

A record belongs to a run; `run_id` "" is the state home itself (a mark or a clear that no run made). Kinds:

    started    a run begins: its program, inputs, nonce, hub
    intended   an effect that changes the world, before it leaves
    settled    an outcome: of an intended effect, a read, a wait, a value
    input      what else the interpreter was fed: a cancel, an answer, `withdrawn`
    event      an event of the hub as observed, with the cursor
    engine     an effect of the engine's own and its outcome; never fed to the interpreter
    parked     the process ends, the run can be resumed; with the reason
    ended      the run is over; with its final state
    mark       the legs of a position differ: entries on it are refused until it is cleared (C21)
    cleared    a person has looked: the mark is off
    decided    a person has settled an unknown outcome
    state      the trading state is another one: ACTIVE or REDUCING, by whom and why (C18)
    released   a playbook may run again in this session (C11)
    policy     a run goes on under this policy, which somebody has accepted (C24)

The body is the runtime's affair (runtime/bodies.py); where an effect is meant, it has a `path` that a person can read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from mesoflow.engine.effects import Value

Kind = Literal[
    "started",
    "intended",
    "settled",
    "input",
    "event",
    "engine",
    "parked",
    "ended",
    "mark",
    "cleared",
    "decided",
    "state",
    "released",
    "policy",
]
KINDS: frozenset[str] = frozenset(get_args(Kind))

# Kinds that say how a run or an account stands. A few a run, indexed, so that a fold over the home's reads only them.
STANDING: tuple[Kind, ...] = (
    "started",
    "parked",
    "ended",
    "mark",
    "cleared",
    "decided",
    "state",
    "released",
    "policy",
)

HOME = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be appended to the journal of `run_id`. `account`: whose ledger it moves, "" for none."""

    run_id: str
    kind: Kind
    body: Mapping[str, Value]
    account: str = ""

    def __post_init__(self) -> None:
        # The chain's bytes have one reading only as long as neither holds a line end.
        if self.kind not in KINDS or "\n" in self.run_id:
            raise ValueError(f"no entry of the journal: {self.kind!r} of run {self.run_id!r}")


@dataclass(frozen=True, slots=True)
class Record:
    """An entry as it stands: `body` has been through the codec. `hash` (hex) chains it to the record before in its run."""

    home_seq: int
    run_id: str
    run_seq: int
    kind: Kind
    body: Mapping[str, Value]
    hash: str


class Commit:
    """One durable transaction: its number in the home, the home's chain hash (hex) after it, and what it appended.

    The records are put together when somebody asks: most callers need only to know that it is done. `ledgers`: of each
    account that it moved, the version before and after.
    """

    def __init__(
        self,
        number: int,
        hash: str,
        appended: Callable[[], tuple[Record, ...]],
        ledgers: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        self.number = number
        self.hash = hash
        self.ledgers = ledgers or {}
        self._appended = appended

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """The records, bodies read back through the codec."""
        return self._appended()


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run at a glance. `started` and `last` are home_seqs of its first and newest record."""

    run_id: str
    started: int
    last: int
    records: int
    last_kind: Kind


@dataclass(frozen=True, slots=True)
class Request:
    """A row of the inbox: what another process asks of a run's runner, or of all of them (`run_id` None)."""

    id: int
    run_id: str | None
    kind: str
    body: Mapping[str, Value]
