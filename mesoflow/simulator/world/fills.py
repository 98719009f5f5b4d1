"""Fills on paper: the caller gives the prices, nothing is matched, and a whole exec plan is executed at once.

Judged only as the hub does it: the plan is there and was not executed, the account is on paper, every leg has a price that
is no less than nothing. Whether a price is kind is not the hub's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.enums import LegStatus, LivePositionState, PositionStatus
from mesoflow.hubs.models.executions import LiveExecution
from mesoflow.hubs.models.orders import ApplyPaperFillsArgs, ApplyPaperFillsResult, PaperLegFill
from mesoflow.hubs.models.positions import LivePosition
from mesoflow.hubs.models.prepares import PreparePositionEntryResult
from mesoflow.simulator.ledger import Executed, Fill, Ledger
from mesoflow.simulator.world.accounts import Accounts
from mesoflow.simulator.world.contracts import multiplier_of, option_of
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.errors import bad
from mesoflow.simulator.world.plans import Plan, Plans
from mesoflow.simulator.world.positions import Positions, realized_of
from mesoflow.simulator.world.records import Records
from mesoflow.simulator.world.telling import Telling

OPERATION = "ApplyPaperFills"
# Amounts from here on are no prices: the money's digits would not all be kept.
AMOUNT_MAX = 1_000_000
_ZERO = Decimal(0)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class _Trade:
    """One leg's fill: what is traded, at what price and cost."""

    qty: Decimal
    price: Decimal
    commission: Decimal
    at: datetime
    multiplier: Decimal

    @property
    def cash(self) -> Decimal:
        return -self.qty * self.price * self.multiplier - self.commission

    @property
    def price_with_commission(self) -> Decimal:
        """What the leg is worth per share to its holder: dearer when bought, less when sold."""
        if not self.qty:
            return self.price
        return self.price + self.commission / (self.qty * self.multiplier)


class PaperFills:
    """ApplyPaperFills."""

    def __init__(
        self, core: Core, accounts: Accounts, positions: Positions, plans: Plans, ledger: Ledger
    ) -> None:
        self._core, self._accounts, self._positions = core, accounts, positions
        self._plans, self._ledger, self._tell = plans, ledger, Telling(core)

    def apply(self, args: ApplyPaperFillsArgs, now: datetime, records: Records) -> ApplyPaperFillsResult:
        """Raises Refused, and then nothing has happened."""
        records.admit(OPERATION, args.idempotency_key, args, now)
        plan = self._plans.get(args.exec_plan_id)
        self._require_paper(args, plan)
        if plan.executed is not None:
            raise bad("PlanExecuted", f"exec plan {plan.id} was executed before")
        trades = self._trades(args, plan, now)
        with self._core.change(now):
            match plan.kind:
                case "entry":
                    position = self._enter(plan, trades, args, now)
                case "exit":
                    position = self._leave(plan, trades, now)
                case _:
                    position = self._adjust(plan, trades, now)
            self._plans.executed(plan.id, now)
            self._accounts.book(
                plan.account, sum((trade.cash for trade in trades.values()), _ZERO).quantize(_CENT)
            )
            self._write(args, plan, position, trades, now)
            answer = ApplyPaperFillsResult(position_id=position, exec_plan_id=plan.id, live_order_ids=[])
            records.add(
                OPERATION,
                args.idempotency_key,
                args,
                now,
                answer,
                live_exec_plan_id=plan.id,
                live_order_ids=[],
            )
        return answer

    # --- judging ---------------------------------------------------------------------------------------------------

    def _require_paper(self, args: ApplyPaperFillsArgs, plan: Plan) -> None:
        if args.broker_account_id is not None and args.broker_account_id != plan.account:
            raise bad(
                "Account", f"exec plan {plan.id} is of account {plan.account}, not {args.broker_account_id}"
            )
        if not self._accounts.kept(plan.account)[1].is_paper_account:
            raise bad(
                "NotPaper", f"{plan.account} is a broker account: its fills come from its broker (SendOrder)"
            )

    def _trades(self, args: ApplyPaperFillsArgs, plan: Plan, now: datetime) -> dict[str, _Trade]:
        quantities = self._quantities(args, plan)
        problems: dict[str, list[str]] = {}
        for name in sorted(set(args.paper_leg_fills) ^ set(quantities)):
            what = "no fill is given" if name in quantities else "the plan has no such leg"
            problems[f"PaperLegFills.{name}"] = [what]
        for name, fill in args.paper_leg_fills.items():
            problems |= {f"PaperLegFills.{name}": found for found in [_implausible(fill)] if found}
        if problems:
            told = "; ".join(f"{path}: {', '.join(found)}" for path, found in problems.items())
            raise bad("PaperLegFills", told, fields=problems)
        return {
            name: _Trade(
                qty=qty,
                price=args.paper_leg_fills[name].price or _ZERO,
                commission=args.paper_leg_fills[name].commission or _ZERO,
                at=args.paper_leg_fills[name].filled_at or now,
                multiplier=multiplier_of(plan.legs[name].underlying),
            )
            for name, qty in quantities.items()
        }

    def _quantities(self, args: ApplyPaperFillsArgs, plan: Plan) -> dict[str, Decimal]:
        """Contracts to trade, + bought, − sold. A multiplier replaces the one that the plan resolved."""
        match plan.result:
            case PreparePositionEntryResult(qty_multiplier=resolved):
                return {
                    name: scaled_qty(name, leg.qty, args.qty_multiplier, resolved)
                    for name, leg in plan.legs.items()
                }
            case _:
                if args.qty_multiplier is not None:
                    raise bad("QtyMultiplier", "a multiplier is for entries")
                return plan.traded

    # --- entry -----------------------------------------------------------------------------------------------------

    def _enter(
        self, plan: Plan, trades: Mapping[str, _Trade], args: ApplyPaperFillsArgs, now: datetime
    ) -> int:
        result = plan.result
        assert isinstance(result, PreparePositionEntryResult), "an entry's plan"
        id = self._core.store.next_id("positions")
        position = LivePosition(
            id=id,
            state=LivePositionState.OPEN,
            created_at=now,
            name=result.position_name,
            broker_account_id=plan.account,
            live_strategy_id=plan.strategy,
            strategy_name=result.strategy_name,
            qty_multiplier=args.qty_multiplier if args.qty_multiplier is not None else result.qty_multiplier,
        )
        legs = [self._opened(leg, trades[name], id, now) for name, leg in plan.legs.items()]
        self._positions.add(position, legs, dict(result.vars), plan.expirations)
        self._tell.position(position, PositionStatus.CREATED, now, None)
        for leg in legs:
            self._tell.leg(position, leg, LegStatus.CREATED, now, None)
        return id

    def _opened(self, leg: LiveLeg, trade: _Trade, position: int, now: datetime) -> LiveLeg:
        return leg.model_copy(
            update={
                "id": self._core.store.next_id("legs"),
                "live_position_id": position,
                "created_at": now,
                "qty": trade.qty,
                "avg_entry_price": trade.price_with_commission,
            }
        )

    # --- exit ------------------------------------------------------------------------------------------------------

    def _leave(self, plan: Plan, trades: Mapping[str, _Trade], now: datetime) -> int:
        assert plan.position is not None, "an exit's plan is of a position"
        position = self._positions.get(plan.position)
        held = {leg.name: leg for leg in self._positions.legs(position.id, open_only=True)}
        if {name: leg.qty for name, leg in held.items()} != {
            name: leg.qty for name, leg in plan.legs.items()
        }:
            raise bad(
                "PlanStale", f"position {position.id} does not hold any more what exec plan {plan.id} closes"
            )
        for name, leg in held.items():
            self._close_leg(position, leg, trades[name], now)
        self._close(position, now)
        return position.id

    def _close_leg(self, position: LivePosition, leg: LiveLeg, trade: _Trade, now: datetime) -> None:
        earned = (trade.price_with_commission - leg.avg_entry_price) * leg.qty * trade.multiplier
        closed = self._positions.close_leg(leg, now, earned.quantize(_CENT))
        self._tell.leg(position, closed, LegStatus.CLOSED, now, realized_of(closed))

    def _close(self, position: LivePosition, now: datetime) -> None:
        closed = self._positions.close(position, now)
        self._tell.position(closed, PositionStatus.CLOSED, now, self._realized(position))

    def _realized(self, position: LivePosition) -> Decimal:
        return sum((realized_of(leg) for leg in self._positions.legs(position.id)), _ZERO)

    # --- adjustment ------------------------------------------------------------------------------------------------

    def _adjust(self, plan: Plan, trades: Mapping[str, _Trade], now: datetime) -> int:
        """Legs close, others open; with the last leg that holds anything the position is closed."""
        assert plan.position is not None, "an adjustment's plan is of a position"
        position = self._positions.get(plan.position)
        held = {leg.id: leg for leg in self._positions.legs(position.id, open_only=True)}
        closing = {name: leg for name, leg in plan.legs.items() if not plan.opens(name)}
        if not held or any(leg.id not in held or held[leg.id].qty != -leg.qty for leg in closing.values()):
            raise bad(
                "PlanStale",
                f"position {position.id} does not hold any more what exec plan {plan.id} adjusts",
            )
        for name, leg in closing.items():
            self._close_leg(position, held[leg.id], trades[name], now)
        for name, leg in plan.legs.items():
            if plan.opens(name):
                opened = self._opened(leg, trades[name], position.id, now)
                self._positions.add_leg(opened)
                self._tell.leg(position, opened, LegStatus.CREATED, now, None)
        self._positions.define(position.id, plan.later_variables, plan.later_expirations)
        left = self._positions.legs(position.id, open_only=True)
        if any(leg.qty for leg in left):
            self._tell.position(position, PositionStatus.ADJUSTED, now, self._realized(position))
            return position.id
        for marker in left:
            closed = self._positions.close_leg(marker, now, _ZERO)
            self._tell.leg(position, closed, LegStatus.CLOSED, now, realized_of(closed))
        self._close(position, now)
        return position.id

    # --- writing ---------------------------------------------------------------------------------------------------

    def _write(
        self,
        args: ApplyPaperFillsArgs,
        plan: Plan,
        position: int,
        trades: Mapping[str, _Trade],
        now: datetime,
    ) -> None:
        """Executions, and the ledger's own account of the same."""
        self._positions.connect(position, plan.id)
        self._ledger.executed_call(Executed(now, OPERATION, args.idempotency_key, plan.account, plan.id))
        # What was closed has its id in the plan; of a name that was used twice, the newest is meant.
        ids = {leg.name: leg.id for leg in self._positions.legs(position)}
        for name, trade in trades.items():
            if not trade.qty:
                continue
            execution = LiveExecution(
                id=self._core.store.next_id("executions"),
                live_leg_id=plan.legs[name].id or ids[plan.legs[name].name],
                leg_name=name,
                price=trade.price,
                qty=trade.qty,
                commission=trade.commission,
                executed_at=trade.at,
            )
            self._positions.executions.add(execution.id or 0, execution, plan=plan.id, account=plan.account)
            self._ledger.filled(
                Fill(
                    at=now,
                    operation=OPERATION,
                    key=args.idempotency_key,
                    account=plan.account,
                    plan=plan.id,
                    position=position,
                    leg=name,
                    contract=str(option_of(plan.legs[name].live_contract)),
                    qty=trade.qty,
                    price=trade.price,
                    commission=trade.commission,
                )
            )


def _implausible(fill: PaperLegFill) -> list[str]:
    found: list[str] = []
    if fill.price is None:
        found.append("a price is needed")
    elif not 0 <= fill.price < AMOUNT_MAX:
        found.append(f"a price is 0 or more, below {AMOUNT_MAX}")
    if fill.commission is not None and not 0 <= fill.commission < AMOUNT_MAX:
        found.append(f"a commission is 0 or more, below {AMOUNT_MAX}")
    return found


def scaled_qty(name: str, qty: Decimal, wanted: Decimal | None, resolved: Decimal) -> Decimal:
    """A leg's contracts under another multiplier than the resolved one, which it replaces. Raises Refused."""
    if wanted is None:
        return qty
    if not 0 < wanted < AMOUNT_MAX or not resolved:
        raise bad("QtyMultiplier", f"a multiplier of {wanted} in place of {resolved} is not possible")
    scaled = qty * wanted / resolved
    if scaled != scaled.to_integral_value():
        raise bad("QtyMultiplier", f"leg {name} would have {scaled} contracts; contracts are whole")
    return scaled.quantize(Decimal(1))
