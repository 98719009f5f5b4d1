"""What the interpreter needs to know of an action, and what an action may know of its run.

The catalogue of actions is mesoflow/actions; the engine sees only this Protocol, so that it stands below them.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
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
    positions ({positions, unknowns}, actions/ledger.py); trades of this run are folded in.
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
