"""What a run would do: the program walked with forecasts in place of actions, connected to nothing.

Theory. An action on unknown values would take some branch, and it might be the wrong one; its forecast yields what could be
asked of the world and returns typed unknowns. Where a `when` is not known both branches count: the step is shown with its
condition, and what it would give is itself unknown to whatever reads it. Rescues are shown as what may happen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mesoflow.actions.unknown import is_known, unknown_outputs, until_of
from mesoflow.engine.action import Action, Context
from mesoflow.engine.effects import Call, Effect, Govern, Note, Place, Sleep, Tell, Value, Watch, Withdraw
from mesoflow.engine.errors import StepError, StopRun
from mesoflow.engine.paths import item, join
from mesoflow.engine.program import Clause, Program, Step
from mesoflow.expressions.errors import ExpressionError
from mesoflow.expressions.evaluate import evaluate
from mesoflow.expressions.names import Scope, StepView
from mesoflow.expressions.unknown import Unknown
from mesoflow.hubs.contract import klass_of
from mesoflow.review.policies import Bounds, bounds_of, order_words, rails_words

FORMAT_VERSION: Literal[1] = 1

# In the paths of a loop whose items are not known yet; a `*` that is a key is percent-encoded there.
ANY_ITEM = "each[*]"

Names = Mapping[str, object]


class Part(BaseModel):
    """Frozen, strict about its own shape."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class UnknownPart(Part):
    """A value that only the run will know: its type, and what has to have happened."""

    unknown: str
    until: str


class Asked(Part):
    """One thing that would be asked of the world, if the run comes there."""

    path: str
    ask: str
    method: str | None


class PlannedStep(Part):
    """One step as it would be done. `only_if` is a condition that is not known yet; `ends` what is known to happen here."""

    id: str
    action: str | None
    name: str | None
    depth: int
    kind: str
    only_if: str | None
    each: str | None = Field(description="of a loop: which item this is, or of which list it is any")
    skipped: bool
    inputs: dict[str, Any]
    written: dict[str, str] = Field(
        description="inputs of which a part is not known yet, by their expression"
    )
    checks: list[str] = Field(
        description="of an assert: what must be true, as written, and what is known of it"
    )
    asks: list[Asked]
    ends: str | None


class PlannedOrder(Part):
    """What a trading step would send, in words."""

    step: str
    words: list[str]


class Ending(Part):
    """A way in which the run can end."""

    state: Literal["done", "skipped", "failed", "parked"]
    when: str


class Preview(Part):
    """The whole preview; JSON is its canonical form."""

    format_version: Literal[1] = FORMAT_VERSION
    playbook: str
    description: str
    program: str = Field(description="digest of the compiled playbook")
    starts: str = Field(description="how often it may run, and when a scheduler starts it")
    accounts: list[str]
    inputs: dict[str, Any]
    steps: list[PlannedStep]
    orders: list[PlannedOrder]
    rails: list[str]
    outputs: dict[str, Any]
    endings: list[Ending]
    longest: list[str] = Field(description="what bounds the time it takes")
    would_trade: bool


@dataclass(slots=True)
class _Walk:
    program: Program
    actions: Mapping[str, Action]
    context: Context
    inputs: Mapping[str, Value]
    scope: Scope = field(default_factory=Scope)
    steps: list[PlannedStep] = field(default_factory=list)
    orders: list[PlannedOrder] = field(default_factory=list)
    bounds: list[Bounds] = field(default_factory=list)


def build_preview(
    program: Program,
    digest: str,
    actions: Mapping[str, Action],
    context: Context,
    inputs: Mapping[str, Value],
) -> Preview:
    """The preview of a program with these inputs. `context.risk` is the risk block, evaluated."""
    walk = _Walk(program, actions, context, inputs)
    names = _names(walk)
    _all(walk, program.steps, names, "", 0, None)
    outputs = _evaluated(dict(program.outputs), names)
    for number, clause in enumerate(program.rescue, 1):
        _rescue(walk, clause, names, f"rescue-{number}", 0, "the run has failed")
    _all(walk, program.always, names, "always", 0, None)
    return Preview(
        playbook=program.name,
        description=program.description,
        program=digest,
        starts=_starts(program),
        accounts=[str(account) for account in context.risk.get("accounts", [])],
        inputs=_shown_map(inputs),
        steps=walk.steps,
        orders=walk.orders,
        rails=rails_words(context.risk),
        outputs=_shown_map(outputs if isinstance(outputs, Mapping) else {}),
        endings=list(_endings(program)),
        longest=[words for bound in walk.bounds for words in bound.words()],
        would_trade=any(ask.ask == "trade" for step in walk.steps for ask in step.asks),
    )


# --- steps -------------------------------------------------------------------------------------------------------------


def _all(
    walk: _Walk, steps: Sequence[Step], names: Names, above: str, depth: int, only_if: str | None
) -> None:
    for step in steps:
        _step(walk, step, names, above, depth, only_if)


def _step(walk: _Walk, step: Step, names: Names, above: str, depth: int, only_if: str | None) -> None:
    runs = True if step.when is None else _evaluated(step.when, names)
    if runs is False:
        _skipped(walk, step, names, depth)
        return
    condition = only_if if runs is True else _both(only_if, _bare(step.when))
    outputs = _loop(walk, step, names, above, depth, condition) if step.for_each else _once(
        walk, step, names, join(above, step.id), depth, condition
    )  # fmt: skip
    for number, clause in enumerate(step.rescue, 1):
        path = join(above, f"{step.id}/rescue-{number}")
        _rescue(
            walk,
            clause,
            names,
            path,
            depth + 1,
            f"{step.id} ends in {', '.join(clause.errors) or 'any error'}",
        )
    if step.outputs is not None and step.for_each is None:
        outputs = _own_outputs(step, names, outputs)
    sure = runs is True and not any(clause.stop is None for clause in step.rescue)
    view: Any = StepView("done", outputs) if sure else _maybe(step, outputs)
    _scope(names).set(step.id, view)


def _maybe(step: Step, outputs: Value) -> Unknown:
    """A step of which nobody knows yet whether it is done: what it gives is unknown with the fields that it would have."""
    fields = outputs if isinstance(outputs, Mapping) else None
    return Unknown("step", until_of(step.id), fields)


def _skipped(walk: _Walk, step: Step, names: Names, depth: int) -> None:
    _scope(names).set(step.id, StepView("skipped", {}))
    walk.steps.append(_planned(walk, step, depth, None, {}, [], None, skipped=True))


def _once(
    walk: _Walk, step: Step, names: Names, path: str, depth: int, only_if: str | None, each: str | None = None
) -> Value:
    if step.action is None:
        waits = list(_waits_between_tries(step, path))
        walk.steps.append(_planned(walk, step, depth, only_if, {}, waits, None, each=each))
        _all(walk, step.steps, names, path, depth + 1, only_if)
        return {}
    action = walk.actions[step.action]
    values = _evaluated(dict(step.inputs), names)
    context = replace(walk.context, step=path)
    place = len(walk.steps)
    asks, outputs, ends = _forecast(action, context, values, path)
    asks += _waits_between_tries(step, path)
    walk.steps.insert(place, _planned(walk, step, depth, only_if, values, asks, ends, each=each))
    walk.bounds.append(bounds_of(step.id, step.action, values, step.retry))
    words = order_words(step.action, values)
    if words:
        walk.orders.append(PlannedOrder(step=step.id, words=words))
    return outputs


def _waits_between_tries(step: Step, path: str) -> Iterator[Asked]:
    """What the engine itself asks for where a step is tried again: the second try's path is `enter~2`."""
    if step.retry is not None and step.retry.wait_s:
        yield Asked(path=f"{path}~*/wait", ask="wait", method=None)


def _forecast(
    action: Action, context: Context, values: Value, path: str
) -> tuple[list[Asked], Value, str | None]:
    """Drive a forecast: each effect is noted and answered with an unknown."""
    asks: list[Asked] = []
    until = until_of(context.step)
    nothing = unknown_outputs(action.outputs, until)
    if not isinstance(values, Mapping):
        return asks, nothing, None
    try:
        inputs = action.inputs.forecast_of(values)  # type: ignore[attr-defined]
        body = action.forecast(context, inputs)
        effect = next(body)
        while True:
            asks.append(_asked(join(path, effect.name), effect))
            effect = body.send(Unknown("any", until))
    except StopIteration as stop:
        outputs = stop.value
    except StepError as error:
        return asks, nothing, f"would fail here: {error}"
    except StopRun as stop:
        return asks, nothing, f"would end here, {stop}"
    except ValidationError as error:
        first = error.errors()[0]
        field_ = ".".join(str(part) for part in first["loc"])
        return asks, nothing, f"would fail here: {field_}: {first['msg']}"
    return asks, outputs.value() if hasattr(outputs, "value") else outputs or {}, None


def _asked(path: str, effect: Effect) -> Asked:
    match effect:
        case Call(method=method, args=args):
            return Asked(path=path, ask=klass_of(method, args), method=method)
        case Govern():
            return Asked(path=path, ask="change", method=None)
        case Place(order=order):
            return Asked(path=path, ask="trade", method=_known(order.method))
        case Withdraw(method=method):
            return Asked(path=path, ask="withdraw", method=method)
        case Watch(method=method):
            return Asked(path=path, ask="watch", method=method)
        case Sleep():
            return Asked(path=path, ask="wait", method=None)
        case Tell():
            return Asked(path=path, ask="tell", method=None)
        case Note():
            return Asked(path=path, ask="value", method=None)


def _known(method: object) -> str | None:
    """A forecast may not know by which method an order will leave."""
    return method if isinstance(method, str) else None


def _loop(walk: _Walk, step: Step, names: Names, above: str, depth: int, only_if: str | None) -> Value:
    """Once per item where the items are known, else once, for any item."""
    loop = step.for_each
    assert loop is not None
    items = _evaluated(loop.items, names)
    until = items.until if isinstance(items, Unknown) else until_of(step.id)
    known = items if isinstance(items, list) else [Unknown("any", until)]
    results = []
    for index, value in enumerate(known):
        inner = {
            **names,
            "steps": Scope(_scope(names)),
            "loop": {"item": value, "index": index, "key": index},
        }
        key = index if loop.key is None else _evaluated(loop.key, inner)
        inner["loop"] = {"item": value, "index": index, "key": key}
        any_item = isinstance(key, Unknown) or not isinstance(items, list)
        each = f"for any item of {_bare(loop.items)}" if any_item else f"for item {key}"
        name = f"{step.id}/{ANY_ITEM}" if any_item else item(step.id, key)
        outputs = _once(walk, step, inner, join(above, name), depth, only_if, each)
        results.append(outputs if step.outputs is None else _own_outputs(step, inner, outputs))
    if isinstance(items, list):
        return {"results": results, "failed": Unknown("list", until)}
    return {"results": Unknown("list", until), "failed": Unknown("list", until)}


def _own_outputs(step: Step, names: Names, outputs: Value) -> Value:
    scope = Scope(_scope(names))
    scope.set(step.id, StepView("done", outputs))
    return _evaluated(dict(step.outputs or {}), {**names, "steps": scope})


def _rescue(walk: _Walk, clause: Clause, names: Names, path: str, depth: int, when: str) -> None:
    error = {
        name: Unknown(kind, when)
        for name, kind in (("code", "string"), ("summary", "string"), ("step", "string"))
    }
    error |= {"details": Unknown("map", when), "retryable": Unknown("boolean", when)}
    # Steps of a clause are visible outside, and nobody knows whether they have run.
    before = Scope(_scope(names))
    _all(walk, clause.steps, {**names, "error": error, "steps": before}, path, depth, when)
    for step in clause.steps:
        _scope(names).set(step.id, Unknown("step", when))  # type: ignore[arg-type]  # a preview's scope holds both


# --- small things ------------------------------------------------------------------------------------------------------


def _names(walk: _Walk) -> dict[str, object]:
    context = walk.context
    run = {
        "id": Unknown("string", "the start"),
        "playbook": walk.program.name,
        "session_date": Unknown("date", "the start"),
    }
    if context.session_date is not None:
        run["session_date"] = context.session_date
    return {"inputs": walk.inputs, "run": run, "steps": walk.scope}


def _scope(names: Names) -> Scope:
    scope = names["steps"]
    assert isinstance(scope, Scope)
    return scope


def _evaluated(value: Value, names: Names) -> Any:  # noqa: ANN401 - a Value or an unknown
    """What cannot be evaluated yet is unknown; `check` has said what is wrong with the playbook itself."""
    try:
        return evaluate(value, names)
    except ExpressionError as error:
        return Unknown("any", str(error))


def _planned(
    walk: _Walk,
    step: Step,
    depth: int,
    only_if: str | None,
    values: Value,
    asks: list[Asked],
    ends: str | None,
    *,
    skipped: bool = False,
    each: str | None = None,
) -> PlannedStep:
    kind = "group" if step.action is None else walk.actions[step.action].effect_class
    shown = _shown_map(values) if isinstance(values, Mapping) else {}
    checks = list(_checks(step, values)) if step.action == "assert" else []
    if checks:
        shown = {}
    written = _written(step, values)
    return PlannedStep(
        id=step.id, action=step.action, name=step.name, depth=depth, kind=kind, only_if=only_if, each=each, skipped=skipped,
        inputs=shown, written=written, checks=checks, asks=asks, ends=ends,
    )  # fmt: skip


def _written(step: Step, values: Value) -> dict[str, str]:
    """The expressions of inputs of which a part is not known yet."""
    if not isinstance(values, Mapping):
        return {}
    expressions = {name: text for name, text in step.inputs.items() if isinstance(text, str) and "{{" in text}
    return {name: _bare(text) for name, text in expressions.items() if not is_known(values.get(name))}


def _checks(step: Step, values: Value) -> Iterator[str]:
    """Each check of an assert by its expression: a reviewer reads what is asked, not that the answer is unknown."""
    verb = "skip" if step.inputs.get("otherwise") == "skip" else "fail"
    given = values.get("all") if isinstance(values, Mapping) else None
    for number, written in enumerate(step.inputs.get("all", [])):
        known = given[number]["that"] if isinstance(given, list) else None
        result = (
            {True: ", which holds", False: ", which does not hold"}.get(known, "")
            if isinstance(known, bool)
            else ""
        )
        yield f"{verb} unless {_bare(written['that'])}{result}"


def _bare(expression: object) -> str:
    """An expression without its braces."""
    text = str(expression).strip()
    return (
        text[2:-2].strip()
        if text.startswith("{{") and text.endswith("}}") and text.count("{{") == 1
        else text
    )


def _both(one: str | None, other: str) -> str:
    return other if one is None else f"{one} and {other}"


def _shown_map(values: Mapping[str, Value]) -> dict[str, Any]:
    return {str(key): shown(value) for key, value in values.items()}


def shown(value: Value) -> Any:  # noqa: ANN401 - a Value, or unknowns in it
    """A value with its unknowns spelled out."""
    match value:
        case Unknown(type=kind, until=until):
            return UnknownPart(unknown=kind, until=until)
        case Mapping():
            return {str(key): shown(inner) for key, inner in value.items()}
        case list() | tuple():
            return [shown(inner) for inner in value]
    return value


def _starts(program: Program) -> str:
    start = program.start
    per = str(start.get("once_per", "session"))
    text = "as often as you like" if per == "never" else f"once per {per}"
    days, at = start.get("days"), start.get("at")
    if days:
        text += f", on {', '.join(days)}"
    return text + (f" at {at}" if at else "")


def _endings(program: Program) -> Iterator[Ending]:
    for step in _every(program.steps):
        if step.action == "assert" and step.inputs.get("otherwise") == "skip":
            yield Ending(state="skipped", when=f"{step.id} says so")
        for clause in step.rescue:
            if clause.stop is not None:
                yield Ending(
                    state=clause.stop, when=f"{step.id} ends in {', '.join(clause.errors) or 'any error'}"
                )
    outputs = ", ".join(program.outputs)
    yield Ending(state="done", when="every step is done" + (f"; outputs {outputs}" if outputs else ""))
    yield Ending(state="failed", when="any other error; `mesoflow show` says which, and what is open")
    yield Ending(
        state="parked",
        when="the hub, the agent or quotes stay away, an outcome is unknown, or you interrupt it; `mesoflow resume` goes on",
    )


def _every(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _every(step.steps)


__all__ = ["Preview", "build_preview", "shown"]
