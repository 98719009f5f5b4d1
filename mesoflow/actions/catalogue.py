"""The catalogue: every action by name. An explicit list; a family's module is imported when one of it is asked for.

What ACTIONS.md has beyond it is refused by name, "not in this version", by the schema and by `check`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from mesoflow.engine.action import Action

# name → module of this package, and the member in it.
_MEMBERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "account.select": ("accounts", "account_select"),
        "account.reconcile": ("reconcile", "account_reconcile"),
        "agent.require": ("agents", "agent_require"),
        "strategy.get": ("strategies", "strategy_get"),
        "strategy.clone": ("strategies", "strategy_clone"),
        "strategy.create": ("strategies", "strategy_create"),
        "strategy.update": ("strategies", "strategy_update"),
        "strategy.delete": ("strategies", "strategy_delete"),
        "entry.prepare": ("entries", "entry_prepare"),
        "exit.prepare": ("exits", "exit_prepare"),
        "adjustment.prepare": ("adjustments", "adjustment_prepare"),
        "orders.work": ("orders", "orders_work"),
        "orders.send": ("sending", "orders_send"),
        "fills.wait": ("sending", "fills_wait"),
        "orders.cancel": ("cancels", "orders_cancel"),
        "position.list": ("positions", "position_list"),
        "position.get": ("positions", "position_get"),
        "position.exit": ("closes", "position_exit"),
        "position.update_vars": ("adjustments", "position_update_vars"),
        "data.underlying": ("data", "data_underlying"),
        "session.get": ("sessions", "session_get"),
        "hub.read": ("reads", "hub_read"),
        "wait.for": ("waits", "wait_for"),
        "wait.until": ("waits", "wait_until"),
        "assert": ("control", "assert_all"),
        "set": ("control", "set_values"),
        "notify": ("tell", "notify"),
        "trading.halt": ("halting", "trading_halt"),
    }
)

# name → what it will be, for the finding that refuses it.
NOT_IN_THIS_VERSION: Mapping[str, str] = MappingProxyType(
    {
        "paper.fill": "book fills that a person made elsewhere on a paper account",
        "signal.entry": "wait for an entry signal",
        "signal.exit": "wait for an exit signal",
        "signal.adjustment": "wait for an adjustment signal",
        "ask": "ask a person for values",
    }
)


class _Catalogue(Mapping[str, "Action"]):
    """The members, each imported with its family at its first use."""

    def __getitem__(self, name: str) -> Action:
        module, member = _MEMBERS[name]
        return cast("Action", getattr(import_module(f"mesoflow.actions.{module}"), member))

    def __iter__(self) -> Iterator[str]:
        return iter(_MEMBERS)

    def __len__(self) -> int:
        return len(_MEMBERS)

    def __contains__(self, name: object) -> bool:
        return name in _MEMBERS


ACTIONS: Mapping[str, Action] = _Catalogue()
