"""Exec plans: from what a prepare job gives to our ExecPlan, with prices and sizes of our own arithmetic.

The hub's figures for groups and positions are not used: near, mid and natural come from the legs' own quotes. The size is
decided here. A quantity of a plan is what is traded: + bought, − sold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from mesoflow.actions.base import Acting
from mesoflow.actions.contracts import (
    MULTIPLIER,
    contract_of,
    days_to,
    greek_set,
    quote_of,
    shown_greeks,
    shown_quote,
    summed_greeks,
)
from mesoflow.actions.data import seconds_old, underlying_prices
from mesoflow.actions.hub import PATIENCE
from mesoflow.actions.quotes import Asked, all_fresh, leg_quotes
from mesoflow.actions.ready import is_fresh
from mesoflow.actions.sessions import calendar_of
from mesoflow.actions.values import Condition, ExecPlan, Group, Leg, PlanKind, Price, Quote, Underlying
from mesoflow.engine.action import Context
from mesoflow.engine.errors import StepError
from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.prepares import ConditionEvaluation
from mesoflow.hubs.models.prepares import ExecPlan as WirePlan
from mesoflow.hubs.models.prices import LivePrices
from mesoflow.trading.combos import PackageQuote, package_quote, ratio_of
from mesoflow.trading.orders import Contract
from mesoflow.trading.payoff import Holding, loss_at_expiry, net

# The oldest quote that a plan is shown with; what an order is priced with is read again, and younger (orders.py).
QUOTE_AGE_MAX = timedelta(seconds=15)

_ZERO = Decimal(0)
_ONE = Decimal(1)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Traded:
    """One leg of a plan: what is traded of it, and by what factor the hub's greeks of it are scaled."""

    live: LiveLeg
    contract: Contract
    quantity: Decimal
    group: int
    scale: Decimal = _ONE


@dataclass(frozen=True, slots=True)
class Sized:
    """A plan of the hub's, sized by us. `held` and `held_cash`: what an adjustment finds open, and what opening it brought."""

    kind: PlanKind
    wire: WirePlan
    legs: Mapping[str, Traded]
    lots: Decimal
    symbol: str
    position_id: int | None
    conditions: tuple[Condition, ...] = ()
    provider: str | None = None
    held: tuple[Holding, ...] = ()
    held_cash: Decimal = _ZERO


def exec_plan(ctx: Context, sized: Sized) -> Acting[ExecPlan]:
    """The ExecPlan, quoted: by what the job saw, and read again where that is old or has one side only."""
    if not sized.legs:
        raise StepError("nothing_to_trade", f"exec plan {sized.wire.exec_plan_id} trades no contract")
    prices = yield from _quotes(ctx, sized)
    underlying = yield from _underlying(ctx, sized)
    legs = {name: _leg(ctx, traded, sized.wire, prices[name]) for name, traded in sized.legs.items()}
    groups = [_group(ctx, group, names, sized, prices) for group, names in _groups_of(sized).items()]
    whole = _whole(groups)
    return ExecPlan(
        exec_plan_id=sized.wire.exec_plan_id,
        kind=sized.kind,
        position_id=sized.position_id,
        position_name=sized.wire.position_name,
        strategy_id=sized.wire.strategy_id,
        strategy_name=sized.wire.strategy_name,
        broker_account_id=sized.wire.broker_account_id,
        lots=sized.lots,
        legs=legs,
        groups=groups,
        quote=_shown(_divided(whole, sized.lots), max(leg.quote.age for leg in legs.values())),
        greeks=summed_greeks([leg.greeks for leg in legs.values()]),
        premium=abs(_cash(whole.mid)),
        max_loss=_max_loss(sized, whole),
        underlying=underlying,
        vars=dict(sized.wire.vars),
        conditions=list(sized.conditions),
        prepared_at=ctx.now,
    )


# --- sizing ------------------------------------------------------------------------------------------------------------


def wire_quantities(wire: WirePlan, legs: Mapping[str, LiveLeg]) -> dict[str, Decimal]:
    """Contracts by leg as the plan's groups have them; where they do not say, as the leg has them."""
    told: dict[str, Decimal] = {}
    for quantities in wire.leg_group_qtys.values():
        told |= quantities.leg_qtys or {}
    return {name: told.get(name, leg.qty) for name, leg in legs.items()}


def traded(
    wire: WirePlan, legs: Mapping[str, LiveLeg], quantities: Mapping[str, Decimal], scale: Decimal = _ONE
) -> dict[str, Traded]:
    """The legs that trade; markers (quantity 0) do not."""
    groups = {name: group for group, names in wire.leg_groups.items() for name in names}
    return {
        name: Traded(
            leg,
            _tradable(leg),
            _whole_contracts(name, quantities[name]),
            groups.get(name, leg.leg_group_id),
            scale,
        )
        for name, leg in legs.items()
        if quantities[name]
    }


def _tradable(leg: LiveLeg) -> Contract:
    """Money is points times 100 throughout (LANGUAGE.md §3); a contract of another size is refused, not miscounted."""
    contract = contract_of(leg)
    if contract.multiplier != MULTIPLIER:
        raise StepError(
            "prepare_failed",
            f"a point of leg {leg.name} is {contract.multiplier} dollars; mesoflow trades contracts of {MULTIPLIER}",
            {"leg": leg.name},
        )
    return contract


def _whole_contracts(name: str, quantity: Decimal) -> Decimal:
    if quantity != quantity.to_integral_value():
        raise StepError(
            "prepare_failed", f"leg {name} has {quantity} contracts; an order takes whole ones", {"leg": name}
        )
    return Decimal(int(quantity))


# --- quoting -----------------------------------------------------------------------------------------------------------


def _quotes(ctx: Context, sized: Sized) -> Acting[Mapping[str, LivePrices]]:
    seen = {name: sized.wire.leg_prices[name] for name in sized.legs if name in sized.wire.leg_prices}
    if len(seen) == len(sized.legs) and all_fresh(seen, QUOTE_AGE_MAX, ctx.now):
        return seen
    asked = {name: Asked(leg.contract, leg.live.id or None) for name, leg in sized.legs.items()}
    return (yield from leg_quotes(ctx, "quotes", asked, QUOTE_AGE_MAX, ctx.now + PATIENCE))


def _underlying(ctx: Context, sized: Sized) -> Acting[Underlying]:
    prices = sized.wire.underlying_price
    if not is_fresh(prices.value(), ("mark",), int(QUOTE_AGE_MAX / timedelta(milliseconds=1)), ctx.now):
        prices = yield from underlying_prices(ctx, "underlying", sized.symbol, sized.provider, QUOTE_AGE_MAX)
    assert prices.mark is not None, "a mark was looked for"
    return Underlying(symbol=sized.symbol, mark=prices.mark, age=seconds_old(prices, "mark", ctx.now))


def _leg(ctx: Context, leg: Traded, wire: WirePlan, prices: LivePrices) -> Leg:
    greeks = greek_set(wire.leg_greeks.get(leg.live.name))
    return Leg(
        name=leg.live.name,
        leg_id=leg.live.id or None,
        option_type=leg.contract.option_type,
        root=leg.contract.root,
        expiration=leg.contract.expiration,
        dte=days_to(leg.contract.expiration, calendar_of(ctx).today(ctx.now)),
        strike=leg.contract.strike,
        quantity=leg.quantity,
        group=leg.group,
        quote=shown_quote(prices, ctx.now),
        greeks=shown_greeks(greeks, leg.scale),
        iv=greeks.iv,
    )


def _groups_of(sized: Sized) -> dict[int, list[str]]:
    """Names of all legs by leg group, markers included; legs that the plan lists in no group by their own id."""
    groups = {group: list(names) for group, names in sorted(sized.wire.leg_groups.items())}
    listed = {name for names in groups.values() for name in names}
    for name, leg in sized.legs.items():
        if name not in listed:
            groups.setdefault(leg.group, []).append(name)
    return groups


_NOTHING = PackageQuote(_ZERO, _ZERO, _ZERO)


def _group(
    ctx: Context, group: int, names: list[str], sized: Sized, prices: Mapping[str, LivePrices]
) -> Group:
    trading = [name for name in names if name in sized.legs]
    ratio = ratio_of({name: sized.legs[name].quantity for name in trading})
    quotes = {name: quote_of(prices[name], ctx.now) for name in trading}
    quote = (
        package_quote((count, quotes[name]) for name, count in ratio.legs.items()) if trading else _NOTHING
    )
    age = max((shown_quote(prices[name], ctx.now).age for name in trading), default=_ZERO)
    return Group(
        id=group,
        legs=names,
        ratio=dict(ratio.legs),
        packages=ratio.packages,
        side="debit" if quote.mid > 0 else "credit" if quote.mid < 0 else "even",
        quote=_shown(quote, age),
    )


def _whole(groups: list[Group]) -> PackageQuote:
    """All packages of all groups together."""
    near = sum((group.packages * group.quote.near.debit for group in groups), _ZERO)
    mid = sum((group.packages * group.quote.mid.debit for group in groups), _ZERO)
    natural = sum((group.packages * group.quote.natural.debit for group in groups), _ZERO)
    return PackageQuote(near, mid, natural)


def _divided(quote: PackageQuote, by: Decimal) -> PackageQuote:
    return PackageQuote(quote.near / by, quote.mid / by, quote.natural / by)


def _shown(quote: PackageQuote, age: Decimal) -> Quote:
    return Quote(
        near=Price.of(quote.near),
        mid=Price.of(quote.mid),
        natural=Price.of(quote.natural),
        width=quote.width,
        age=age,
    )


def _cash(debit: Decimal) -> Decimal:
    """Money seen from the account: + received, − paid."""
    return (-debit * MULTIPLIER).quantize(_CENT)


def _max_loss(sized: Sized, whole: PackageQuote) -> Decimal | None:
    if sized.kind == "exit":
        return _ZERO  # nothing is open after it
    trades = (Holding(leg.contract, leg.quantity) for leg in sized.legs.values())
    return loss_at_expiry(net((*sized.held, *trades)), sized.held_cash + _cash(whole.natural))


def conditions_of(
    entry: list[ConditionEvaluation], abort: list[ConditionEvaluation]
) -> tuple[Condition, ...]:
    """The strategy's conditions, as a playbook reads them."""
    return (
        *(Condition(text=one.condition, kind="entry", result=one.result) for one in entry),
        *(Condition(text=one.condition, kind="abort", result=one.result) for one in abort),
    )
