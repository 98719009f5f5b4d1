"""Control flow: how a Program's steps become generators, and the order of what stands around a step.

From outside in: `when` (once), `rescue`, `for_each`, `retry`, the body; `outputs` last, of each item in a loop, else after
a rescue that goes on (LANGUAGE.md §2). Every function here is a generator for the interpreter. What a playbook can nest goes
through `Enter`, never through Python's stack; `yield from` joins only what is of fixed depth (it saves a frame a step).
`always` and nothing else is shielded here; a trading action shields its own stop.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import ValidationError

from mesoflow.engine.action import Action, Context
from mesoflow.engine.effects import Sleep, Value
from mesoflow.engine.errors import NEVER_RESCUED, Cancelled, StepError, StopRun
from mesoflow.engine.paths import ENGINE, attempt, item
from mesoflow.engine.program import Clause, Program, Step
from mesoflow.engine.tasks import Ending, Enter, Frames, Gather
from mesoflow.expressions import ExpressionError, evaluate
from mesoflow.expressions.names import Scope, StepView

Flow = Generator[Any, Any, Any]
State = Literal["done", "skipped", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. `error` is the error as a value; `outputs` only of a run that is done by itself."""

    state: State
    reason: str = ""
    error: Mapping[str, Value] | None = None
    outputs: Mapping[str, Value] | None = None
    partial: Value = None
    always_failed: Mapping[str, Value] | None = None


@dataclass(slots=True)
class Machine:
    """What every step of one run shares: the program, the names, the actions, and the context they are given."""

    program: Program
    actions: Mapping[str, Action]
    context: Context
    inputs: Mapping[str, Value]
    preflight: Callable[[Context], Frames] | None = None
    live: set[Context] = field(default_factory=set)
    steps: Scope = field(default_factory=Scope)
    # What takes back the orders that a run leaves behind: gives None, or the StepError that this comes to.
    closing: Callable[[Context], Frames] | None = None

    def tick(self, at: datetime) -> None:
        """NOW, for the context and for the contexts of the actions under way."""
        self.context.now = at
        for context in self.live:
            context.now = at

    def evaluate(self, value: Value, names: Mapping[str, object]) -> Value:
        """Evaluate templates; what is wrong with an expression is the step's error `bad_value`."""
        try:
            return evaluate(value, names)
        except ExpressionError as error:
            raise StepError("bad_value", str(error)) from error

    def names(self) -> dict[str, object]:
        """The names that expressions see outside loops and rescues."""
        context = self.context
        run = {"id": context.run_id, "playbook": context.playbook, "session_date": context.session_date}
        return {"inputs": self.inputs, "run": run, "steps": self.steps}


def run_playbook(machine: Machine) -> Flow:
    """The root generator: returns Ended. In a cancelled run the interpreter carries it as the partial result."""
    try:
        ended: Ended = yield Enter("", _to_its_end(machine))
    except Cancelled as cancelled:
        ended = Ended("cancelled", cancelled.reason, partial=cancelled.partial)
    ended = yield from _closed(machine, ended)
    if machine.program.always:
        try:
            yield Enter("always", _steps(machine, machine.program.always, machine.names()), shield=True)
        except (StepError, StopRun) as error:
            failed = error_value(error) if isinstance(error, StepError) else {"summary": str(error)}
            ended = replace(ended, always_failed=failed)
    return ended


def _closed(machine: Machine, ended: Ended) -> Flow:
    """Orders that nobody has waited for are taken back before anything else, and what filled of them is told."""
    if machine.closing is None or not machine.context.open_orders:
        return ended
    context = machine.context.at_step(f"{ENGINE}/closing")
    try:
        body = _acting(machine, context, machine.closing(context))
        error = yield Enter(f"{ENGINE}/closing", body, shield=True)
    except StepError as failed:
        error = failed
    if error is None:
        return ended
    told = error_value(error)
    if ended.state == "cancelled":
        return replace(ended, partial={"steps": ended.partial, "closing": told})
    if ended.error is None:
        return Ended("failed", str(error), told)
    return replace(ended, error={**ended.error, "details": {**ended.error["details"], "closing": told}})


def _to_its_end(machine: Machine) -> Flow:
    try:
        outputs = yield Enter("", _main(machine), clauses=machine.program.rescue)
    except StopRun as stop:
        return Ended(stop.state, stop.reason)
    except StepError as error:
        # The playbook's own rescue cannot turn a failure into success, and its own failure changes nothing.
        with suppress(StepError, StopRun):
            yield Enter("", _rescue_playbook(machine, error))
        return Ended("failed", str(error), error_value(error))
    return Ended("done", outputs=outputs)


def _main(machine: Machine) -> Flow:
    if machine.preflight is not None:
        context = machine.context.at_step(f"{ENGINE}/preflight")
        yield Enter(f"{ENGINE}/preflight", _acting(machine, context, machine.preflight(context)))
    names = machine.names()
    yield Enter("", _steps(machine, machine.program.steps, names))
    return machine.evaluate(dict(machine.program.outputs), names)


def _rescue_playbook(machine: Machine, error: StepError) -> Flow:
    number, clause = _matching(machine.program.rescue, error.code)
    if clause is not None:
        names = {**machine.names(), "error": error_value(error)}
        yield Enter(f"rescue-{number}", _steps(machine, clause.steps, names))


def _steps(machine: Machine, steps: tuple[Step, ...], names: Mapping[str, object]) -> Flow:
    for step in steps:
        yield Enter("", _step(machine, step, names))


def _step(machine: Machine, step: Step, names: Mapping[str, object]) -> Flow:
    scope = _scope(names)
    if step.when is not None and not _truth(machine.evaluate(step.when, names), step):
        _skip(step, scope)
        return
    rescued = False
    try:
        outputs = yield Enter("", _body(machine, step, names), clauses=step.rescue)
    except StepError as error:
        error.step = error.step or step.id
        scope.set(step.id, StepView("failed", {}))
        number, clause = _matching(step.rescue, error.code)
        if clause is None:
            raise
        yield Enter(f"{step.id}/rescue-{number}", _rescue(machine, step, clause, error, names))
        outputs, rescued = {}, True
    if step.outputs is not None and step.for_each is None:
        outputs = machine.evaluate(dict(step.outputs), _own(step, names, outputs, rescued))
        rescued = False
    scope.set(step.id, StepView("failed" if rescued else "done", outputs))


def _own(step: Step, names: Mapping[str, object], outputs: Value, rescued: bool) -> Mapping[str, object]:
    """The names that a step's `outputs` see: the step's own result beside everything else."""
    scope = Scope(_scope(names))
    scope.set(step.id, StepView("failed" if rescued else "done", outputs))
    return {**names, "steps": scope}


def _rescue(
    machine: Machine, step: Step, clause: Clause, error: StepError, names: Mapping[str, object]
) -> Flow:
    yield Enter("", _steps(machine, clause.steps, {**names, "error": error_value(error)}))
    if clause.stop is not None:
        raise StopRun(clause.stop, f"step {step.id}: {error}")


# --- loops and tries -------------------------------------------------------------------------------------------------


def _body(machine: Machine, step: Step, names: Mapping[str, object]) -> Flow:
    if step.for_each is None:
        return (yield from _tries(machine, step, step.id, names))
    return (yield from _for_each(machine, step, names))


def _for_each(machine: Machine, step: Step, names: Mapping[str, object]) -> Flow:
    loop = step.for_each
    assert loop is not None
    items = machine.evaluate(loop.items, names)
    if not isinstance(items, list):
        raise StepError("bad_value", f"for_each needs a list of items, not {type(items).__name__}")
    keys, bodies = [], []
    outer = _scope(names)
    for index, value in enumerate(items):
        turn = {"item": value, "index": index, "key": index}
        inner = {**names, "steps": Scope(outer), "loop": turn}
        key = index if loop.key is None else machine.evaluate(loop.key, inner)
        turn["key"] = key
        keys.append(key)
        bodies.append(_item(machine, step, item(step.id, key), inner))
    repeated = (
        sorted({str(key) for key in keys if keys.count(key) > 1})
        if len(set(map(str, keys))) < len(keys)
        else []
    )
    if repeated:
        raise StepError("bad_value", f"for_each has the key {repeated[0]} twice")
    endings: list[Ending] = yield Gather(bodies, loop.at_once, loop.keep_going)
    failed = [key for key, ending in zip(keys, endings, strict=True) if ending.error is not None]
    return {"results": [ending.value for ending in endings], "failed": failed}


def _item(machine: Machine, step: Step, name: str, names: Mapping[str, object]) -> Flow:
    outputs = yield from _tries(machine, step, name, names)
    if step.outputs is None:
        return outputs
    return machine.evaluate(dict(step.outputs), _own(step, names, outputs, rescued=False))


def _tries(machine: Machine, step: Step, name: str, names: Mapping[str, object]) -> Flow:
    retry = step.retry
    if retry is None:
        return (yield Enter(name, _try(machine, step, name, names)))
    for number in range(1, retry.attempts + 1):
        path = attempt(name, number)
        if number > 1 and retry.wait_s:
            yield Sleep(f"{path}/wait", machine.context.now + timedelta(seconds=retry.wait_s))
        try:
            return (
                yield Enter(
                    path, _try(machine, step, path, names), retry=retry if number < retry.attempts else None
                )
            )
        except StepError as error:
            if number == retry.attempts or error.code in NEVER_RESCUED or error.code not in retry.errors:
                raise
    raise StepError("bad_value", "retry needs at least one attempt")


def _try(machine: Machine, step: Step, path: str, names: Mapping[str, object]) -> Flow:
    if step.action is None:
        yield Enter("", _steps(machine, step.steps, names))
        return {}
    return (yield from _act(machine, step, path, names))


def _act(machine: Machine, step: Step, path: str, names: Mapping[str, object]) -> Flow:
    action = machine.actions[step.action or ""]
    values = machine.evaluate(dict(step.inputs), names)
    try:
        inputs = action.inputs.model_validate(values)
    except ValidationError as error:
        raise StepError("bad_value", _first_problem(error)) from error
    context = machine.context.at_step(path)
    result = yield from _acting(machine, context, action.run(context, inputs))
    if result is None:
        return {}
    return result.model_dump(mode="python") if hasattr(result, "model_dump") else result


def _acting(machine: Machine, context: Context, body: Frames) -> Flow:
    """Run an action with its context kept at NOW; the provider it chose becomes the run's default."""
    machine.live.add(context)
    try:
        result = yield from body
    finally:
        machine.live.remove(context)
    machine.context.provider = context.provider
    return result


# --- small things ----------------------------------------------------------------------------------------------------


def error_value(error: StepError) -> dict[str, Value]:
    """An error as expressions see it."""
    return {
        "code": error.code,
        "summary": error.summary,
        "step": error.step,
        "details": dict(error.details),
        "retryable": error.retryable,
    }


def _matching(clauses: tuple[Clause, ...], code: str) -> tuple[int, Clause | None]:
    if code not in NEVER_RESCUED:
        for number, clause in enumerate(clauses, 1):
            if not clause.errors or code in clause.errors:
                return number, clause
    return 0, None


def _truth(value: Value, step: Step) -> bool:
    if not isinstance(value, bool):
        raise StepError("bad_value", f"when of step {step.id} is {value!r}, not true or false", step=step.id)
    return value


def _skip(step: Step, scope: Scope) -> None:
    """A step that did not run is skipped, and so is every id inside it that would be visible outside."""
    scope.set(step.id, StepView("skipped", {}))
    if step.for_each is None:
        for inner in step.steps:
            _skip(inner, scope)


def _scope(names: Mapping[str, object]) -> Scope:
    scope = names["steps"]
    assert isinstance(scope, Scope)
    return scope


def _first_problem(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else str(first["msg"])
