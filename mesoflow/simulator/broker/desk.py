"""MesoLive's side of an order: what SendOrder and CancelOrder check before they accept, and what they write.

What is refused here has not happened. What a broker refuses comes later, as an order that ends Rejected (rejects.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from math import gcd

from mesoflow.hubs.models.accounts import LiveAccount
from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.enums import IdempotencyRecordStatus, OrderState, OrderType, StatusCode, TimeInForce
from mesoflow.hubs.models.orders import (
    CancelOrderArgs,
    CancelOrderResult,
    LegGroupOrder,
    Order,
    SendOrderArgs,
    SendOrderResult,
)
from mesoflow.hubs.models.prepares import PreparePositionEntryResult
from mesoflow.simulator.broker.orders import Orders, Placed
from mesoflow.simulator.broker.package import Package
from mesoflow.simulator.broker.profiles import Delays
from mesoflow.simulator.broker.states import TERMINAL, Phase
from mesoflow.simulator.faults import Mishap
from mesoflow.simulator.ledger import Executed, Ledger
from mesoflow.simulator.world.accounts import Accounts
from mesoflow.simulator.world.contracts import option_of
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.errors import Refused, bad, missing
from mesoflow.simulator.world.fills import AMOUNT_MAX, scaled_qty
from mesoflow.simulator.world.markers import Markers, markers_of
from mesoflow.simulator.world.paging import page
from mesoflow.simulator.world.plans import Plan, Plans
from mesoflow.simulator.world.positions import Positions
from mesoflow.simulator.world.records import Records

SEND, CANCEL = "SendOrder", "CancelOrder"
_ZERO = Decimal(0)
_LIMITED = (OrderType.LIMIT, OrderType.STOP_LIMIT)
_STOPPED = (OrderType.STOP, OrderType.STOP_LIMIT)


class Desk:
    """Takes orders and cancels, and tells of them."""

    def __init__(
        self,
        core: Core,
        accounts: Accounts,
        positions: Positions,
        plans: Plans,
        ledger: Ledger,
        orders: Orders,
    ) -> None:
        self._core, self._accounts, self._positions = core, accounts, positions
        self._plans, self._ledger, self._orders = plans, ledger, orders
        self._delays, self._markers = Delays(core.seed), Markers(core, positions)

    # --- SendOrder -------------------------------------------------------------------------------------------------

    def send(self, args: SendOrderArgs, now: datetime, records: Records) -> SendOrderResult:
        """Raises Refused; then nothing has happened, but for the mishap `record_failed`."""
        records.admit(SEND, args.idempotency_key, args, now)
        account = self._accounts.kept(args.broker_account_id)[1]
        if account.is_paper_account:
            raise bad(
                "Paper",
                f"{args.broker_account_id} is a paper account: its fills are booked (ApplyPaperFills)",
            )
        plan = self._plans.get(args.exec_plan_id)
        if plan.account != args.broker_account_id:
            raise bad(
                "Account", f"exec plan {plan.id} is of account {plan.account}, not {args.broker_account_id}"
            )
        if self._is_marker_only(plan, args.leg_group_id):
            return self._complete_markers(plan, args, now, records)
        quantities = self._quantities(plan, args)
        replaced = self._replaced(args, now)
        self._require_held(plan, quantities, replaced)
        _require_prices(args.leg_group_order)
        with self._core.change(now):
            mishaps = tuple(self._core.faults.mishaps_of_next_order())
            order = self._placed(plan, args, str(account.broker_type), quantities, mishaps, now)
            self._orders.add(order)
            self._plan_arrival(order, replaced, now)
            self._ledger.executed_call(Executed(now, SEND, args.idempotency_key, plan.account, plan.id))
            answer = SendOrderResult(live_order_id=order.id)
            failed = order.mishap("record_failed") is not None
            detail = f"agent {order.broker} has not answered"
            fields: dict[str, object] = {"live_exec_plan_id": plan.id, "live_order_ids": [order.id]}
            if failed:
                fields = {
                    "status": IdempotencyRecordStatus.FAILED,
                    "error_message": detail,
                    "response_status": StatusCode.PROVIDER_ERROR,
                    "response_data": None,
                    "live_exec_plan_id": plan.id,
                }
            records.add(SEND, args.idempotency_key, args, now, answer, **fields)
        if failed:
            raise Refused(StatusCode.PROVIDER_ERROR, "NoAnswer", detail)
        return answer

    def _quantities(self, plan: Plan, args: SendOrderArgs) -> dict[str, Decimal]:
        """Contracts of the group to trade, + bought, − sold, without its markers."""
        names = plan.result.leg_groups.get(args.leg_group_id)
        if names is None:
            raise missing(f"leg group of exec plan {plan.id}", args.leg_group_id)
        wanted = args.leg_group_order.leg_names
        if wanted is not None and set(wanted) != set(names):
            raise bad("LegNames", f"leg group {args.leg_group_id} is {', '.join(names)}")
        legs = {name: plan.legs[name] for name in names}
        return {name: qty for name, qty in self._traded(plan, legs, args).items() if qty}

    @staticmethod
    def _is_marker_only(plan: Plan, group: int) -> bool:
        names = plan.result.leg_groups.get(group)
        return names is not None and markers_of(plan, names) == [name for name in plan.legs if name in names]

    def _complete_markers(
        self, plan: Plan, args: SendOrderArgs, now: datetime, records: Records
    ) -> SendOrderResult:
        """No order is needed, and none is made. An entry's markers come with its position."""
        if plan.kind == "entry" and len(markers_of(plan)) == len(plan.legs):
            raise bad("MarkerOnly", f"exec plan {plan.id} has only markers: there is nothing to enter")
        answer = SendOrderResult(live_order_id=None)
        with self._core.change(now):
            if plan.position is not None and plan.kind != "entry":
                names = plan.result.leg_groups[args.leg_group_id]
                self._markers.complete(self._positions.get(plan.position), plan, names, now)
            fields: dict[str, object] = {"live_exec_plan_id": plan.id, "live_order_ids": []}
            records.add(SEND, args.idempotency_key, args, now, answer, **fields)
        return answer

    def _traded(self, plan: Plan, legs: Mapping[str, LiveLeg], args: SendOrderArgs) -> dict[str, Decimal]:
        match plan.result:
            case PreparePositionEntryResult(qty_multiplier=resolved):
                wanted = args.qty_multiplier
                if wanted is not None and self._core.faults.qty_multiplier == "multiplies":
                    wanted *= resolved
                return {name: scaled_qty(name, leg.qty, wanted, resolved) for name, leg in legs.items()}
            case _:
                if args.qty_multiplier is not None:
                    raise bad("QtyMultiplier", "a multiplier is for entries")
        sign = -1 if plan.kind == "exit" else 1
        return {name: sign * leg.qty for name, leg in legs.items()}

    def _replaced(self, args: SendOrderArgs, now: datetime) -> Placed | None:
        """The order that this one replaces: alive as far as MesoLive knows, and of the same group."""
        if args.replaces_order is None:
            return None
        old = self.seen(args.replaces_order, now)
        if old.doc.state in TERMINAL:
            raise bad(f"Order{old.doc.state}", f"order {old.id} is {str(old.doc.state).lower()}")
        if (old.plan, old.group) != (args.exec_plan_id, args.leg_group_id):
            raise bad("ReplacesOrder", f"order {old.id} is of exec plan {old.plan}, leg group {old.group}")
        return old

    def _require_held(self, plan: Plan, quantities: Mapping[str, Decimal], replaced: Placed | None) -> None:
        """What is closed must be there: by an exit all of it, by an adjustment as much. What the order that is replaced has
        filled counts."""
        if plan.position is None or plan.kind == "entry":
            return
        held = {leg.id: leg.qty for leg in self._positions.legs(plan.position, open_only=True)}
        for name, asked in quantities.items():
            leg, qty = plan.legs[name], asked
            if replaced is not None:
                qty -= replaced.ratios[name] * abs(replaced.doc.cum_qty)
            there = held.get(leg.id, _ZERO)
            fits = there == -qty if plan.kind == "exit" else there * qty < 0 and abs(qty) <= abs(there)
            if leg.id and not fits:
                raise bad(
                    "PlanStale",
                    f"position {plan.position} does not hold any more what exec plan {plan.id} closes",
                )

    def _placed(
        self,
        plan: Plan,
        args: SendOrderArgs,
        broker: str,
        quantities: Mapping[str, Decimal],
        mishaps: tuple[Mishap, ...],
        now: datetime,
    ) -> Placed:
        order, packages = args.leg_group_order, gcd(*(int(qty) for qty in quantities.values()))
        ratios = {name: int(qty) // packages for name, qty in quantities.items()}
        # By the guess `credit_sign` a credit is negative on the wire; made wrong, it is the other way round.
        sign = -self._core.faults.credit_sign
        limit, stop = (
            None if price is None else sign * price for price in (order.limit_price, order.stop_price)
        )
        id = self._core.store.next_id("orders")
        side = "B" if self._is_debit(limit if limit is not None else stop, plan, ratios, now) else "S"
        doc = Order(
            order_id=id,
            created_at=now,
            exec_plan_id=plan.id,
            broker_account_id=plan.account,
            leg_group_id=args.leg_group_id,
            state=OrderState.PENDING,
            side=side,
            qty=Decimal(packages if side == "B" else -packages),
            cum_qty=_ZERO,
            limit_price=order.limit_price,
            stop_price=order.stop_price,
            order_type=order.order_type,
            time_in_force=order.time_in_force,
            last_updated=now,
        )
        hidden = any(mishap.what == "record_failed" for mishap in mishaps)
        return Placed(
            id=id,
            doc=doc,
            key=args.idempotency_key,
            account=plan.account,
            broker=broker,
            plan=plan.id,
            group=args.leg_group_id,
            strategy=plan.strategy,
            ratios=ratios,
            packages=packages,
            multiplier=args.qty_multiplier,
            limit=limit,
            stop=stop,
            phase=Phase.SENT,
            done=0,
            broker_order=None,
            accepted=now,
            arrived=None,
            looked=None,
            triggered=False,
            seen=self._arrives(args.idempotency_key, mishaps, now) if hidden else now,
            mishaps=mishaps,
        )

    def _is_debit(self, price: Decimal | None, plan: Plan, ratios: Mapping[str, int], now: datetime) -> bool:
        """Bought or sold: by the price, and without one by the market's middle."""
        if price:
            return price > 0
        options = {name: option_of(plan.legs[name].live_contract) for name in ratios}
        package = Package.of(options, ratios, self._core.market)
        quote = None if package is None else package.quote(now)
        return quote is None or quote.mid >= 0

    def _arrives(self, key: str, mishaps: tuple[Mishap, ...], now: datetime) -> datetime:
        late = next((m.after for m in mishaps if m.what == "ack_late" and m.after is not None), None)
        return now + (late if late is not None else self._delays.acknowledge(key))

    def _plan_arrival(self, order: Placed, replaced: Placed | None, now: datetime) -> None:
        """How a replacement is taken is decided when it is accepted."""
        doc = {} if replaced is None else {"replaces": replaced.id, "mode": self._core.faults.replace}
        self._orders.plan(self._arrives(order.key, order.mishaps, now), order.id, "arrive", **doc)

    # --- CancelOrder -----------------------------------------------------------------------------------------------

    def cancel(self, args: CancelOrderArgs, now: datetime, records: Records) -> CancelOrderResult:
        """Asks the broker. What has been cancelled is cancelled again; what has ended otherwise is refused."""
        records.admit(CANCEL, args.idempotency_key, args, now)
        order = self.seen(args.live_order_id, now)
        state = order.doc.state
        if state in TERMINAL and state != OrderState.CANCELLED:
            raise bad(f"Order{state}", f"order {order.id} is {str(state).lower()}")
        answer = CancelOrderResult(order_id=order.id)
        with self._core.change(now):
            if state not in TERMINAL and self._orders.planned_at(order.id, "cancel") is None:
                self._plan_cancel(order, args.idempotency_key, now)
            self._ledger.executed_call(Executed(now, CANCEL, args.idempotency_key, order.account, order.plan))
            records.add(
                CANCEL,
                args.idempotency_key,
                args,
                now,
                answer,
                live_exec_plan_id=order.plan,
                live_order_ids=[order.id],
            )
        return answer

    def _plan_cancel(self, order: Placed, key: str, now: datetime) -> None:
        slow = order.mishap("cancel_slow")
        takes = self._delays.cancel(key) if slow is None else slow.after or timedelta(0)
        at = now + takes
        if order.arrived is None:
            at = max(at, self._arrives(order.key, order.mishaps, order.accepted) + takes)
        if order.mishap("fill_wins") is not None:
            self._orders.plan(at, order.id, "fill")
        self._orders.plan(at, order.id, "cancel")

    # --- reading ---------------------------------------------------------------------------------------------------

    def seen(self, id: int, now: datetime) -> Placed:
        order = self._orders.get(id)
        if order is None or order.seen > now:
            raise missing("order", id)
        return order

    def account_of(self, name: str) -> LiveAccount:
        return self._accounts.kept(name)[1]

    def get(self, id: int, now: datetime) -> Order:
        return self.seen(id, now).doc

    def page(
        self, plan: int | None, account: str | None, limit: int | None, token: str | None, now: datetime
    ) -> tuple[list[Order], str | None]:
        found, following = page(
            lambda after, size: self._orders.listed(now, plan, account, after, size),
            ("orders", plan, account),
            limit,
            token,
        )
        return [order for _, order in found], following


def _require_prices(order: LegGroupOrder) -> None:
    """A type and a time that exist, and the prices that they need."""
    if not isinstance(order.order_type, OrderType):
        raise bad("OrderType", f"there is no order type {order.order_type}")
    if not isinstance(order.time_in_force, TimeInForce):
        raise bad("TimeInForce", f"there is no time in force {order.time_in_force}")
    problems: dict[str, list[str]] = {}
    for name, price, needed in (
        ("LimitPrice", order.limit_price, order.order_type in _LIMITED),
        ("StopPrice", order.stop_price, order.order_type in _STOPPED),
    ):
        if needed and price is None:
            problems[name] = ["is needed"]
        elif not needed and price is not None:
            problems[name] = [f"is not for a {order.order_type} order"]
        elif price is not None and not abs(price) < AMOUNT_MAX:
            problems[name] = [f"is not below {AMOUNT_MAX}"]
    if problems:
        told = "; ".join(f"{name} {found[0]}" for name, found in problems.items())
        raise bad("LegGroupOrder", told, fields=problems)
