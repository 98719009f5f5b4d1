"""What fills do to MesoLive's books: positions, legs, executions and the account's cash, once a fill has been reported.

An entry's position appears with its first fill and grows; further leg groups join it. A fill against an open leg of the same
name and contract makes it larger or smaller; at nothing it closes, and with the last of its legs the position. A fill that
finds no such leg opens one: the books follow the broker, whatever a plan intended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.enums import LegStatus, LivePositionState, PositionStatus
from mesoflow.hubs.models.executions import LiveExecution
from mesoflow.hubs.models.positions import LivePosition
from mesoflow.hubs.models.prepares import PreparePositionEntryResult
from mesoflow.simulator.broker.orders import BrokerFill, Placed
from mesoflow.simulator.broker.profiles import broker_traits
from mesoflow.simulator.market.market import Snapshot
from mesoflow.simulator.world.accounts import Accounts
from mesoflow.simulator.world.contracts import multiplier_of, option_of
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.markers import Markers, markers_of
from mesoflow.simulator.world.plans import Plan, Plans
from mesoflow.simulator.world.positions import Positions, realized_of
from mesoflow.simulator.world.store import written
from mesoflow.simulator.world.telling import Telling

_ZERO = Decimal(0)
_CENT = Decimal("0.01")
_SIX = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class LegTrade:
    """Signed contracts of one leg at a price. `template`: the leg as its plan has it."""

    template: LiveLeg
    qty: Decimal
    price: Decimal
    commission: Decimal

    @property
    def multiplier(self) -> Decimal:
        return multiplier_of(self.template.underlying)

    @property
    def cash(self) -> Decimal:
        return -self.qty * self.price * self.multiplier - self.commission

    @property
    def price_with_commission(self) -> Decimal:
        return self.price + self.commission / (self.qty * self.multiplier)


def leg_trades(
    plan: Plan, broker: str, packages: int, ratios: Mapping[str, int], prices: Mapping[str, Decimal]
) -> dict[str, LegTrade]:
    """A fill by leg, with the broker's commission."""
    traits = broker_traits(broker)
    found: dict[str, LegTrade] = {}
    for name, ratio in ratios.items():
        leg = plan.legs[name]
        closes = plan.kind == "exit" or leg.id != 0
        each = traits.commission_close if closes else traits.commission_open
        found[name] = LegTrade(
            template=leg,
            qty=Decimal(ratio * packages),
            price=prices[name],
            commission=each * abs(ratio) * packages,
        )
    return found


def closing_trades(legs: Iterable[LiveLeg], snapshot: Snapshot, broker: str) -> dict[str, LegTrade]:
    """What it takes to close legs at their far sides; what does not trade any more stays."""
    found: dict[str, LegTrade] = {}
    for leg in legs:
        quote = snapshot.quote(option_of(leg.live_contract))
        if leg.qty and quote is not None:
            price = quote.bid if leg.qty > 0 else quote.ask
            commission = broker_traits(broker).commission_close * abs(leg.qty)
            found[leg.name] = LegTrade(leg, -leg.qty, price or _ZERO, commission)
    return found


class Holdings:
    """Books fills; only inside a change."""

    def __init__(self, core: Core, accounts: Accounts, positions: Positions, plans: Plans) -> None:
        self._core, self._accounts, self._positions, self._plans = core, accounts, positions, plans
        self._tell, self._markers = Telling(core), Markers(core, positions)

    def reserve(self, plan: Plan) -> int:
        """The position of a plan; an entry's gets its id with the first fill at the broker."""
        if plan.position is not None:
            return plan.position
        id = self._core.store.next_id("positions")
        self._core.store.run("UPDATE plans SET position = ? WHERE id = ?", (id, plan.id))
        return id

    def book(self, order: Placed, fill: BrokerFill, at: datetime) -> None:
        """A reported fill."""
        plan = self._plans.get(order.plan)
        id = self.reserve(plan)
        is_new = self._positions.documents.get(id) is None
        position = self._create(plan, order, id, at) if is_new else self._positions.get(id)
        if plan.executed is None:
            self._plans.executed(plan.id, at)
            if plan.kind == "adjustment":
                self._markers.complete(position, plan, markers_of(plan), at)
                self._positions.define(id, plan.later_variables, plan.later_expirations)
            if (
                self._core.store.row(
                    "SELECT 1 FROM position_plans WHERE plan = ? AND position = ?", (plan.id, id)
                )
                is None
            ):
                self._positions.connect(id, plan.id)
        trades = leg_trades(plan, order.broker, fill.packages, order.ratios, fill.prices)
        for name, trade in trades.items():
            leg = self._trade(position, trade, at)
            self._execution(name, leg, trade, order.id, plan.id, order.account, fill.at)
        if plan.kind == "entry":
            position = self._lots(position, plan)
        self._end(position, order.account, trades, at, is_new)

    def close_by_hand(self, id: int, trades: Mapping[str, LegTrade], at: datetime) -> None:
        """Somebody has closed a position elsewhere: no order and no plan of ours belongs to it."""
        position = self._positions.get(id)
        for name, trade in trades.items():
            leg = self._trade(position, trade, at)
            self._execution(name, leg, trade, None, 0, position.broker_account_id, at)
        self._end(position, position.broker_account_id, trades, at, is_new=False)

    # --- positions -------------------------------------------------------------------------------------------------

    def _create(self, plan: Plan, order: Placed, id: int, at: datetime) -> LivePosition:
        """With its markers, which nothing trades."""
        result = plan.result
        assert isinstance(result, PreparePositionEntryResult), "only an entry makes a position"
        position = LivePosition(
            id=id,
            state=LivePositionState.OPEN,
            created_at=at,
            name=result.position_name,
            broker_account_id=plan.account,
            live_strategy_id=plan.strategy,
            strategy_name=result.strategy_name,
            qty_multiplier=order.multiplier if order.multiplier is not None else result.qty_multiplier,
        )
        self._positions.add(position, [], dict(result.vars), plan.expirations)
        self._tell.position(position, PositionStatus.CREATED, at, None)
        for leg in plan.legs.values():
            if not leg.qty:
                marker = self._open(position, leg, _ZERO, leg.avg_entry_price, at)
                self._tell.leg(position, marker, LegStatus.CREATED, at, None)
        return position

    def _lots(self, position: LivePosition, plan: Plan) -> LivePosition:
        """An entry that has filled in part holds so many lots, those of its fullest leg."""
        assert isinstance(plan.result, PreparePositionEntryResult), "an entry's plan"
        held = {leg.name: leg.qty for leg in self._positions.legs(position.id, open_only=True)}
        shares = [held.get(name, _ZERO) / leg.qty for name, leg in plan.legs.items() if leg.qty]
        lots = (max(shares) * plan.result.qty_multiplier).quantize(_SIX).normalize() + 0
        if lots == position.qty_multiplier:
            return position
        changed = position.model_copy(update={"qty_multiplier": lots})
        self._positions.documents.put(position.id, changed)
        return changed

    def _end(
        self, position: LivePosition, account: str, trades: Mapping[str, LegTrade], at: datetime, is_new: bool
    ) -> None:
        """Cash, and what the position is after it."""
        self._accounts.book(account, sum((trade.cash for trade in trades.values()), _ZERO).quantize(_CENT))
        open_legs = self._positions.legs(position.id, open_only=True)
        if any(leg.qty for leg in open_legs):
            if position.state == LivePositionState.CLOSED:
                position = position.model_copy(update={"state": LivePositionState.OPEN, "closed_at": None})
                self._positions.documents.put(position.id, position, open=True)
            if not is_new:
                self._tell.position(position, PositionStatus.ADJUSTED, at, self._realized(position.id))
            return
        for marker in open_legs:
            closed = self._positions.close_leg(marker, at, _ZERO)
            self._tell.leg(position, closed, LegStatus.CLOSED, at, realized_of(closed))
        closed_position = self._positions.close(position, at)
        self._tell.position(closed_position, PositionStatus.CLOSED, at, self._realized(position.id))

    def _realized(self, id: int) -> Decimal:
        return sum((realized_of(leg) for leg in self._positions.legs(id)), _ZERO)

    # --- legs ------------------------------------------------------------------------------------------------------

    def _trade(self, position: LivePosition, trade: LegTrade, at: datetime) -> LiveLeg:
        option = option_of(trade.template.live_contract)
        for leg in self._positions.legs(position.id, open_only=True):
            if leg.name == trade.template.name and option_of(leg.live_contract) == option and leg.qty:
                return self._changed(position, leg, trade, at)
        opened = self._open(position, trade.template, trade.qty, trade.price_with_commission, at)
        self._tell.leg(position, opened, LegStatus.CREATED, at, None)
        return opened

    def _changed(self, position: LivePosition, leg: LiveLeg, trade: LegTrade, at: datetime) -> LiveLeg:
        qty = leg.qty + trade.qty
        if leg.qty * trade.qty > 0:
            average = (leg.avg_entry_price * leg.qty + trade.price_with_commission * trade.qty) / qty
            changed = leg.model_copy(update={"qty": qty, "avg_entry_price": average})
            self._positions.leg_documents.put(leg.id, changed)
            self._tell.leg(position, changed, LegStatus.ADJUSTED, at, realized_of(changed))
            return changed
        gone = leg.qty if abs(trade.qty) >= abs(leg.qty) else -trade.qty
        earned = (trade.price_with_commission - leg.avg_entry_price) * gone * trade.multiplier
        earned = earned.quantize(_CENT)
        if not qty:
            changed, status = self._positions.close_leg(leg, at, earned), LegStatus.CLOSED
        else:
            crossed = qty * leg.qty < 0
            changed = leg.model_copy(
                update={
                    "qty": qty,
                    "avg_entry_price": trade.price_with_commission if crossed else leg.avg_entry_price,
                    "tracked_realized_pnl": (leg.tracked_realized_pnl or _ZERO) + earned,
                }
            )
            self._positions.leg_documents.put(leg.id, changed)
            status = LegStatus.ADJUSTED
        self._tell.leg(position, changed, status, at, realized_of(changed))
        return changed

    def _open(
        self, position: LivePosition, template: LiveLeg, qty: Decimal, price: Decimal, at: datetime
    ) -> LiveLeg:
        settles = template.live_contract.expiration
        assert settles is not None, "a leg is an option, and its expiration the time of its settlement"
        leg = template.model_copy(
            update={
                "id": self._core.store.next_id("legs"),
                "live_position_id": position.id,
                "created_at": at,
                "closed_at": None,
                "qty": qty,
                "avg_entry_price": price,
                "tracked_realized_pnl": None,
                "user_set_realized_pnl": None,
            }
        )
        self._positions.leg_documents.add(
            leg.id, leg, position=position.id, account=leg.account_id, open=True, settles=written(settles)
        )
        return leg

    def _execution(
        self,
        name: str,
        leg: LiveLeg,
        trade: LegTrade,
        order: int | None,
        plan: int,
        account: str,
        at: datetime,
    ) -> None:
        execution = LiveExecution(
            id=self._core.store.next_id("executions"),
            live_leg_id=leg.id,
            leg_name=name,
            live_order_id=order,
            price=trade.price,
            qty=trade.qty,
            commission=trade.commission,
            executed_at=at,
        )
        columns = {} if order is None else {"live_order": order}
        self._positions.executions.add(execution.id or 0, execution, plan=plan, account=account, **columns)
