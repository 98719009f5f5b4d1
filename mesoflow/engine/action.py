"""What the interpreter needs to know of an action, and what an action may know of its run.

The catalogue of actions is mesoflow/actions; the engine sees only this Protocol, so that it stands below them.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Literal, Protocol, TypeAlias

from pydantic import BaseModel

from mesoflow.engine.effects import Effect, Value

EffectClass = Literal["local", "read", "wait", "change", "prepare", "trade", "tell", "ask"]
Effects: TypeAlias = Generator[Effect, Value, Any]


@dataclass(slots=True, eq=False)
class Context:
    """One run, as an action sees it. Everything here is a function of the journal's inputs in their order.

    `now` is the time of the last input (aware, UTC) and costs nothing. `account` is the one of `risk.accounts`, None if
    there are several. `provider` is the default data provider; agent.require and the preflight set it. `step` is the path
    of the step. `risk` is the playbook's risk block, evaluated. `files` are the pinned contents of input files and
    definitions, by path as written. `first_net_liquidation` is, per account, this state home's first read in the session. `ledger` is what our journals know of
    positions ({positions, unknowns}, actions/ledger.py); trades of this run are folded in. `hub` is what the hub's profile
    says of its habits ({credit_sign, qty_multiplier}; {}: nothing is known). `withdrawn` are the orders that a halt or a
    park took back, by their id, from the journal's inputs; `late_fills` those that filled after they were reported to be over
    ({order, filled}: the cumulative fill): such a walk ends with what it has. `open_orders` are those of `orders.send` that no `fills.wait`
    has ended yet, by exec plan (actions/sending.py). `resolved` is, per exec plan of an entry, the multiplier that the hub
    resolved; `prepared`, per exec plan of an adjustment, the inputs it was prepared with. The dicts are shared by all steps of a run.
    """

    run_id: str
    playbook: str
    session: str
    now: datetime
    step: str = ""
    account: str | None = None
    provider: str | None = None
    risk: Mapping[str, Value] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    session_date: date | None = None
    first_net_liquidation: dict[str, Value] = field(default_factory=dict)
    ledger: dict[str, Value] = field(default_factory=dict)
    hub: Mapping[str, Value] = field(default_factory=dict)
    withdrawn: dict[int, Value] = field(default_factory=dict)
    late_fills: dict[int, Value] = field(default_factory=dict)
    open_orders: dict[int, Any] = field(default_factory=dict)
    resolved: dict[int, Value] = field(default_factory=dict)
    prepared: dict[int, Any] = field(default_factory=dict)

    def at_step(self, path: str) -> Context:
        """The same run, for the step at `path`. By hand: `dataclasses.replace` was a third of a step's cost on replay."""
        other = Context(*_values(self))
        other.step = path
        return other


_values = attrgetter(*(each.name for each in fields(Context)))


class Action(Protocol):
    """A member of the catalogue. `run` is a pure generator: it yields effects, is sent Values, returns its output model.

    A refused effect is thrown in as StepError. `forecast` has the same signature and is what a preview runs instead.
    """

    name: str
    effect_class: EffectClass
    inputs: type[BaseModel]
    outputs: type[BaseModel] | None
    errors: tuple[str, ...]

    def run(self, ctx: Context, inputs: Any) -> Effects: ...  # noqa: ANN401 - each action has its own model

    def forecast(self, ctx: Context, inputs: Any) -> Effects: ...  # noqa: ANN401
