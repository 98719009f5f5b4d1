"""Strategies: `strategy.get`, `.clone`, `.create`, `.update`, `.delete`.

The hub keys none of these calls, so each is reconciled by what can be read: a creation by the ids that were there before
(a journalled read), an update by reading back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import Field

from mesoflow.actions.base import Acting, Inputs, Outputs, action
from mesoflow.actions.definitions import definition_digest, read_definition, symbol_of
from mesoflow.actions.hub import call, pages, read
from mesoflow.actions.unknown import Unknown, is_known, unknown_outputs, until_of
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import StepError
from mesoflow.hubs.models.enums import LivePositionState
from mesoflow.hubs.models.positions import ListPositionsResult
from mesoflow.hubs.models.strategies import (
    CreateStrategyResult,
    GetStrategyResult,
    ListStrategiesResult,
    LiveStrategy,
)

# An id, or an exact name.
StrategyRef: TypeAlias = int | str


class StrategyChoice(Inputs):
    """Inputs of `strategy.get`."""

    strategy: StrategyRef = Field(description="id or exact name", examples=["SPX put calendar 30/60"])
    digest: str | None = Field(
        None, description="refuse another definition than the reviewed one", examples=["8c2e41d09b17f3aa"]
    )


class CloneOrder(Inputs):
    """Inputs of `strategy.clone`."""

    template: StrategyRef = Field(
        alias="from", description="id or exact name of the template", examples=["SPX put calendar 30/60"]
    )
    name: str = Field(min_length=1, description="name of the copy", examples=["put calendar campaign"])
    active_on: list[str] = Field(
        default_factory=list,
        description="accounts on which MesoLive raises signals for it",
        examples=[["PAPER-1"]],
    )
    digest: str | None = Field(
        None,
        description="refuse another definition of the template than the reviewed one",
        examples=["8c2e41d09b17f3aa"],
    )
    if_exists: Literal["reuse", "fail"] = Field(
        "reuse",
        description="what to do when a strategy of that name exists; another definition under the name is always an error",
        examples=["fail"],
    )


class NewStrategy(Inputs):
    """Inputs of `strategy.create`."""

    definition: str = Field(
        description="path of the definition file", examples=["strategies/put-calendar.json"]
    )
    name: str | None = Field(
        None,
        min_length=1,
        description="name; without it the definition's StrategyName",
        examples=["put calendar"],
    )
    active_on: list[str] = Field(
        default_factory=list,
        description="accounts on which MesoLive raises signals for it",
        examples=[["PAPER-1"]],
    )
    backtest_id: str | None = Field(None, description="MesoSim back test it comes from", examples=["BT-123"])
    mesosim_instance: str | None = Field(
        None, description="instance of that back test", examples=["mesosim-1"]
    )
    if_exists: Literal["reuse", "fail"] = Field(
        "reuse", description="what to do when a strategy of that name exists", examples=["fail"]
    )


class StrategyChange(Inputs):
    """Inputs of `strategy.update`."""

    strategy_id: int = Field(description="which", examples=[201])
    name: str | None = Field(None, min_length=1, description="new name", examples=["put calendar II"])
    definition: str | None = Field(
        None, description="path of the new definition", examples=["strategies/put-calendar.json"]
    )
    active_on: list[str] | None = Field(None, description="accounts after the change", examples=[["PAPER-1"]])


class StrategyRemoval(Inputs):
    """Inputs of `strategy.delete`."""

    strategy_id: int = Field(description="which", examples=[201])
    force: bool = Field(False, description="also when it has positions", examples=[True])


class Strategy(Outputs):
    """Outputs of `strategy.get` and `.update`."""

    strategy_id: int = Field(description="its id", examples=[201])
    name: str = Field(description="its name", examples=["put calendar campaign"])
    digest: str | None = Field(
        description="of its definition, without StrategyName and Description", examples=["8c2e41d09b17f3aa"]
    )
    symbol: str = Field(description="what it trades", examples=["SPX"])
    active_on: list[str] = Field(description="accounts on which it raises signals", examples=[["PAPER-1"]])


class MadeStrategy(Strategy):
    """Outputs of `strategy.clone` and `.create`."""

    created: bool = Field(description="it was not there before", examples=[True])


@action(
    "strategy.get",
    "read",
    inputs=StrategyChoice,
    outputs=Strategy,
    errors=("strategy_not_found", "strategy_ambiguous", "definition_changed"),
    methods=("ListStrategies", "GetStrategy"),
)
def strategy_get(ctx: Context, inputs: StrategyChoice) -> Acting[Strategy]:
    """Find a strategy by id or exact name."""
    live = yield from find_strategy(inputs.strategy)
    _require_digest(live, inputs.digest)
    return _strategy(live)


# --- finding -----------------------------------------------------------------------------------------------------------


def find_strategy(wanted: StrategyRef) -> Acting[LiveStrategy]:
    """One strategy with its definition, by id or exact name."""
    if isinstance(wanted, int):
        return (yield from _get("strategy", wanted))
    listed = yield from list_strategies("strategies")
    return (yield from _get("strategy", _named(listed, wanted).id))


def list_strategies(name: str) -> Acting[list[LiveStrategy]]:
    """All strategies, in short."""
    listed = yield from pages(name, "ListStrategies", {}, ListStrategiesResult)
    return [strategy for page in listed for strategy in page.strategies]


def strategy_ids(name: str, wanted: list[StrategyRef]) -> Acting[list[int]]:
    """The ids of several strategies; the hub is asked only when one is given by name."""
    if all(isinstance(one, int) for one in wanted):
        return [one for one in wanted if isinstance(one, int)]
    listed = yield from list_strategies(name)
    return [one if isinstance(one, int) else _named(listed, one).id for one in wanted]


def _get(name: str, strategy_id: int) -> Acting[LiveStrategy]:
    answer = yield from read(
        name, "GetStrategy", {"strategy_id": strategy_id}, GetStrategyResult, refused=_missing(strategy_id)
    )
    return answer.strategy


def _missing(strategy_id: int) -> Mapping[str, tuple[str, str]]:
    return {"NotFound": ("strategy_not_found", f"the hub has no strategy {strategy_id}")}


def _named(listed: list[LiveStrategy], name: str) -> LiveStrategy:
    """The one strategy of that exact name."""
    found = _of_name(listed, name)
    if not found:
        near = sorted(strategy.name for strategy in listed if strategy.name.casefold() == name.casefold())
        hint = f"; there is {near[0]!r}" if near else ""
        raise StepError("strategy_not_found", f"no strategy is called {name!r}{hint}", {"strategy": name})
    if len(found) > 1:
        raise _ambiguous(found, name)
    return found[0]


def _of_name(listed: list[LiveStrategy], name: str) -> list[LiveStrategy]:
    return [strategy for strategy in listed if strategy.name == name]


def _ambiguous(found: list[LiveStrategy], name: str) -> StepError:
    ids = sorted(strategy.id for strategy in found)
    return StepError(
        "strategy_ambiguous",
        f"{len(ids)} strategies are called {name!r}: {', '.join(map(str, ids))}; give the id",
        {"strategy": name, "ids": list(ids)},
    )


def _require_digest(live: LiveStrategy, digest: str | None) -> None:
    found = definition_digest(live.strategy_definition)
    if digest is not None and found != digest:
        raise _changed(f"strategy {live.name!r} has another definition than the reviewed one", found, digest)


def _changed(summary: str, found: str | None, wanted: str | None) -> StepError:
    shown = f"{found or 'one that the hub does not tell'}, not {wanted or 'one that the hub does not tell'}"
    return StepError("definition_changed", f"{summary}: {shown}", {"found": found, "wanted": wanted})


def _strategy(live: LiveStrategy) -> Strategy:
    return Strategy(**_fields(live))


def _made(live: LiveStrategy, *, created: bool) -> MadeStrategy:
    return MadeStrategy(**_fields(live), created=created)


def _fields(live: LiveStrategy) -> dict[str, Value]:
    return {
        "strategy_id": live.id,
        "name": live.name,
        "digest": definition_digest(live.strategy_definition),
        "symbol": symbol_of(live.strategy_definition),
        "active_on": list(live.active_on_accounts or []),
    }


# --- making ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What shall exist: a strategy of this name and definition, active on these accounts."""

    name: str
    digest: str | None
    active_on: list[str]
    if_exists: Literal["reuse", "fail"]
    args: Mapping[str, Value]
    may_be_called: list[str]  # the names that a new one may come under


@action(
    "strategy.clone",
    "change",
    inputs=CloneOrder,
    outputs=MadeStrategy,
    errors=("strategy_not_found", "strategy_ambiguous", "strategy_exists", "definition_changed"),
    methods=("ListStrategies", "GetStrategy", "CreateStrategy", "RenameStrategy", "UpdateStrategy"),
)
def strategy_clone(ctx: Context, inputs: CloneOrder) -> Acting[MadeStrategy]:
    """Copy a strategy under a new name; with if_exists reuse, the same name and definition is taken as it is."""
    listed = yield from list_strategies("list")
    template_id = inputs.template if isinstance(inputs.template, int) else _named(listed, inputs.template).id
    template = yield from _get("template", template_id)
    _require_digest(template, inputs.digest)
    wanted = _Wanted(
        inputs.name,
        definition_digest(template.strategy_definition),
        inputs.active_on,
        inputs.if_exists,
        _clone_args(template_id, inputs),
        [inputs.name, template.name],
    )
    return (yield from _make(listed, wanted))


def _clone_args(template_id: Value, inputs: CloneOrder) -> dict[str, Value]:
    return {
        "strategy_definition": None,
        "name": inputs.name,
        "active_on_accounts": inputs.active_on,
        "clone_strategy_id": template_id,
    }


@action(
    "strategy.create",
    "change",
    inputs=NewStrategy,
    outputs=MadeStrategy,
    errors=("strategy_ambiguous", "strategy_exists", "definition_invalid", "definition_changed"),
    methods=("ListStrategies", "GetStrategy", "CreateStrategy", "RenameStrategy", "UpdateStrategy"),
)
def strategy_create(ctx: Context, inputs: NewStrategy) -> Acting[MadeStrategy]:
    """Make a strategy from a definition file of the repository."""
    definition = _definition_file(ctx, inputs.definition)
    name = inputs.name or str(definition["StrategyName"])
    listed = yield from list_strategies("list")
    wanted = _Wanted(
        name,
        definition_digest(definition),
        inputs.active_on,
        inputs.if_exists,
        _create_args(definition, name, inputs),
        [name, str(definition["StrategyName"])],
    )
    return (yield from _make(listed, wanted))


def _create_args(definition: Value, name: Value, inputs: NewStrategy) -> dict[str, Value]:
    args: dict[str, Value] = {
        "strategy_definition": definition,
        "name": name,
        "active_on_accounts": inputs.active_on,
    }
    optional = {"backtest_id": inputs.backtest_id, "meso_sim_instance": inputs.mesosim_instance}
    return args | {key: value for key, value in optional.items() if value is not None}


def _definition_file(ctx: Context, path: str) -> dict[str, Value]:
    text = ctx.files.get(path)
    if text is None:
        raise StepError("definition_invalid", f"the run holds no file {path}", {"path": path})
    return read_definition(path, text)


def _make(listed: list[LiveStrategy], wanted: _Wanted) -> Acting[MadeStrategy]:
    """Take the strategy of that name as it is, or make it."""
    namesakes = _of_name(listed, wanted.name)
    if namesakes and wanted.if_exists == "fail":
        raise StepError(
            "strategy_exists",
            f"a strategy called {wanted.name!r} exists (id {namesakes[0].id})",
            {"ids": sorted(strategy.id for strategy in namesakes)},
        )
    if len(namesakes) > 1:
        raise _ambiguous(namesakes, wanted.name)
    if namesakes:
        live = yield from _get("existing", namesakes[0].id)
    else:
        live = yield from _create(listed, wanted)
    found = definition_digest(live.strategy_definition)
    if found is None or found != wanted.digest:
        raise _changed(
            f"strategy {wanted.name!r} (id {live.id}) has another definition", found, wanted.digest
        )
    live = yield from _put_right(live, wanted)
    return _made(live, created=not namesakes)


def _create(listed: list[LiveStrategy], wanted: _Wanted) -> Acting[LiveStrategy]:
    hints: dict[str, Value] = {
        "ids_before": sorted(strategy.id for strategy in listed),
        "names": list(dict.fromkeys(wanted.may_be_called)),
        "digest": wanted.digest,
    }
    answer = yield from call("create", "CreateStrategy", wanted.args, hints=hints)
    return (yield from _get("created", CreateStrategyResult.read(answer).strategy_id))


def _put_right(live: LiveStrategy, wanted: _Wanted) -> Acting[LiveStrategy]:
    """Name and accounts, where the hub did not take them or an existing one has others."""
    changed = False
    if live.name != wanted.name:
        yield from call("rename", "RenameStrategy", {"strategy_id": live.id, "name": wanted.name})
        changed = True
    if sorted(live.active_on_accounts or []) != sorted(wanted.active_on):
        yield from call(
            "activate", "UpdateStrategy", {"strategy_id": live.id, "active_on_accounts": wanted.active_on}
        )
        changed = True
    return (yield from _get("result", live.id)) if changed else live


# --- changing ----------------------------------------------------------------------------------------------------------


@action(
    "strategy.update",
    "change",
    inputs=StrategyChange,
    outputs=Strategy,
    errors=("strategy_not_found", "definition_invalid"),
    methods=("GetStrategy", "UpdateStrategy", "RenameStrategy"),
)
def strategy_update(ctx: Context, inputs: StrategyChange) -> Acting[Strategy]:
    """Set name, definition or accounts; what is not given stays."""
    missing = _missing(inputs.strategy_id)
    for name, method, args in _changes(ctx, inputs):
        yield from call(name, method, args, refused=missing)
    live = yield from _get("result", inputs.strategy_id)
    return _strategy(live)


def _changes(ctx: Context, inputs: StrategyChange) -> list[tuple[str, str, dict[str, Value]]]:
    """The calls that an update makes: (name, method, arguments)."""
    update: dict[str, Value] = {}
    if inputs.definition is not None:
        update["strategy_definition"] = (
            _definition_file(ctx, inputs.definition) if is_known(inputs.definition) else inputs.definition
        )
    if inputs.active_on is not None:
        update["active_on_accounts"] = inputs.active_on
    changes = [("update", "UpdateStrategy", {"strategy_id": inputs.strategy_id, **update})] if update else []
    if inputs.name is not None:
        changes.append(("rename", "RenameStrategy", {"strategy_id": inputs.strategy_id, "name": inputs.name}))
    return changes


@action(
    "strategy.delete",
    "change",
    inputs=StrategyRemoval,
    errors=("strategy_not_found", "strategy_in_use"),
    methods=("ListPositions", "DeleteStrategy"),
)
def strategy_delete(ctx: Context, inputs: StrategyRemoval) -> Acting[None]:
    """Remove a strategy."""
    if not inputs.force:
        yield from _require_unused(inputs.strategy_id)
    refused = {
        **_missing(inputs.strategy_id),
        "Conflict": ("strategy_in_use", f"strategy {inputs.strategy_id} has positions"),
    }
    yield from call("delete", "DeleteStrategy", _removal(inputs), refused=refused)


def _removal(inputs: StrategyRemoval) -> dict[str, Value]:
    return {"strategy_id": inputs.strategy_id, "force": inputs.force}


def _require_unused(strategy_id: int) -> Acting[None]:
    listed = yield from pages(
        "positions", "ListPositions", {"live_strategy_id": strategy_id}, ListPositionsResult
    )
    ids = sorted(
        position.id
        for page in listed
        for position in page.positions
        if position.state != LivePositionState.CLOSED
    )
    if ids:
        raise StepError(
            "strategy_in_use",
            f"strategy {strategy_id} has open positions: {', '.join(map(str, ids))}",
            {"position_ids": list(ids)},
        )


# --- forecasts ---------------------------------------------------------------------------------------------------------


def _made_forecast(ctx: Context, args: Mapping[str, Value]) -> Acting[dict[str, Value]]:
    """What making may ask for: a creation where there is none of the name, else its accounts at most."""
    until = until_of(ctx.step)
    new = Unknown("integer", until)
    yield from call("create", "CreateStrategy", args)
    yield from call("rename", "RenameStrategy", {"strategy_id": new, "name": args["name"]})
    accounts = args["active_on_accounts"]
    yield from call("activate", "UpdateStrategy", {"strategy_id": new, "active_on_accounts": accounts})
    return unknown_outputs(MadeStrategy, until, {"name": args["name"], "active_on": accounts})


@strategy_clone.forecasts
def _clone_forecast(ctx: Context, inputs: CloneOrder) -> Acting[dict[str, Value]]:
    template = inputs.template if isinstance(inputs.template, int) else Unknown("integer", until_of(ctx.step))
    return (yield from _made_forecast(ctx, _clone_args(template, inputs)))


@strategy_create.forecasts
def _create_forecast(ctx: Context, inputs: NewStrategy) -> Acting[dict[str, Value]]:
    if not is_known(inputs.definition):
        name = inputs.name if inputs.name is not None else Unknown("string", until_of(ctx.step))
        return (yield from _made_forecast(ctx, _create_args(inputs.definition, name, inputs)))
    definition = _definition_file(ctx, inputs.definition)
    name = inputs.name or str(definition["StrategyName"])
    return (yield from _made_forecast(ctx, _create_args(definition, name, inputs)))


@strategy_update.forecasts
def _update_forecast(ctx: Context, inputs: StrategyChange) -> Acting[dict[str, Value]]:
    for name, method, args in _changes(ctx, inputs):
        yield from call(name, method, args)
    known = {"strategy_id": inputs.strategy_id, "name": inputs.name, "active_on": inputs.active_on}
    given = {key: value for key, value in known.items() if value is not None}
    return unknown_outputs(Strategy, until_of(ctx.step), given)


@strategy_delete.forecasts
def _delete_forecast(ctx: Context, inputs: StrategyRemoval) -> Acting[dict[str, Value]]:
    yield from call("delete", "DeleteStrategy", _removal(inputs))
    return {}
