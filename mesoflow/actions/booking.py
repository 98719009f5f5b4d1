"""Paper accounts: the same protocol as at a broker, with one booking in place of the walk.

    facts        account (is it paper? the day's profit) and the underlying, then the legs' quotes, which pass the gate,
                 then the account's open legs: journalled reads, none older than the quotes
    decision     near, mid, natural → the ladder of prices, frozen with the first quotes
    booking      ApplyPaperFills for the whole exec plan, keyed, at `worst` unless the playbook says otherwise

A booking that did not leave this process, and an exit that a rail pauses (quotes, distance from the mid), look at the
market again until `within` is over; the frozen prices stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from mesoflow.actions.base import Acting
from mesoflow.actions.fills import Traded, traded_on_paper
from mesoflow.actions.hub import place, sleep
from mesoflow.actions.ladders import Frozen, freeze_group, order_group, quote_of_group, trading_groups
from mesoflow.actions.market import Market, look
from mesoflow.actions.values import ExecPlan, Group
from mesoflow.actions.work import Work, require_young
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import StepError
from mesoflow.engine.paths import attempt
from mesoflow.hubs.models.accounts import LiveAccount
from mesoflow.trading.combos import PackageQuote
from mesoflow.trading.orders import Order, OrderGroup, OrderLeg, Quote
from mesoflow.trading.paper import NotSplit, PaperFill, PaperLeg, paper_price, split
from mesoflow.trading.prices import Ladder

# Between two looks at a market that does not suit; the hub is not asked faster than a person could follow.
PAUSE = timedelta(seconds=5)
# Rails that pause an exit and never end it (SAFETY.md §3, exits are privileged).
PAUSING = frozenset({"C05", "C07", "C15"})
_ZERO = Decimal(0)


def book_plan(ctx: Context, work: Work, account: LiveAccount, until: datetime) -> Acting[Traded]:
    """Facts, prices, rails, sent; again where nothing left or an exit is paused, as long as there is time."""
    frozen: dict[int, Frozen] = {}
    for number in count(1):
        names = {name: attempt(name, number) for name in ("account", "underlying", "quotes", "open-legs")}
        market = yield from look(
            ctx, names, work.plan, work.plan.legs, until, account=account if number == 1 else None
        )
        require_young(ctx, work)
        order = _order(work, frozen, market)
        try:
            answer = yield from place(attempt("fill", number), order)
        except StepError as error:
            if not _looks_again(error, work.plan):
                raise _meaning(error) from error
            _require_time(ctx, until, error)
        else:
            return traded_on_paper(order, answer, market.before, work.plan)
        yield from sleep(attempt("pause", number), min(ctx.now + PAUSE, until))
    raise AssertionError("count never ends")


def _looks_again(error: StepError, plan: ExecPlan) -> bool:
    """What did not leave is priced anew; so is an exit that nothing but pausing rails refuse."""
    return error.code == "not_sent" or pauses(error, plan)


def pauses(error: StepError, plan: ExecPlan) -> bool:
    """Whether nothing but rails that pause an exit have refused it."""
    rules = set(error.details.get("rules", ()))
    return error.code == "rail_refused" and plan.kind == "exit" and bool(rules) and rules <= PAUSING


def _require_time(ctx: Context, until: datetime, error: StepError) -> None:
    if ctx.now >= until:
        raise StepError("not_filled", f"out of time; last: {error.summary}", {"last": error.code}) from error


def _meaning(error: StepError) -> StepError:
    """The hub's refusal of a booking, in the catalogue's words."""
    if error.code == "hub_refused":
        return StepError("rejected", error.summary, error.details)
    return error


def _order(work: Work, frozen: dict[int, Frozen], market: Market) -> Order:
    """The whole order: every group at its price, every leg at its share of it."""
    plan, quotes, contracts = work.plan, market.quotes, work.contracts
    trading = trading_groups(plan)
    groups = [_group(work, frozen, group, quotes) for group in trading]
    prices = {
        name: price
        for group, wire in zip(trading, groups, strict=True)
        for name, price in _split(group, wire.limit, quotes).items()
    }
    legs = [
        OrderLeg(leg.name, contracts[leg.name], leg.quantity, leg.group, quotes[leg.name], prices[leg.name])
        for leg in plan.legs.values()
    ]
    return Order(
        method="ApplyPaperFills",
        account=plan.broker_account_id,
        kind=plan.kind,
        exec_plan_id=plan.exec_plan_id,
        position_id=plan.position_id,
        strategy_id=plan.strategy_id,
        symbol=plan.underlying.symbol,
        legs=tuple(legs),
        groups=tuple(groups),
        facts=market.facts,
        args=_args(plan, prices),
    )


def _args(plan: ExecPlan, prices: Mapping[str, Decimal]) -> dict[str, Value]:
    """`lots` replaces the strategy's own multiplier, on entries only (hubs/inferred.py, qty_multiplier). The hub wants a
    fill for every leg of the plan; a marker's says nothing."""
    markers = [name for group in plan.groups for name in group.legs if name not in plan.legs]
    fills = {**prices, **dict.fromkeys(markers, _ZERO)}
    return {
        "broker_account_id": plan.broker_account_id,
        "exec_plan_id": plan.exec_plan_id,
        "qty_multiplier": plan.lots if plan.kind == "entry" else None,
        "paper_leg_fills": {name: {"price": price, "commission": _ZERO} for name, price in fills.items()},
    }


def _group(work: Work, frozen: dict[int, Frozen], group: Group, quotes: Mapping[str, Quote]) -> OrderGroup:
    quote = quote_of_group(group, quotes)
    if group.id not in frozen:
        frozen[group.id] = freeze_group(work.plan, work.price, group, quotes)
    ladder = frozen[group.id].ladder
    price = _paper_price(work.paper_fill, group, quote, ladder)
    return order_group(group, group.packages, price, ladder, quote)


def _paper_price(fill: PaperFill, group: Group, quote: PackageQuote, ladder: Ladder) -> Decimal:
    """The price booked. Paper is never kinder than the market: a limit that is better than the mid by more than its
    rounding would rest there unfilled, and so it does here."""
    price = paper_price(fill, quote, ladder.worst)
    if price is None:
        raise _not_filled(group, f"{fill} is beyond the worst price", quote, ladder)
    if price <= quote.mid - ladder.ticks.at(quote.mid):
        raise _not_filled(
            group, "the worst price is better than mid, where the market does not fill", quote, ladder
        )
    return price


def _not_filled(group: Group, why: str, quote: PackageQuote, ladder: Ladder) -> StepError:
    figures = {"near": quote.near, "mid": quote.mid, "natural": quote.natural, "worst": ladder.worst}
    shown = ", ".join(f"{name} {figure}" for name, figure in figures.items())
    return StepError(
        "not_filled",
        f"group {group.id} ({', '.join(group.legs)}): {why} (debits: {shown})",
        {"group": group.id, **figures},
    )


def _split(group: Group, price: Decimal, quotes: Mapping[str, Quote]) -> dict[str, Decimal]:
    try:
        return split(price, [PaperLeg(name, count, quotes[name]) for name, count in group.ratio.items()])
    except NotSplit as error:
        raise StepError("rail_refused", str(error), {"rule": "not_split", "group": group.id}) from error
