"""Positions: `position.list` and `position.get`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal, TypeAlias

from pydantic import Field

from mesoflow.actions.accounts import require_allowed
from mesoflow.actions.base import Acting, Inputs, Outputs, account_of, action
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
from mesoflow.actions.fills import realized_pnl
from mesoflow.actions.hub import PATIENCE, insist, pages, read
from mesoflow.actions.kinds import Duration
from mesoflow.actions.ledger import adjustments_of, is_ours
from mesoflow.actions.sessions import calendar_of
from mesoflow.actions.strategies import StrategyRef, strategy_ids
from mesoflow.actions.values import Leg, Pnl, Position, PositionRef, Price, Quote
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import StepError
from mesoflow.hubs.models.contracts import ListLegsResult, LiveLeg
from mesoflow.hubs.models.data import PositionDataEntry
from mesoflow.hubs.models.enums import LivePositionState
from mesoflow.hubs.models.positions import GetPositionResult, ListPositionsResult, LivePosition
from mesoflow.hubs.models.prices import Greeks as GreekSet
from mesoflow.hubs.models.prices import LivePrices
from mesoflow.trading.combos import package_quote, ratio_of
from mesoflow.trading.payoff import Holding, loss_at_expiry
from mesoflow.trading.sessions import Calendar, NotCovered

Basis: TypeAlias = Literal["mark", "mid", "natural"]

_ZERO = Decimal(0)
_TWO = Decimal(2)
_CENT = Decimal("0.01")
_DAY = Decimal(86_400)
# The newest session that is counted one by one; a position older than that is a year old.
_SESSIONS_MAX = 260


class PositionFilter(Inputs):
    """Inputs of `position.list`."""

    broker_account_id: str | None = Field(
        None, description="which account; without it the one of risk.accounts", examples=["PAPER-1"]
    )
    strategies: list[StrategyRef] | None = Field(
        None,
        description="only of these, by id or exact name; without it of all",
        examples=[["put calendar campaign"]],
    )
    name_starts: str | None = Field(None, description="only names that start so", examples=["put calendar"])
    state: Literal["open", "closed", "any"] = Field("open", description="which", examples=["any"])


class Positions(Outputs):
    """Outputs of `position.list`."""

    count: int = Field(description="how many", examples=[1])
    positions: list[PositionRef] = Field(description="the newest first")
    sessions_since_newest: int | None = Field(
        description="sessions after the day on which the newest was opened, up to today; null: there is none",
        examples=[0],
    )


@action(
    "position.list",
    "read",
    inputs=PositionFilter,
    outputs=Positions,
    errors=("strategy_not_found", "strategy_ambiguous", "account_not_allowed"),
    methods=("ListStrategies", "ListPositions", "ListLegs"),
)
def position_list(ctx: Context, inputs: PositionFilter) -> Acting[Positions]:
    """Positions of an account."""
    account_id = account_of(ctx, inputs.broker_account_id)
    require_allowed(ctx, account_id)
    wanted = None
    if inputs.strategies is not None:
        wanted = yield from strategy_ids("strategies", inputs.strategies)
    listed = yield from pages(
        "positions", "ListPositions", {"broker_account_id": account_id}, ListPositionsResult
    )
    found = [row for page in listed for row in page.positions if _matches(row, inputs, wanted)]
    legs: dict[int, list[LiveLeg]] = {}
    if found:
        of_account = yield from pages("legs", "ListLegs", {"broker_account_id": account_id}, ListLegsResult)
        for leg in (leg for page in of_account for leg in page.legs):
            legs.setdefault(leg.live_position_id, []).append(leg)
    newest_first = sorted(found, key=lambda row: (row.created_at, row.id), reverse=True)
    return Positions(
        count=len(found),
        positions=[PositionRef(**_short(ctx, row, _open(legs.get(row.id, [])))) for row in newest_first],
        sessions_since_newest=_sessions_since(ctx, newest_first[0].created_at) if newest_first else None,
    )


def _matches(row: LivePosition, inputs: PositionFilter, strategies: list[int] | None) -> bool:
    state = inputs.state == "any" or _state(row) == inputs.state
    strategy = strategies is None or row.live_strategy_id in strategies
    return state and strategy and row.name.startswith(inputs.name_starts or "")


def _state(row: LivePosition) -> Literal["open", "closed"]:
    """A state that the contract does not know counts as open: it has to be looked at."""
    return "closed" if row.state == LivePositionState.CLOSED else "open"


def _open(legs: list[LiveLeg]) -> list[LiveLeg]:
    return [leg for leg in legs if leg.closed_at is None and leg.qty]


def _short(ctx: Context, row: LivePosition, legs: list[LiveLeg]) -> dict[str, Value]:
    """The fields of a PositionRef."""
    today = calendar_of(ctx).today(ctx.now)
    options = [leg for leg in legs if leg.live_contract.option_type is not None]
    lasted = (row.closed_at or ctx.now) - row.created_at
    holdings = [Holding(contract_of(leg), leg.qty) for leg in options]
    return {
        "position_id": row.id,
        "name": row.name,
        "state": _state(row),
        "strategy_id": row.live_strategy_id,
        "strategy_name": row.strategy_name,
        "opened_at": row.created_at,
        "days_open": (Decimal(int(lasted.total_seconds())) / _DAY).quantize(_CENT, ROUND_HALF_EVEN),
        "dte": min((days_to(held.contract.expiration, today) for held in holdings), default=None),
        "lots": _lots(row, legs),
        # Somebody's shares beside options have no worst loss that these contracts could tell.
        "max_loss": loss_at_expiry(holdings, _entry_cash(legs)) if len(options) == len(legs) else None,
        "ours": is_ours(ctx, row.id),
    }


def _lots(row: LivePosition, legs: list[LiveLeg]) -> Decimal:
    """The multiplier of the position; where the hub does not tell, how often its smallest whole ratio is held."""
    if row.qty_multiplier is not None:
        return row.qty_multiplier
    whole = {leg.name: leg.qty for leg in legs if leg.qty == leg.qty.to_integral_value()}
    return Decimal(ratio_of(whole).packages) if whole else _ZERO


def _entry_cash(legs: list[LiveLeg]) -> Decimal:
    """What opening the open legs brought: + received, − paid, commission included."""
    return sum((-leg.qty * leg.avg_entry_price * MULTIPLIER for leg in legs), _ZERO).quantize(_CENT)


def _sessions_since(ctx: Context, opened: datetime) -> int | None:
    """Sessions after the day of `opened`, up to today; null where the calendar does not reach."""
    calendar = calendar_of(ctx)
    first, today = calendar.today(opened), calendar.today(ctx.now)
    try:
        return _count_sessions(calendar, first, today)
    except NotCovered:
        return None


def _count_sessions(calendar: Calendar, after: date, upto: date) -> int | None:
    for count in range(_SESSIONS_MAX):
        after = calendar.next_session(after)
        if after > upto:
            return count
    return None


# --- one position ------------------------------------------------------------------------------------------------------


class PositionChoice(Inputs):
    """Inputs of `position.get`."""

    position_id: int = Field(description="which; a closed one is an error", examples=[7])
    basis: Basis = Field(
        "mark", description="what greeks and running P&L are measured on", examples=["natural"]
    )
    max_age: Duration = Field(timedelta(seconds=15), description="oldest quote accepted", examples=["15s"])


@action(
    "position.get",
    "read",
    inputs=PositionChoice,
    outputs=Position,
    errors=("position_not_found", "position_closed", "account_not_allowed", "no_quote"),
    methods=("GetPosition", "GetPositionSnapshot"),
)
def position_get(ctx: Context, inputs: PositionChoice) -> Acting[Position]:
    """One position with legs, quotes, greeks, P&L and what our journal knows of it."""
    position_id = inputs.position_id
    missing = {"NotFound": ("position_not_found", f"the hub has no position {position_id}")}
    found = yield from read(
        "position", "GetPosition", {"position_id": position_id}, GetPositionResult, refused=missing
    )
    require_allowed(ctx, found.position.broker_account_id)
    legs = _open(found.legs)
    if _state(found.position) == "closed" or not legs:
        raise StepError("position_closed", f"position {position_id} is closed", {"position_id": position_id})
    snapshot = yield from _snapshot(ctx, inputs, legs)
    return _position(ctx, inputs.basis, found, legs, snapshot)


def _snapshot(ctx: Context, inputs: PositionChoice, legs: list[LiveLeg]) -> Acting[PositionDataEntry]:
    max_age_ms = int(inputs.max_age / timedelta(milliseconds=1))
    args: dict[str, Value] = {
        "position_id": inputs.position_id,
        "include_position": "All",
        "include_legs": "All",
        "include_leg_groups": "Prices",
        "provider": None,
    }
    return (
        yield from insist(
            "snapshot",
            "GetPositionSnapshot",
            args,
            PositionDataEntry,
            ready="legs_fresh",
            params={"leg_ids": [leg.id for leg in legs], "max_age_ms": max_age_ms},
            until=ctx.now + PATIENCE,
            code="no_quote",
            summary=f"position {inputs.position_id} has no two-sided quotes of the last {max_age_ms / 1000:g} s",
        )
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """An open leg with its figures."""

    live: LiveLeg
    prices: LivePrices
    greeks: GreekSet
    basis: Decimal  # its price on the basis asked for


def _position(
    ctx: Context, basis: Basis, found: GetPositionResult, legs: list[LiveLeg], snapshot: PositionDataEntry
) -> Position:
    prices, greeks = snapshot.leg_prices or {}, snapshot.leg_greeks or {}
    seen = [
        _Seen(leg, prices[leg.id], greek_set(greeks.get(leg.id)), _price_on(basis, leg, prices[leg.id]))
        for leg in legs
    ]
    shown = {one.live.name: _leg(ctx, one) for one in seen}
    entry_cash = _entry_cash(legs)
    running = sum((one.live.qty * one.basis * MULTIPLIER for one in seen), _ZERO).quantize(_CENT) + entry_cash
    realized = _realized(found, snapshot)
    short = _short(ctx, found.position, legs)
    return Position(
        **short,
        legs=shown,
        quote=_closing_quote(ctx, seen, short["lots"]),
        greeks=summed_greeks([leg.greeks for leg in shown.values()]),
        pnl=Pnl(realized=realized, running=running, total=realized + running),
        entry_cash=entry_cash,
        vars=dict(found.vars or {}),
        adjustments=adjustments_of(ctx, found.position.id),
        as_of=ctx.now,
    )


def _price_on(basis: Basis, leg: LiveLeg, prices: LivePrices) -> Decimal:
    """What a leg counts at: its mark, half way, or what closing it at once would bring."""
    assert prices.bid is not None and prices.ask is not None, "the quote was looked at before"
    if basis == "natural":
        return prices.bid if leg.qty > 0 else prices.ask
    if basis == "mark" and prices.mark is not None:
        return prices.mark
    return (prices.bid + prices.ask) / _TWO


def _leg(ctx: Context, one: _Seen) -> Leg:
    contract = contract_of(one.live)
    return Leg(
        name=one.live.name,
        leg_id=one.live.id,
        option_type=contract.option_type,
        root=contract.root,
        expiration=contract.expiration,
        dte=days_to(contract.expiration, calendar_of(ctx).today(ctx.now)),
        strike=contract.strike,
        quantity=one.live.qty,
        group=one.live.leg_group_id,
        quote=shown_quote(one.prices, ctx.now),
        greeks=shown_greeks(one.greeks, Decimal(1)),
        iv=one.greeks.iv,
    )


def _closing_quote(ctx: Context, seen: list[_Seen], lots: Decimal) -> Quote:
    """What closing one lot would cost."""
    ratio = ratio_of({one.live.name: -one.live.qty for one in seen})
    quotes = {one.live.name: quote_of(one.prices, ctx.now) for one in seen}
    package = package_quote((count, quotes[name]) for name, count in ratio.legs.items())
    times = Decimal(ratio.packages) / (lots or Decimal(1))
    return Quote(
        near=Price.of(package.near * times),
        mid=Price.of(package.mid * times),
        natural=Price.of(package.natural * times),
        width=package.width * times,
        age=max(shown_quote(one.prices, ctx.now).age for one in seen),
    )


def _realized(found: GetPositionResult, snapshot: PositionDataEntry) -> Decimal:
    """The snapshot's figure before the position's own."""
    block = snapshot.position_pnls
    return block.realized if block is not None and block.realized is not None else realized_pnl(found)
