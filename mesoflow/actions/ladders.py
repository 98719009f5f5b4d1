"""The frozen prices of leg groups: made once, from the quotes of decision time, and never computed again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mesoflow.actions.values import ExecPlan, Group
from mesoflow.actions.work import contracts_of
from mesoflow.engine.errors import StepError
from mesoflow.trading.combos import PackageQuote, package_quote, strike_width
from mesoflow.trading.orders import OrderGroup, Quote
from mesoflow.trading.prices import Ladder, PricePolicy, PriceRefused, freeze
from mesoflow.trading.ticks import tick_table

if TYPE_CHECKING:
    from decimal import Decimal

    from mesoflow.engine.effects import Value


@dataclass(frozen=True, slots=True)
class Frozen:
    """One leg group's prices, and the quote that they were made from."""

    ladder: Ladder
    quote: PackageQuote

    def to_value(self) -> dict[str, Value]:
        """As journalled."""
        quote = self.quote
        return {**self.ladder.to_value(), "near": quote.near, "mid": quote.mid, "natural": quote.natural}


def trading_groups(plan: ExecPlan) -> list[Group]:
    """Groups that become orders; of markers alone none does."""
    return [group for group in plan.groups if group.packages]


def quote_of_group(group: Group, quotes: Mapping[str, Quote]) -> PackageQuote:
    """A package's market by its legs' own quotes."""
    return package_quote((count, quotes[name]) for name, count in group.ratio.items())


def freeze_group(plan: ExecPlan, policy: PricePolicy, group: Group, quotes: Mapping[str, Quote]) -> Frozen:
    """The ladder of a group. Ends in `rail_refused` for a policy that this order cannot have."""
    quote = quote_of_group(group, quotes)
    contracts = contracts_of(plan)
    ticks = tick_table(plan.underlying.symbol).for_order(len(group.ratio))
    width = strike_width(contracts[name] for name in group.ratio)
    try:
        return Frozen(freeze(policy, quote, ticks, strike_width=width), quote)
    except PriceRefused as error:
        raise StepError(error.code, error.summary, {"rule": error.rule, "group": group.id}) from error


def order_group(
    group: Group, packages: int, limit: Decimal, ladder: Ladder, quote: PackageQuote
) -> OrderGroup:
    """A leg group of an order, with the market of now."""
    return OrderGroup(
        id=group.id,
        legs=tuple(group.ratio),
        packages=packages,
        limit=limit,
        worst=ladder.worst,
        near=quote.near,
        mid=quote.mid,
        natural=quote.natural,
    )
