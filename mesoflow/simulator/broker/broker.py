"""The brokers: what happens to orders without a call, each at its own time.

Happenings at one time are in this order: edges of what dials announce, the agenda by number, then what the market does.
A broker's truth is written when it happens (phases, fills, the ledger); MesoLive learns of it by a report a moment later,
or when its agent is back (reports.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.enums import OrderState, TimeInForce
from mesoflow.simulator.broker.absences import Absences, Edge, tell_agent
from mesoflow.simulator.broker.desk import Desk
from mesoflow.simulator.broker.holdings import Holdings, LegTrade, closing_trades, leg_trades
from mesoflow.simulator.broker.matching import Found, Matching
from mesoflow.simulator.broker.orders import Item, Orders, Placed
from mesoflow.simulator.broker.package import Package
from mesoflow.simulator.broker.profiles import Delays, MarketProfile, broker_traits
from mesoflow.simulator.broker.rejects import Judge
from mesoflow.simulator.broker.replacing import replacement
from mesoflow.simulator.broker.reports import Reports
from mesoflow.simulator.broker.states import ENDS, Happening, Phase, after
from mesoflow.simulator.draws import whole
from mesoflow.simulator.ledger import Fill, Ledger
from mesoflow.simulator.market.ticks import from_cents
from mesoflow.simulator.world.accounts import Accounts
from mesoflow.simulator.world.contracts import option_of
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.plans import Plans
from mesoflow.simulator.world.positions import Positions
from mesoflow.simulator.world.store import moment_of, written
from mesoflow.simulator.world.strategies import Strategies

FILL, PERSON, EXCHANGE, BROKER = "Fill", "Person", "Exchange", "Broker"
# How far ahead a timer looks for fills; further ahead it looks again.
AHEAD = timedelta(seconds=30)
_INSTANT = timedelta(microseconds=1)


class Broker:
    """Both brokers of a world."""

    def __init__(
        self,
        core: Core,
        profile: str,
        accounts: Accounts,
        strategies: Strategies,
        positions: Positions,
        plans: Plans,
        ledger: Ledger,
    ) -> None:
        self._core, self._positions, self._plans, self._ledger = core, positions, plans, ledger
        self.orders = Orders(core.store)
        self.desk = Desk(core, accounts, positions, plans, ledger, self.orders)
        self.matching = Matching(
            core.market, self.orders, MarketProfile.of(profile), core.faults, self.package
        )
        self.judge = Judge(core.market, self.orders, accounts, positions, self.package)
        self._holdings = Holdings(core, accounts, positions, plans)
        self._reports = Reports(core, self.orders, self._holdings, strategies, plans)
        self._delays = Delays(core.seed)
        self._absences = Absences(core.store, core.faults)
        self._packages: dict[int, Package | None] = {}
        self._working: tuple[int, list[Placed]] = (-1, [])
        last = core.store.get("last_time")
        # Until just before the last change everything has happened; a new world has no past.
        self._since = core.market.calendar.session(0).opens if last is None else moment_of(last)
        self._handlers: Mapping[str, Callable[[Item, Placed], None]] = {
            "arrive": self._arrive,
            "id": self._id,
            "thaw": self._thaw,
            "fill": self._scripted_fill,
            "reject": self._late_reject,
            "cancel": self._cancel,
            "expire": self._expire,
            "close": self._person_closes,
            "bust": self._bust,
            "liquidate": self._liquidate,
            "tell": self._tell,
            "late": self._tell,
        }

    # --- when ------------------------------------------------------------------------------------------------------

    def next_due(self, until: datetime | None = None) -> datetime | None:
        """When something happens next; fills only up to `until`."""
        edge = self._absences.next()
        known = [] if edge is None else [edge.at]
        planned = self.orders.next_due()
        known += [] if planned is None else [planned]
        if until is not None:
            found = self._next_found(min([*known, until]))
            known += [] if found is None else [found[0]]
        return min(known, default=None)

    def next_look(self, now: datetime) -> datetime | None:
        """For a timer: when something happens, or when to look again for a fill."""
        until = now + AHEAD
        due = self.next_due(until)
        if self._working_orders() and (due is None or due > until):
            return until if self._core.market.trades(until) else self._core.market.next_step(until)
        return due

    def _next_found(self, until: datetime) -> tuple[datetime, int] | None:
        return self.matching.next_found(self._working_orders(), self._since, until)

    def _working_orders(self) -> list[Placed]:
        version, orders = self._working
        if version != self.orders.version:
            orders = [order for order in self.orders.alive() if order.phase == Phase.WORKING]
            self._working = self.orders.version, orders
        return orders

    def package(self, order: Placed) -> Package | None:
        """What an order trades; kept, for it never changes."""
        if order.id not in self._packages:
            legs = self._plans.get(order.plan).legs
            options = {name: option_of(legs[name].live_contract) for name in order.ratios}
            self._packages[order.id] = Package.of(options, order.ratios, self._core.market)
        return self._packages[order.id]

    # --- what ------------------------------------------------------------------------------------------------------

    def happen(self, due: datetime) -> None:
        """Let the first thing of a time happen."""
        edge = self._absences.next()
        if edge is not None and edge.at <= due:
            self._cross(edge)
        elif (item := self.orders.due(due)) is not None:
            order = self.orders.get(item.order)
            assert order is not None, "an order is never removed"
            self._handlers[item.what](item, order)
        else:
            found = self._next_found(due)
            assert found is not None and found[0] == due, "an order fills then"
            self._match(found[1], due)

    def _match(self, id: int, at: datetime) -> None:
        order = self.orders.get(id)
        assert order is not None, "an order is never removed"
        # Looked at anew: what was found ahead of time may have been taken, or a dial been set, since.
        found = self.matching.look(order, at)
        self.matching.passed(id, at)
        if found is None:
            return
        with self._core.change(at):
            if found.is_trigger:
                self.orders.put(order, triggered=True, looked=at)
            else:
                self._fill(order, found, at)

    def _fill(self, order: Placed, found: Found, at: datetime, told_after: timedelta | None = None) -> Placed:
        """`told_after`: not at once, and not in order."""
        package, plan = self.package(order), self._plans.get(order.plan)
        assert package is not None, "what fills has contracts"
        happening = Happening.FILL_REST if found.packages == order.rest else Happening.FILL_PART
        phase = after(order.phase, happening)
        assert phase is not None, f"an order that is {order.phase} does not fill"
        price, prices = from_cents(found.price), package.split(found.price, found.quote)
        fill = self.orders.add_fill(order, at, found.packages, price, prices)
        position = self._holdings.reserve(plan)
        trades = leg_trades(plan, order.broker, found.packages, order.ratios, prices)
        for name, trade in trades.items():
            self._witness(FILL, order.key, order.account, order.plan, position, name, trade, at)
        order = self.orders.put(order, done=order.done + found.packages, phase=phase, looked=at)
        if told_after is None:
            self._report(order, at, "filled", fill=fill)
        else:
            self.orders.plan(at + told_after, order.id, "late", news="filled", fill=fill)
        return order

    def _witness(
        self,
        operation: str,
        key: str,
        account: str,
        plan: int,
        position: int,
        name: str,
        trade: LegTrade,
        at: datetime,
    ) -> None:
        self._ledger.filled(
            Fill(
                at=at,
                operation=operation,
                key=key,
                account=account,
                plan=plan,
                position=position,
                leg=name,
                contract=str(option_of(trade.template.live_contract)),
                qty=trade.qty,
                price=trade.price,
                commission=trade.commission,
            )
        )

    # --- the agenda ------------------------------------------------------------------------------------------------

    def _waits(self, item: Item, order: Placed, *, through_broker: bool = True) -> bool:
        """What goes through an agent or to a broker waits until they are back."""
        back = self._core.faults.agent_back(order.broker, item.at)
        if back is None and through_broker:
            back = self._core.faults.broker_back(order.broker, item.at)
        if back is None:
            return False
        with self._core.change(item.at):
            self.orders.postpone(item, back)
        return True

    def _arrive(self, item: Item, order: Placed) -> None:
        if self._waits(item, order) or self._overtakes(item):
            return
        at = item.at
        with self._core.change(at):
            self.orders.strike(item)
            order = self.orders.put(order, arrived=at, looked=at - _INSTANT)
            if "replaces" in item.doc:
                order, reason = self._replace(order, item)
            else:
                reason = self.judge.reason(order, at)
            if reason is not None:
                self._end(order, Happening.REJECT, at, reason)
                return
            late = self._id_late(order)
            if late is None:
                order = self.orders.put(order, broker_order=self._new_id(order, at))
            else:
                self.orders.plan(at + late, order.id, "id")
            self._plan_end(order, at)
            frozen = order.mishap("frozen")
            if frozen is None:
                order = self._become(order, Happening.ARRIVE)
                self._report(order, at, "acknowledged")
            else:
                order = self._become(order, Happening.FREEZE)
                self._report(order, at, "frozen")
                if frozen.after is not None:
                    self.orders.plan(at + frozen.after, order.id, "thaw")
            self._plan_mishaps(order, at)

    def _overtakes(self, item: Item) -> bool:
        """What comes before the order that it replaces waits until that has come."""
        old = self.orders.get(item.doc["replaces"]) if "replaces" in item.doc else None
        if old is None or old.phase != Phase.SENT:
            return False
        arrives = self.orders.planned_at(old.id, "arrive")
        assert arrives is not None, "an order that was sent arrives"
        with self._core.change(item.at):
            self.orders.postpone(item, max(arrives, item.at) + _INSTANT)
        return True

    def _replace(self, order: Placed, item: Item) -> tuple[Placed, str | None]:
        """The new order as it will work, or why it is refused; the old one ends only when the new one is taken."""
        at, old = item.at, self.orders.get(item.doc["replaces"])
        assert old is not None, "an order is never removed"
        found = replacement(item.doc["mode"], order, old)
        if found.packages != order.packages and found.reason is None:
            doc = order.doc.model_copy(update={"qty": Decimal(order.sign * found.packages)})
            order = self.orders.put(order, packages=found.packages, doc=doc)
        reason = found.reason or self.judge.reason(order, at, without=old.id)
        if reason is None and found.cancels:
            if found.fills_first and (fill := self._at_limit(old, found.fills_first, at)) is not None:
                old = self._fill(old, fill, at)
            if after(old.phase, Happening.CANCEL) is not None:
                self._end(old, Happening.CANCEL, at)
        return order, reason

    def _id_late(self, order: Placed) -> timedelta | None:
        scripted = order.mishap("id_late")
        return self._delays.id_late(order.key) if scripted is None else scripted.after

    def _new_id(self, order: Placed, at: datetime) -> str:
        drawn = whole(self._core.seed, "broker id", order.key, written(at), below=10**8)
        return f"{broker_traits(order.broker).id_prefix}{drawn:08d}"

    def _plan_end(self, order: Placed, at: datetime) -> None:
        """A DAY order ends with the session, any order with its contracts."""
        package = self.package(order)
        assert package is not None, "what has been taken has contracts"
        end = package.until
        if order.doc.time_in_force == TimeInForce.DAY:
            end = min(end, self._core.market.calendar.begun(at).closes)
        self.orders.plan(end, order.id, "expire")

    def _plan_mishaps(self, order: Placed, at: datetime) -> None:
        for mishap in order.mishaps:
            when = at + (mishap.after or timedelta(0))
            match mishap.what:
                case "late_reject":
                    self.orders.plan(when, order.id, "reject", reason=mishap.reason)
                case "fills":
                    self.orders.plan(when, order.id, "fill", packages=mishap.packages)
                case "person_cancels":
                    self.orders.plan(when, order.id, "cancel", by=PERSON)
                case _:
                    pass

    def _id(self, item: Item, order: Placed) -> None:
        with self._core.change(item.at):
            self.orders.strike(item)
            order = self.orders.put(order, broker_order=self._new_id(order, item.at))
            if order.phase == Phase.WORKING:
                self._report(order, item.at, "acknowledged")

    def _thaw(self, item: Item, order: Placed) -> None:
        with self._core.change(item.at):
            self.orders.strike(item)
            if after(order.phase, Happening.THAW) is not None:
                order = self.orders.put(order, looked=item.at - _INSTANT, arrived=item.at)
                self._report(self._become(order, Happening.THAW), item.at, "acknowledged")

    def _scripted_fill(self, item: Item, order: Placed) -> None:
        found = self._at_limit(order, item.doc.get("packages"), item.at)
        with self._core.change(item.at):
            self.orders.strike(item)
            if found is not None:
                self._fill(order, found, item.at)

    def _at_limit(self, order: Placed, packages: int | None, at: datetime) -> Found | None:
        """A fill by script: at the limit, or at the far side where that is better or there is no limit."""
        package = self.package(order)
        quote = None if package is None else package.quote(at)
        wanted = order.rest if packages is None else min(packages, order.rest)
        if quote is None or wanted <= 0 or order.phase != Phase.WORKING:
            return None
        limit = quote.natural if order.limit is None else int(order.limit * 100)
        return Found(wanted, min(limit, quote.natural), quote)

    def _late_reject(self, item: Item, order: Placed) -> None:
        with self._core.change(item.at):
            self.orders.strike(item)
            if after(order.phase, Happening.REJECT) is not None:
                self._end(order, Happening.REJECT, item.at, item.doc["reason"])

    def _cancel(self, item: Item, order: Placed) -> None:
        ours = item.doc.get("by") != PERSON
        if ours and self._waits(item, order):
            return
        if order.phase == Phase.SENT:
            # It has overtaken its order, which waits for somebody; it comes right after it.
            arrives = self.orders.planned_at(order.id, "arrive")
            assert arrives is not None, "an order that was sent arrives"
            with self._core.change(item.at):
                self.orders.postpone(item, arrives)
            return
        at, crossing = item.at, order.mishap("fill_after_cancel")
        with self._core.change(at):
            self.orders.strike(item)
            if crossing is not None and (found := self._at_limit(order, crossing.packages, at)) is not None:
                order = self._fill(order, found, at, crossing.after or timedelta(0))
                if order.phase == Phase.FILLED:
                    self._report(order, at, "ended", state=str(OrderState.CANCELLED))
                    return
            if after(order.phase, Happening.CANCEL) is not None:
                self._end(order, Happening.CANCEL, at)
            elif ours:
                self._report(order, at, "cancel_too_late")

    def _expire(self, item: Item, order: Placed) -> None:
        with self._core.change(item.at):
            self.orders.strike(item)
            if after(order.phase, Happening.EXPIRE) is not None:
                self._end(order, Happening.EXPIRE, item.at)

    def _person_closes(self, item: Item, order: Placed) -> None:
        position = self._plans.get(order.plan).position
        assert position is not None, "what has filled has a position"
        with self._core.change(item.at):
            self.orders.strike(item)
            self._close_by_hand(position, order.broker, item.at)

    def _bust(self, item: Item, order: Placed) -> None:
        """The exchange takes a fill back: the opposite at the same prices, without commission."""
        plan, fill = self._plans.get(order.plan), self.orders.fill(item.doc["fill"])
        assert plan.position is not None, "what has filled has a position"
        trades = leg_trades(plan, order.broker, -fill.packages, order.ratios, fill.prices)
        trades = {name: replace(trade, commission=Decimal(0)) for name, trade in trades.items()}
        with self._core.change(item.at):
            self.orders.strike(item)
            for name, trade in trades.items():
                self._witness(EXCHANGE, "", order.account, 0, plan.position, name, trade, item.at)
            self._holdings.close_by_hand(plan.position, trades, item.at)

    def _liquidate(self, item: Item, order: Placed) -> None:
        """The broker closes one short leg of a position, the first by name."""
        position = self._plans.get(order.plan).position
        assert position is not None, "what has filled has a position"
        short = [leg for leg in self._positions.legs(position, open_only=True) if leg.qty < 0]
        with self._core.change(item.at):
            self.orders.strike(item)
            self._close_legs(
                position, sorted(short, key=lambda leg: leg.name)[:1], BROKER, order.broker, item.at
            )

    def close_position(self, position: int, at: datetime) -> None:
        """A person closes a position in the market, at its far sides."""
        account = self._positions.get(position).broker_account_id
        broker = str(self.desk.account_of(account).broker_type)
        with self._core.change(at):
            self._close_by_hand(position, broker, at)

    def _close_by_hand(self, id: int, broker: str, at: datetime) -> None:
        self._close_legs(id, self._positions.legs(id, open_only=True), PERSON, broker, at)

    def _close_legs(self, id: int, legs: Sequence[LiveLeg], by: str, broker: str, at: datetime) -> None:
        trades = closing_trades(legs, self._core.market.at(at), broker)
        account = self._positions.get(id).broker_account_id
        for name, trade in trades.items():
            self._witness(by, "", account, 0, id, name, trade, at)
        if trades:
            self._holdings.close_by_hand(id, trades, at)

    # --- reports ---------------------------------------------------------------------------------------------------

    def _become(self, order: Placed, happening: Happening) -> Placed:
        phase = after(order.phase, happening)
        assert phase is not None, f"an order that is {order.phase} cannot {happening}"
        return self.orders.put(order, phase=phase)

    def _end(self, order: Placed, happening: Happening, at: datetime, reason: str | None = None) -> None:
        order = self._become(order, happening)
        self.matching.forget(order.id)
        late = order.mishap("reason_late")
        if reason is None or (late is None and not broker_traits(order.broker).reason_late):
            self._report(order, at, "ended", state=str(ENDS[order.phase]), reason=reason)
            return
        self._report(order, at, "ended", state=str(ENDS[order.phase]))
        takes = self._delays.reason(order.key) if late is None or late.after is None else late.after
        self.orders.plan(at + takes, order.id, "late", news="reason", reason=reason)

    def _report(self, order: Placed, at: datetime, what: str, **doc: Any) -> None:  # noqa: ANN401 - free JSON
        """On its way to MesoLive, behind what is on its way already."""
        due = at + self._delays.report(order.key, f"{what} {written(at)}")
        ahead = self.orders.planned_at(order.id, "tell")
        self.orders.plan(due if ahead is None else max(due, ahead), order.id, "tell", news=what, **doc)

    def _tell(self, item: Item, order: Placed) -> None:
        if self._waits(item, order):
            return
        with self._core.change(item.at):
            self.orders.strike(item)
            self._reports.apply(order, item.doc, item.at)

    # --- absences --------------------------------------------------------------------------------------------------

    def _cross(self, edge: Edge) -> None:
        with self._core.change(edge.at):
            self._absences.crossed(edge)
            if edge.new_ids is None:
                tell_agent(edge, self._core.events, self._core.faults)
                return
            there = [order for order in self.orders.of_broker(edge.who) if order.phase != Phase.SENT]
            known = [order.broker_order for order in there if order.broker_order is not None]
            # Ids that are used again: each order gets that of the next.
            others = iter([*known[1:], *known[:1]])
            for order in there:
                back = order
                if edge.new_ids and order.broker_order is not None:
                    new = next(others) if edge.reused else self._new_id(order, edge.at)
                    back = self.orders.put(order, broker_order=new)
                self._report(back, edge.at, "frozen" if back.phase == Phase.FROZEN else "acknowledged")
