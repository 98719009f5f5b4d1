"""A run's journal, told again: the interpreter is fed its inputs, and what each step came to is written down with its time.

The journal holds effects and outcomes, not steps; steps without an effect (assert, set) leave no record at all. So the
report does what resume does, without a world: the same interpreter, the same inputs, in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mesoflow.engine.control import Machine, run_playbook
from mesoflow.engine.effects import Call, Done, Effect, Govern, Outcome, Place, Refused, Tell, Value, Withdraw
from mesoflow.engine.interpreter import EngineBug, Interpreter, Turn
from mesoflow.engine.paths import is_withdrawal
from mesoflow.engine.tasks import Ending
from mesoflow.expressions.names import Scope, StepView
from mesoflow.hubs.contract import METHODS
from mesoflow.journal.records import Record


class WatchedScope(Scope):
    """The run's outermost scope, which tells when a step in it has ended."""

    __slots__ = ("_told",)

    def __init__(self, told: Callable[[str, StepView], None]) -> None:
        super().__init__()
        self._told = told

    def set(self, step: str, view: StepView) -> None:
        """A step has ended."""
        super().set(step, view)
        self._told(step, view)


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How a step ended, and when."""

    view: StepView
    at: datetime


@dataclass(slots=True)
class Replayed:
    """What the replay saw. `differs` says where journal and program part, if they do; what is above it still holds.
    `withdrawn`: orders that a halt or a park took back."""

    steps: dict[str, StepEnd] = field(default_factory=dict)
    asked: dict[str, tuple[Effect, datetime]] = field(default_factory=dict)
    settled: dict[str, tuple[Outcome, datetime]] = field(default_factory=dict)
    waiting: dict[str, Effect] = field(default_factory=dict)
    over: Ending | None = None
    differs: str = ""
    withdrawn: list[Mapping[str, Value]] = field(default_factory=list)


def changes_world(effect: Effect) -> bool:
    """What a cancel never abandons; the runtime's own rule, which stands above this layer and is held to it by a test."""
    if isinstance(effect, Call):
        return METHODS[effect.method].klass != "read"
    return isinstance(effect, Place | Withdraw | Tell | Govern)


def replay(machine: Machine, records: Iterable[Record], started_at: datetime) -> Replayed:
    """Feed the records after the first to a new interpreter over `machine` (which is used up by it)."""
    told = Replayed()
    machine.steps = WatchedScope(lambda step, view: _ended(told, machine, step, view))
    interpreter = Interpreter(run_playbook(machine), changes_world=changes_world, tick=machine.tick)
    try:
        _note(told, interpreter.start(started_at), started_at)
        for record in records:
            _feed(told, machine, interpreter, record)
    except EngineBug as error:
        told.differs = str(error)
    told.waiting = interpreter.waiting
    told.over = interpreter.over
    return told


def _feed(told: Replayed, machine: Machine, interpreter: Interpreter, record: Record) -> None:
    body = record.body
    if record.kind == "settled" and not is_withdrawal(body["path"]):
        outcome = read_outcome(body)
        told.settled[body["path"]] = (outcome, body["at"])
        _note(told, interpreter.settle(body["path"], outcome, body["at"]), body["at"])
    elif record.kind == "input" and "cancel" in body:
        _note(told, interpreter.cancel(body["cancel"], body["at"]), body["at"])
    elif record.kind == "input":
        _learn(machine, body)
        if "withdrawn" in body:
            told.withdrawn.append(body["withdrawn"])


def _learn(machine: Machine, body: Mapping[str, Value]) -> None:
    """What was withdrawn, and what filled late, is told to the actions."""
    for name, known in (("withdrawn", machine.context.withdrawn), ("late_fill", machine.context.late_fills)):
        if name in body:
            known[body[name]["order"]] = body[name]


def _note(told: Replayed, turn: Turn, at: datetime) -> None:
    for path, effect in turn.perform:
        told.asked[path] = (effect, at)


def _ended(told: Replayed, machine: Machine, step: str, view: StepView) -> None:
    told.steps[step] = StepEnd(view, machine.context.now)


def read_outcome(body: Mapping[str, Value]) -> Outcome:
    """The outcome in a settled record, as runtime/bodies.py writes it."""
    outcome = body["outcome"]
    if "refused" in outcome:
        refused = outcome["refused"]
        return Refused(refused["code"], refused["summary"], refused["details"], refused["retryable"])
    return Done(outcome["done"])
