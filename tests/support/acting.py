"""Acting: runs one action against a script of answers, in the words of the domain, and looks at everything it did.

    acted = act("account.select", {"broker_account_id": "PAPER-1"}, Script().answers("GetAccount", account()))
    assert acted.asked == ["account: GetAccount"]

A method's answers come in their order, the last one again and again. A watch takes answers until its predicate holds;
when they are used up it is overdue. Each run is also held against its forecast: what changes the world or lets time pass
must have been foretold, by kind and by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from mesoflow.actions.catalogue import ACTIONS
from mesoflow.actions.ready import READY
from mesoflow.engine.action import Action, Context
from mesoflow.engine.effects import Call, Effect, Govern, Note, Place, Sleep, Tell, Value, Watch, Withdraw
from mesoflow.engine.errors import Cancelled, StepError
from mesoflow.engine.paths import join
from mesoflow.engine.tasks import Enter
from mesoflow.expressions.unknown import Unknown
from mesoflow.hubs.contract import METHODS

# Thursday 16 January 2025, 10:00 in New York: the simulator's first moment.
NOW = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)


@dataclass(eq=False)
class Ledgered(Context):
    """A context with the home's ledger (actions/ledger.py)."""

    ledger: dict[str, Value] = field(default_factory=dict)


def context(**changes: Any) -> Context:
    """A run of one paper account whose preflight has chosen IBKR's data."""
    fields: dict[str, Any] = {
        "run_id": "run-1",
        "playbook": "quickstart",
        "session": "cboe-index-options",
        "now": NOW,
        "step": "step",
        "account": "PAPER-1",
        "provider": "IBKR",
        "risk": {"accounts": ["PAPER-1"]},
        "session_date": date(2025, 1, 16),
    }
    return Ledgered(**(fields | changes))


class Parked(Exception):
    """A watch was overdue and parks the run."""

    def __init__(self, code: str, summary: str) -> None:
        super().__init__(f"{code}: {summary}")
        self.code = code


@dataclass
class Script:
    """What the hub answers, by method. `takes` is how long each answer takes; a `live` market's quotes are taken when
    they are asked for, not once and for all."""

    table: dict[str, list[Any]] = field(default_factory=dict)
    takes: timedelta = timedelta(0)
    live: bool = False

    def answers(self, method: str, *values: Any) -> Script:
        """These answers, in this order. An exception is thrown in its turn."""
        read = METHODS[method].result_model.read
        ready = [value if isinstance(value, Exception) else read(value).value() for value in values]
        self.table.setdefault(method, []).extend(ready)
        return self

    def refuses(self, method: str, status: str) -> Script:
        """The hub refuses with a status."""
        error = StepError("hub_refused", f"{method}: {status}", {"method": method, "status": status})
        self.table.setdefault(method, []).append(error)
        return self


@dataclass
class Acted:
    """Everything an action did, and how it ended."""

    effects: list[Effect]
    outputs: Value = None
    error: BaseException | None = None
    now: datetime = NOW

    @property
    def asked(self) -> list[str]:
        """Each effect in one line: its name, and what it asks for."""
        return [line(effect) for effect in self.effects]

    @property
    def code(self) -> str | None:
        """The code of the error, if it ended in one."""
        return getattr(self.error, "code", None)

    def effect(self, name: str) -> Any:
        """The effect of that name."""
        return next(effect for effect in self.effects if effect.name == name)


def line(effect: Effect) -> str:
    """An effect in one line."""
    match effect:
        case Call(name, method) | Watch(name, method) | Withdraw(name, method):
            return f"{name}: {method}"
        case Place(name, order):
            return f"{name}: {order.method}"
        case _:
            return f"{effect.name}: {type(effect).__name__}"


def act(
    name: str | Action,
    inputs: Mapping[str, Value] | None = None,
    script: Script | None = None,
    ctx: Context | None = None,
    *,
    cancel_at: str | None = None,
) -> Acted:
    """Run an action to its end. `cancel_at` cancels its scope while the effect of that name is waited for."""
    action: Action = ACTIONS[name] if isinstance(name, str) else name
    ctx = ctx or context()
    began = ctx.now
    acted = _Stage(script or Script(), ctx, cancel_at).play(action, inputs or {})
    foretold = foretell(action, inputs or {}, _again(ctx, began))
    missing = unforetold(acted.effects, foretold.effects)
    assert not missing, f"{action.name} did what it had not foretold: {missing}"
    return acted


def foretell(
    name: str | Action, inputs: Mapping[str, Value] | None = None, ctx: Context | None = None
) -> Acted:
    """Run the forecast; every answer is unknown, as in a preview."""
    action: Action = ACTIONS[name] if isinstance(name, str) else name
    ctx = ctx or context()
    body = action.forecast(ctx, action.inputs.forecast_of(inputs or {}))  # type: ignore[attr-defined]
    effects: list[Effect] = []
    try:
        wanted = next(body)
        while True:
            effects.append(wanted)
            wanted = body.send(Unknown("any", "the run"))
    except StopIteration as end:
        return Acted(effects, plain(end.value), None, ctx.now)
    except Exception as error:
        return Acted(effects, None, error, ctx.now)


def plain(value: Any) -> Value:
    """Outputs as later steps have them."""
    return value.model_dump(mode="python") if hasattr(value, "model_dump") else value


def unforetold(done: list[Effect], foretold: list[Effect]) -> list[str]:
    """What changes the world or lets time pass, and was not forecast: a forecast `quotes` covers `quotes/short_put`."""
    told = {(type(effect), effect.name) for effect in foretold}
    return [
        line(effect)
        for effect in done
        if _matters(effect)
        and not any(kind is type(effect) and _covers(name, effect.name) for kind, name in told)
    ]


def _covers(told: str, name: str) -> bool:
    """A forecast knows no numbers: its `group-*` is any group."""
    told = told.replace("[", "[[]")
    return any(fnmatchcase(name, pattern) for pattern in (told, f"{told}/*", f"{told}~*"))


def _matters(effect: Effect) -> bool:
    if isinstance(effect, Call):
        return METHODS[effect.method].klass != "read"
    return not isinstance(effect, Watch | Note)


def _again(ctx: Context, now: datetime) -> Context:
    return Ledgered(**{name: getattr(ctx, name) for name in Ledgered.__dataclass_fields__} | {"now": now})


class _Stage:
    """The stack of generators of one action, and what answers them."""

    def __init__(self, script: Script, ctx: Context, cancel_at: str | None) -> None:
        self._table = {method: list(answers) for method, answers in script.table.items()}
        self._takes = script.takes
        self._live = script.live
        self._ctx = ctx
        self._cancel_at = cancel_at
        self._effects: list[Effect] = []
        self._cancelled = False

    def play(self, action: Action, inputs: Mapping[str, Value]) -> Acted:
        body = action.run(self._ctx, action.inputs.model_validate(inputs))
        stack: list[tuple[Any, bool, str]] = [(body, False, "")]
        value: Value = None
        thrown: BaseException | None = None
        while stack:
            body, _, prefix = stack[-1]
            try:
                wanted = body.throw(thrown) if thrown is not None else body.send(value)
            except StopIteration as end:
                stack.pop()
                value, thrown = end.value, None
                continue
            except (Exception, Cancelled) as error:
                stack.pop()
                value, thrown = None, error
                continue
            value, thrown = None, None
            if isinstance(wanted, Enter):
                stack.append((wanted.body, wanted.shield, join(prefix, wanted.name)))
                continue
            named = replace(wanted, name=join(prefix, wanted.name)) if prefix else wanted
            try:
                value = self._perform(named, shielded=any(shield for _, shield, _ in stack))
            except (Exception, Cancelled) as error:
                thrown = error
        return Acted(self._effects, plain(value), thrown, self._ctx.now)

    def _perform(self, effect: Effect, *, shielded: bool) -> Value:
        if self._cancelled and not shielded:
            raise Cancelled("asked to")
        self._effects.append(effect)
        if effect.name == self._cancel_at:
            self._cancelled = True
            if not _matters(effect) or isinstance(effect, Sleep):
                raise Cancelled("asked to")
        self._ctx.now += self._takes
        match effect:
            case Note(value=value):
                return value
            case Sleep(until=until):
                self._ctx.now = max(self._ctx.now, until)
                return self._ctx.now
            case Tell(to=to):
                return {"delivered": list(to), "failed": []}
            case Govern(state=state):
                return {"state": state, "since": self._ctx.now}
            case Watch():
                return self._watch(effect)
            case Place(order=order):
                return self._next(order.method)
            case Call(method=method) | Withdraw(method=method):
                return self._next(method)

    def _next(self, method: str) -> Value:
        answers = self._table.get(method)
        assert answers, f"the script has no answer of {method}"
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return taken_at(answer, self._ctx.now) if self._live else answer

    def _watch(self, watch: Watch) -> Value:
        answers = self._table.get(watch.method)
        assert answers, f"the script has no answer of {watch.method}"
        while True:
            last = len(answers) == 1
            answer = self._next(watch.method)
            if READY[watch.ready](answer, watch.params, self._ctx.now):
                return answer
            if last:
                break
        self._ctx.now = max(self._ctx.now, watch.until)
        if watch.overdue == "park":
            raise Parked(watch.code, watch.summary)
        if watch.overdue == "refuse":
            raise StepError(watch.code, watch.summary, {}, retryable=True)
        return None


def taken_at(value: Value, now: datetime) -> Value:
    """The same figures, taken now."""
    if isinstance(value, list):
        return [taken_at(item, now) for item in value]
    if not isinstance(value, dict):
        return value
    fresh = {key: taken_at(item, now) for key, item in value.items()}
    return fresh | {"snapshot_time": now} if fresh.get("snapshot_time") else fresh
