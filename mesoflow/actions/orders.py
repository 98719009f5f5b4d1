"""`orders.work` on paper accounts: the same protocol as at a broker, with one booking in place of the walk.

    facts        account (is it paper? the day's profit) and the underlying, then the legs' quotes, which pass the gate,
                 then the account's open legs: journalled reads, none older than the quotes
    decision     near, mid, natural → the ladder of prices, frozen with the first quotes
    booking      ApplyPaperFills for the whole exec plan, keyed, at `worst` unless the playbook says otherwise
    comparison   position, legs and executions at the hub agree with the fills, within 30 s, or the run parks (C21)

A booking that did not leave this process, and an exit that a rail pauses (quotes, distance from the mid), look at the
market again until `within` is over; the frozen prices stay. The comparison stands in a shield: a run that is cancelled
while a booking is under way still says what filled.

Orders at a broker come with a later version; until then any other account is refused before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Literal

from pydantic import Field

from mesoflow.actions.accounts import day_pnl, read_account, require_allowed
from mesoflow.actions.base import Acting, Inputs, action
from mesoflow.actions.contracts import contract_of, quote_of
from mesoflow.actions.data import underlying_prices
from mesoflow.actions.fills import Booked, compare, execution
from mesoflow.actions.hub import PATIENCE, pages, place, shielded, sleep
from mesoflow.actions.kinds import Duration
from mesoflow.actions.ledger import remember
from mesoflow.actions.quotes import Asked, leg_quotes
from mesoflow.actions.unknown import Unknown, is_known, unknown_outputs, until_of
from mesoflow.actions.values import ExecPlan, Execution, Group
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import StepError
from mesoflow.engine.paths import attempt
from mesoflow.hubs.models.accounts import LiveAccount
from mesoflow.hubs.models.contracts import ListLegsResult, LiveLeg
from mesoflow.trading.combos import PackageQuote, package_quote, strike_width
from mesoflow.trading.orders import Contract, OpenLeg, Order, OrderFacts, OrderGroup, OrderLeg, Quote
from mesoflow.trading.paper import NotSplit, PaperFill, PaperLeg, paper_price, split
from mesoflow.trading.prices import Ladder, PricePolicy, PriceRefused, freeze
from mesoflow.trading.quotes import AGE_MAX_MS
from mesoflow.trading.ticks import tick_table

_QUOTE_AGE_MAX = timedelta(milliseconds=AGE_MAX_MS)
# The mark that facts are given with; rails that need a fresher one refuse.
_MARK_AGE_MAX = timedelta(seconds=15)
# Between two looks at a market that does not suit; the hub is not asked faster than a person could follow.
_PAUSE = timedelta(seconds=5)
# Rails that pause an exit and never end it (SAFETY.md §3, exits are privileged).
_PAUSING = frozenset({"C05", "C07", "C15"})
_ZERO = Decimal(0)


class Unwind(Inputs):
    """How what filled of an entry is traded back."""

    price: PricePolicy = Field(description="at what price", examples=[{"start": "mid"}])
    within: Duration = Field(description="time for it", examples=["2m"])


class Unwinding(Inputs):
    """`if_incomplete: {unwind: …}`."""

    unwind: Unwind = Field(
        description="trade back what filled", examples=[{"price": {"start": "mid"}, "within": "2m"}]
    )


class OrderWork(Inputs):
    """Inputs of `orders.work`."""

    exec_plan: ExecPlan = Field(
        description="the whole result of a prepare step", examples=["{{ steps.entry }}"]
    )
    price: PricePolicy = Field(
        description="where it starts, how it gets worse, what it never passes",
        examples=[
            {"start": "mid", "step": Decimal("0.05"), "every": "20s", "worst": {"from_mid": Decimal("0.30")}}
        ],
    )
    within: Duration = Field(description="time for each leg group", examples=["5m"])
    sequence: Literal["safest", "together"] | list[str] = Field(
        "safest",
        description="leg groups in order, each named by one of its legs; does not apply on a paper account",
        examples=["together", ["short_put", "short_call"]],
    )
    if_incomplete: Literal["hold", "keep"] | Unwinding = Field(
        "hold",
        description="something filled, not all: hold calls a person, keep keeps whole packages of a single group, "
        "unwind trades back; cannot happen on a paper account",
        examples=["keep"],
    )
    max_plan_age: Duration = Field(
        timedelta(minutes=5), description="oldest plan that may open risk", examples=["5m"]
    )
    paper_fill: PaperFill = Field(
        "worst", description="price booked on a paper account, never beyond worst", examples=["natural"]
    )


@dataclass(frozen=True, slots=True)
class _Work:
    """One exec plan under way. `ladders` are frozen with the first quotes, by leg group."""

    inputs: OrderWork
    plan: ExecPlan
    contracts: Mapping[str, Contract]
    until: datetime
    ladders: dict[int, Ladder] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What one look at account and market has shown. `before` are the position's open legs."""

    quotes: Mapping[str, Quote]
    before: Mapping[str, Decimal]
    order: OrderFacts


@action(
    "orders.work",
    "trade",
    inputs=OrderWork,
    outputs=Execution,
    errors=(
        "account_not_allowed",
        "not_filled",
        "incomplete",
        "rejected",
        "combo_not_supported",
        "no_quote",
        "plan_too_old",
        "rail_refused",
        "approval_denied",
        "approval_expired",
    ),
    methods=(
        "GetAccount",
        "ListLegs",
        "GetUnderlyingSnapshot",
        "GetContractSnapshot",
        "GetLegsSnapshot",
        "ApplyPaperFills",
        "ListPositions",
        "ListExecutions",
        "GetPosition",
    ),
)
def orders_work(ctx: Context, inputs: OrderWork) -> Acting[Execution]:
    """Execute an exec plan until filled or out of time; at the end MesoLive's legs have been compared with the fills.
    Paper accounts book paper fills; orders at a broker are not in this version."""
    plan = inputs.exec_plan
    _require_sense(inputs)
    require_allowed(ctx, plan.broker_account_id)
    _require_young(ctx, inputs)
    booked = yield from _book(ctx, _Work(inputs, plan, _contracts(plan), ctx.now + inputs.within))
    compared = yield from shielded(compare(ctx, plan, booked))
    remember(ctx, plan.broker_account_id, compared.position_id, plan.exec_plan_id, compared.open_legs)
    return execution(ctx, plan, booked, compared)


# --- what is refused before anything is sent -----------------------------------------------------------------------------


def _require_sense(inputs: OrderWork) -> None:
    """Wishes that this plan cannot have. They are findings of `check` where it can see them."""
    plan = inputs.exec_plan
    trading = sum(1 for group in plan.groups if group.packages)
    if inputs.if_incomplete == "keep" and trading > 1:
        raise StepError(
            "bad_value", f"if_incomplete: keep needs a plan of one leg group, this one has {trading}"
        )
    if isinstance(inputs.if_incomplete, Unwinding) and plan.kind != "entry":
        raise StepError(
            "bad_value",
            "if_incomplete: unwind is for entries; elsewhere it would close what was there before",
        )
    strangers = (
        [name for name in inputs.sequence if name not in plan.legs]
        if isinstance(inputs.sequence, list)
        else []
    )
    if strangers:
        raise StepError(
            "bad_value", f"sequence names {strangers[0]!r}; the plan's legs are {', '.join(plan.legs)}"
        )


def _require_paper(account: LiveAccount) -> None:
    if not account.is_paper_account:
        raise StepError(
            "rail_refused",
            f"account {account.broker_account_id} is a broker's account; orders at a broker are not in this version",
            {"rule": "C01", "broker_account_id": account.broker_account_id},
        )


def _require_young(ctx: Context, inputs: OrderWork) -> None:
    plan = inputs.exec_plan
    age = ctx.now - plan.prepared_at
    if plan.kind != "exit" and age > inputs.max_plan_age:
        seconds, limit = int(age.total_seconds()), int(inputs.max_plan_age.total_seconds())
        raise StepError(
            "plan_too_old",
            f"exec plan {plan.exec_plan_id} is {seconds} s old; one that may open risk is at most {limit} s old",
            {"age": Decimal(seconds), "max_plan_age": Decimal(limit)},
        )


# --- the booking -------------------------------------------------------------------------------------------------------


def _book(ctx: Context, work: _Work) -> Acting[Booked]:
    """Facts, prices, rails, sent; again where nothing left or an exit is paused, as long as there is time."""
    for number in count(1):
        facts = yield from _facts(ctx, work, number)
        _require_young(ctx, work.inputs)
        order = _order(work, facts)
        try:
            answer = yield from place(attempt("fill", number), order)
        except StepError as error:
            if not _looks_again(error, work.plan):
                raise _meaning(error) from error
            _require_time(ctx, work.until, error)
        else:
            return Booked(order, answer, facts.before)
        yield from sleep(attempt("pause", number), min(ctx.now + _PAUSE, work.until))
    raise AssertionError("count never ends")


def _facts(ctx: Context, work: _Work, number: int) -> Acting[_Facts]:
    """What the rails and the price need. Quotes are waited for, so the open legs are read after them: nothing in here
    is older than `as_of`, the instant at which all quotes were fresh."""
    plan = work.plan
    account = yield from read_account(attempt("account", number), plan.broker_account_id)
    _require_paper(account)
    underlying = yield from underlying_prices(
        ctx, attempt("underlying", number), plan.underlying.symbol, None, _MARK_AGE_MAX
    )
    quotes = yield from _quotes(ctx, work, attempt("quotes", number))
    as_of = ctx.now
    legs = yield from _open_legs(attempt("open-legs", number), plan)
    facts = OrderFacts(
        day_pnl=day_pnl(ctx, account),
        net_liquidation=account.net_liquidation_value,
        open_legs=tuple(_judged(legs, plan)),
        underlying_mark=underlying.mark,
        as_of=as_of,
        is_paper=account.is_paper_account,
    )
    before = {leg.name: leg.qty for leg in legs if leg.live_position_id == plan.position_id}
    return _Facts(quotes, before, facts)


def _quotes(ctx: Context, work: _Work, name: str) -> Acting[dict[str, Quote]]:
    asked = {
        leg.name: Asked(work.contracts[leg.name], leg.leg_id, sold=leg.quantity < 0)
        for leg in work.plan.legs.values()
    }
    limit = min(work.until, ctx.now + PATIENCE)
    prices = yield from leg_quotes(ctx, name, asked, _QUOTE_AGE_MAX, limit)
    return {leg: quote_of(block, ctx.now) for leg, block in prices.items()}


def _open_legs(name: str, plan: ExecPlan) -> Acting[list[LiveLeg]]:
    listed = yield from pages(name, "ListLegs", {"broker_account_id": plan.broker_account_id}, ListLegsResult)
    return [leg for page in listed for leg in page.legs if leg.closed_at is None and leg.qty]


def _judged(legs: list[LiveLeg], plan: ExecPlan) -> list[OpenLeg]:
    """What is open on the account. What is no option cannot be judged: an entry beside it is refused, an exit is not."""
    judged = [leg for leg in legs if leg.live_contract.option_type is not None or plan.kind != "exit"]
    return [
        OpenLeg(leg.live_position_id, leg.name, contract_of(leg), leg.qty, leg.avg_entry_price)
        for leg in judged
    ]


def _contracts(plan: ExecPlan) -> dict[str, Contract]:
    symbol = plan.underlying.symbol
    return {
        name: Contract(symbol, leg.root, leg.option_type, leg.expiration, leg.strike)
        for name, leg in plan.legs.items()
    }


def _looks_again(error: StepError, plan: ExecPlan) -> bool:
    """What did not leave is priced anew; so is an exit that nothing but pausing rails refuse."""
    if error.code == "not_sent":
        return True
    rules = set(error.details.get("rules", ()))
    return error.code == "rail_refused" and plan.kind == "exit" and bool(rules) and rules <= _PAUSING


def _require_time(ctx: Context, until: datetime, error: StepError) -> None:
    if ctx.now >= until:
        raise StepError("not_filled", f"out of time; last: {error.summary}", {"last": error.code}) from error


def _meaning(error: StepError) -> StepError:
    """The hub's refusal of a booking, in the catalogue's words."""
    if error.code == "hub_refused":
        return StepError("rejected", error.summary, error.details)
    return error


def _order(work: _Work, facts: _Facts) -> Order:
    """The whole order: every group at its price, every leg at its share of it."""
    plan, quotes = work.plan, facts.quotes
    trading = [group for group in plan.groups if group.packages]
    groups = [_group(work, group, quotes) for group in trading]
    prices = {
        name: price
        for group, wire in zip(trading, groups, strict=True)
        for name, price in _split(group, wire.limit, quotes).items()
    }
    legs = [
        OrderLeg(
            leg.name, work.contracts[leg.name], leg.quantity, leg.group, quotes[leg.name], prices[leg.name]
        )
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
        facts=facts.order,
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


def _group(work: _Work, group: Group, quotes: Mapping[str, Quote]) -> OrderGroup:
    quote = package_quote((count, quotes[name]) for name, count in group.ratio.items())
    ladder = work.ladders.get(group.id) or _freeze(work, group, quote)
    work.ladders[group.id] = ladder
    price = _paper_price(work.inputs.paper_fill, group, quote, ladder)
    return OrderGroup(
        id=group.id,
        legs=tuple(group.ratio),
        packages=group.packages,
        limit=price,
        worst=ladder.worst,
        near=quote.near,
        mid=quote.mid,
        natural=quote.natural,
    )


def _freeze(work: _Work, group: Group, quote: PackageQuote) -> Ladder:
    ticks = tick_table(work.plan.underlying.symbol).for_order(len(group.ratio))
    width = strike_width(work.contracts[name] for name in group.ratio)
    try:
        return freeze(work.inputs.price, quote, ticks, strike_width=width)
    except PriceRefused as error:
        raise StepError(error.code, error.summary, {"rule": error.rule, "group": group.id}) from error


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


# --- forecast ----------------------------------------------------------------------------------------------------------


@orders_work.forecasts
def _forecast(ctx: Context, inputs: OrderWork) -> Acting[dict[str, Value]]:
    """One booking, its prices unknown until the quotes of that time are read."""
    until = until_of(ctx.step)
    yield from place("fill", _forecast_order(inputs, until))
    yield from sleep("pause", ctx.now)
    known: dict[str, Value] = {}
    for name in ("exec_plan_id", "kind", "position_id", "lots"):
        value = _of_plan(inputs, name)
        if is_known(value) and value is not None:
            known[name] = value
    return unknown_outputs(Execution, until, known)


def _of_plan(inputs: OrderWork, name: str) -> Value:
    """A figure of the plan, which in a preview is a mapping that holds unknowns, or an unknown as a whole."""
    plan = inputs.exec_plan
    if isinstance(plan, ExecPlan):
        return getattr(plan, name)
    if isinstance(plan, Mapping):
        return plan.get(name)
    fields = plan.fields if isinstance(plan, Unknown) else None
    return (fields or {}).get(name, Unknown("any"))


def _forecast_order(inputs: OrderWork, until: str) -> Order:
    args: dict[str, Value] = {
        "broker_account_id": _of_plan(inputs, "broker_account_id"),
        "exec_plan_id": _of_plan(inputs, "exec_plan_id"),
        "qty_multiplier": _of_plan(inputs, "lots") if _of_plan(inputs, "kind") == "entry" else None,
        "paper_leg_fills": Unknown("map<PaperLegFill>", until),
    }
    return Order(
        method="ApplyPaperFills",
        account=args["broker_account_id"],
        kind=_of_plan(inputs, "kind"),
        exec_plan_id=args["exec_plan_id"],
        position_id=_of_plan(inputs, "position_id"),
        strategy_id=_of_plan(inputs, "strategy_id"),
        symbol="",
        legs=(),
        groups=(),
        facts=OrderFacts(None, None, (), None),
        args=args,
    )
