"""Strategies: definitions of trades, and on which accounts they are active."""

from typing import Any

from mesoflow.hubs.models.base import Args, Instant, Page, PageArgs, Wire


class LiveStrategy(Wire):
    """One strategy. The definition may come only with GetStrategy."""

    id: int
    name: str
    description: str | None = None
    active_on_accounts: list[str] | None = (
        None  # broker accounts on which it may be entered and raises signals
    )
    strategy_definition: Any = None  # a MesoSim v3 definition, kept as it came
    backtest_id: str | None = None
    meso_sim_instance: str | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None


class CreateStrategyArgs(Args):
    """A new strategy from a definition, or as a clone (inferred.py, `clone_strategy_id`). Not keyed."""

    strategy_definition: Any  # null when cloning
    name: str | None = None  # null: StrategyName of the definition, or the name of what is cloned
    backtest_id: str | None = None
    meso_sim_instance: str | None = None
    active_on_accounts: list[str] | None = None
    clone_strategy_id: int | None = None


class CreateStrategyResult(Wire):
    """The new strategy's id."""

    strategy_id: int


class UpdateStrategyArgs(Args):
    """What is null or absent stays as it is; a list of accounts replaces the former one."""

    strategy_id: int
    strategy_definition: Any = None
    backtest_id: str | None = None
    meso_sim_instance: str | None = None
    active_on_accounts: list[str] | None = None


class UpdateStrategyResult(Wire):
    """Which strategy was changed."""

    strategy_id: int | None = None


class RenameStrategyArgs(Args):
    """A new name."""

    strategy_id: int
    name: str


class RenameStrategyResult(Wire):
    """Which strategy was renamed."""

    strategy_id: int | None = None


class DeleteStrategyArgs(Args):
    """`force`: also with positions of it."""

    strategy_id: int
    force: bool | None = None


class DeleteStrategyResult(Wire):
    """Which strategy was deleted."""

    strategy_id: int | None = None


class ListStrategiesArgs(PageArgs):
    """All strategies, or those active on one of some accounts."""

    active_on_accounts: list[str] | None = None


class ListStrategiesResult(Page):
    """One page of strategies."""

    strategies: list[LiveStrategy]


class GetStrategyArgs(Args):
    """Which strategy."""

    strategy_id: int


class GetStrategyResult(Wire):
    """One strategy, with its definition."""

    strategy: LiveStrategy
