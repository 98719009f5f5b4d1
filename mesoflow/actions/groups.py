"""An exec plan at a broker: its prices are frozen, then its leg groups are walked in their order, or all at once.

    decision     quotes of all legs, which pass the gate, and the position's open legs; every group's ladder, frozen and
                 noted. Nothing of it is computed again
    groups       `safest` (trading/sequences.py), named, or together; each has `within` to itself. The first that does not
                 fill is the last that is sent: what becomes of the rest is incomplete.py

Groups of markers alone are settled without an order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from mesoflow.actions.base import Acting
from mesoflow.actions.contracts import MULTIPLIER
from mesoflow.actions.fills import GroupTraded, Traded
from mesoflow.actions.hub import below, note, side_by_side
from mesoflow.actions.ladders import Frozen, freeze_group, trading_groups
from mesoflow.actions.market import held, open_legs, read_quotes
from mesoflow.actions.values import Group
from mesoflow.actions.walk import walk
from mesoflow.actions.way import Entered, Walk
from mesoflow.actions.work import Work, contracts_of, require_known_hub, require_young
from mesoflow.engine.action import Context
from mesoflow.engine.errors import StepError
from mesoflow.trading.orders import Contract, Quote
from mesoflow.trading.paper import NotSplit, PaperLeg, split
from mesoflow.trading.payoff import Holding
from mesoflow.trading.sequences import Piece, safest

_ZERO = Decimal(0)
_TWO = Decimal(2)


@dataclass(slots=True)
class Desk:
    """One exec plan at a broker. `walks` stand in the order in which they are begun."""

    work: Work
    walks: list[Walk]
    quotes: Mapping[str, Quote]
    before: Mapping[str, Decimal]

    @property
    def complete(self) -> bool:
        """Everything filled, as it was meant."""
        return all(way.filled == way.group.packages and not _differs(way) for way in self.walks)

    @property
    def filled(self) -> int:
        """Packages of all groups."""
        return sum(way.filled for way in self.walks)

    @property
    def why(self) -> StepError | None:
        """What ended the first walk that did not fill; None: its time."""
        return next((way.why for way in self.walks if way.why is not None), None)

    @property
    def sent(self) -> bool:
        """Whether any order has left."""
        return any(way.orders for way in self.walks)


class _Short(StepError):
    """One of several groups at once has not filled: the others stop. It never leaves this file."""


def decide(ctx: Context, work: Work) -> Acting[Desk]:
    """Freeze every group's prices. What this plan or this hub does not permit is refused here."""
    plan = work.plan
    require_known_hub(ctx, plan)
    quotes = yield from read_quotes(ctx, "quotes", plan, plan.legs, ctx.now + work.within)
    legs = yield from open_legs("open-legs", plan.broker_account_id)
    require_young(ctx, work)
    groups = trading_groups(plan)
    frozen = {group.id: freeze_group(plan, work.price, group, quotes) for group in groups}
    yield from note("ladders", {str(group): prices.to_value() for group, prices in frozen.items()})
    order = _order_of(
        work, groups, frozen, {leg.name: leg.qty for leg in legs if leg.live_position_id == plan.position_id}
    )
    entered = Entered()
    walks = [Walk(work, group, frozen[group.id], plan, group.id, ctx.now, entered) for group in order]
    return Desk(work, walks, quotes, held(legs, plan.position_id))


def work_groups(ctx: Context, desk: Desk) -> Acting[None]:
    """Walk the groups. How it went is in their state."""
    if desk.work.sequence == "together" and len(desk.walks) > 1:
        yield from _together(ctx, desk)
        return
    for way in desk.walks:
        yield from _begin(ctx, way)
        if way.rest or way.why is not None:
            return


def _begin(ctx: Context, way: Walk) -> Acting[None]:
    way.until = ctx.now + way.work.within
    yield from below(f"group-{way.group.id}", walk(ctx, way))


def _together(ctx: Context, desk: Desk) -> Acting[None]:
    try:
        yield from side_by_side([_one_of_several(ctx, way) for way in desk.walks])
    except _Short:
        return


def _one_of_several(ctx: Context, way: Walk) -> Acting[None]:
    yield from _begin(ctx, way)
    if way.rest or way.why is not None:
        raise _Short("not_filled", f"group {way.group.id} did not fill")


# --- sequence ----------------------------------------------------------------------------------------------------------


def _order_of(
    work: Work, groups: list[Group], frozen: Mapping[int, Frozen], before: Mapping[str, Decimal]
) -> list[Group]:
    """The groups in the order of `sequence`; groups that it does not name come last, by id."""
    by_id = {group.id: group for group in sorted(groups, key=lambda group: group.id)}
    if work.sequence == "together" or len(by_id) < 2:
        return list(by_id.values())
    if isinstance(work.sequence, list):
        return _named(work.sequence, by_id)
    contracts = contracts_of(work.plan)
    pieces = [_piece(group, frozen[group.id], contracts) for group in by_id.values()]
    # Legs of the position that this plan does not trade are in no contract of it: they stand on both sides alike.
    open_now = [Holding(contracts[name], quantity) for name, quantity in before.items() if name in contracts]
    return [by_id[group] for group in safest(pieces, open_now, work.plan.underlying.mark)]


def _named(names: Iterable[str], by_id: Mapping[int, Group]) -> list[Group]:
    owners = {leg: group for group in by_id.values() for leg in group.legs}
    first = {owners[name].id: owners[name] for name in names if name in owners}
    return [*first.values(), *(group for group in by_id.values() if group.id not in first)]


def _piece(group: Group, frozen: Frozen, contracts: Mapping[str, Contract]) -> Piece:
    legs = tuple(
        Holding(contracts[name], Decimal(count * group.packages)) for name, count in group.ratio.items()
    )
    return Piece(group.id, legs, -frozen.quote.natural * group.packages * MULTIPLIER)


# --- what filled -------------------------------------------------------------------------------------------------------


def traded(desk: Desk) -> Traded:
    """What filled, by exec plan and by group, for the comparison and the Execution."""
    by_plan: dict[int, dict[str, Decimal]] = {desk.work.plan.exec_plan_id: {}}
    for way in desk.walks:
        for sent in way.orders:
            fills = by_plan.setdefault(sent.plan_id, {})
            for name, count in way.group.ratio.items():
                if sent.filled:
                    fills[name] = fills.get(name, _ZERO) + count * sent.filled
    used = {plan: fills for plan, fills in by_plan.items() if fills or plan == desk.work.plan.exec_plan_id}
    return Traded(
        by_plan=used,
        prices={
            name: price for way in desk.walks if way.filled for name, price in _prices(way, desk).items()
        },
        before=desk.before,
        groups=tuple(
            GroupTraded(way.group, way.filled, way.frozen.quote.mid, way.rungs) for way in desk.walks
        ),
        orders=tuple(sent.shown() for way in desk.walks for sent in way.orders),
        live=True,
    )


def _prices(way: Walk, desk: Desk) -> dict[str, Decimal]:
    """Prices by leg where the hub's executions do not tell any: the package's average, split as on paper."""
    filled = [sent for sent in way.orders if sent.filled]
    total = sum((sent.filled * _average(sent.average, sent.limit) for sent in filled), _ZERO)
    legs = [PaperLeg(name, count, desk.quotes[name]) for name, count in way.group.ratio.items()]
    try:
        return split((total / way.filled).quantize(Decimal("0.000001")), legs)
    except NotSplit:
        return {leg.name: _mid(leg.quote) for leg in legs}


def _average(average: Decimal | None, limit: Decimal) -> Decimal:
    """An order's average, with the sign of its limit: hubs sign prices of packages as they like."""
    if average is None:
        return limit
    return -abs(average) if limit < 0 else abs(average)


def _mid(quote: Quote) -> Decimal:
    assert quote.bid is not None and quote.ask is not None, "the quote has passed the gate"
    return (quote.bid + quote.ask) / _TWO


def _differs(way: Walk) -> bool:
    return any(sent.differs is not None for sent in way.orders)
