"""A walk over a broker's orders in thirty lines, and a gate that lets everything pass but what breaks I1."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from mesoflow.engine.effects import Govern, Place, Refused, Sleep, Watch, Withdraw
from mesoflow.engine.errors import Cancelled, StepError
from mesoflow.engine.program import Program, Step
from mesoflow.engine.tasks import Enter
from mesoflow.safety.clearance import clear
from mesoflow.safety.codes import Code
from mesoflow.safety.verdicts import RailLine, Verdict
from mesoflow.trading.orders import Order
from tests.support.memory_hub import MemoryWorld
from tests.support.rig import Rig
from tests.support.toys import TOYS, Toy, order_of

PLAN = 500
TARGET = 3
RUNG = timedelta(seconds=10)
WITHIN = timedelta(seconds=60)


def broker_order(packages: int, rung: int, ctx: Any, until: Any, kind: str = "entry") -> Order:
    """So many packages of the calendar, a tick dearer a rung."""
    price = Decimal("42.25") + Decimal("0.05") * rung
    paper = order_of(PLAN, price, ctx.now)
    legs = tuple(replace(leg, quantity=leg.quantity * packages, price=None) for leg in paper.legs)
    args = {
        "broker_account_id": "PAPER-1",
        "exec_plan_id": PLAN,
        "leg_group_id": 1,
        "packages": packages,
        "leg_group_order": {"limit_price": price},
    }
    group = replace(paper.groups[0], packages=packages)
    return replace(
        paper, method="SendOrder", kind=kind, legs=legs, groups=(group,), args=args, walk="walk/group-1", target=TARGET, until=until
    )  # fmt: skip


def walk(ctx, inputs):
    """Rung by rung until everything has filled; a halt's or a park's withdrawal goes on at the same price."""
    until, fills, rung, again = ctx.now + WITHIN, {}, 1, 1
    while (filled := known(ctx, fills)) < TARGET and ctx.now < until and not ctx.late_fills:
        name = f"rung-{rung}" if again == 1 else f"rung-{rung}~{again}"
        try:
            order = broker_order(TARGET - filled, rung, ctx, until, inputs.get("kind", "entry"))
            answer = yield Place(f"{name}/send", order)
        except StepError as error:
            if error.code != "not_sent":
                raise
            again += 1
            yield Sleep(f"{name}/pause", ctx.now + timedelta(seconds=2))
            continue
        order_id = answer["live_order_id"]
        args = {"live_order_id": order_id}
        try:
            over = yield Watch(
                f"{name}/watch", "GetOrder", args, "order_terminal", min(ctx.now + RUNG, until)
            )
        except Cancelled:
            stopped = yield Enter("", stop(ctx, name, args), shield=True)
            fills[order_id] = stopped["order"]["cum_qty"]
            return {"filled": known(ctx, fills)}
        ours = over is None
        if ours:
            over = yield Enter("", stop(ctx, name, args), shield=True)
        fills[order_id] = over["order"]["cum_qty"]
        if not ours and over["order"]["state"] == "Cancelled":
            if order_id not in ctx.withdrawn:
                break
            again += 1
            continue
        rung, again = rung + 1, 1
    return {"filled": known(ctx, fills)}


def known(ctx, fills):
    """Packages that have filled, those that were reported late too."""
    late = {order: told["filled"] for order, told in ctx.late_fills.items()}
    return int(sum((fills | late).values()))


def stop(ctx, name, args):
    """Cancel and confirm."""
    try:
        yield Withdraw(f"{name}/cancel", "CancelOrder", args)
    except StepError as error:
        if error.code != "hub_refused":
            raise
    return (
        yield Watch(
            f"{name}/confirm", "GetOrder", args, "order_terminal", ctx.now + timedelta(seconds=60),
            overdue="park", code="outcome_unknown", summary="not confirmed",
        )
    )  # fmt: skip


def halt(ctx, inputs):
    """`trading.halt`."""
    return (yield Govern("halt", inputs.get("state", "halted"), "as the test asked"))


class FreeGate:
    """Every rail holds, but I1: what has filled, what may be alive and this order are not more than the target."""

    def __init__(self, world: MemoryWorld) -> None:
        self.world = world
        self.orders: dict[str, Order] = {}
        self.refused: dict[str, str] = {}
        self.seen: list[tuple[str, Any]] = []

    def judge(self, path: str, order: Order, now: Any) -> Refused | None:
        alive = [o for o in self.world.orders.values() if o["exec_plan_id"] == order.exec_plan_id]
        known = sum(o["cum_qty"] if o["state"] in ("Filled", "Cancelled") else o["qty"] for o in alive)
        wanted = order.groups[0].packages
        assert known + wanted <= order.target, f"I1: {known} of {order.target}, and {wanted} more"
        if path in self.refused:
            return Refused("rail_refused", self.refused[path])
        self.orders[path] = order
        return None

    def forbids(self, path: str, order: Order, now: Any) -> str:
        self.orders[path] = order
        return self.refused.get(path, "")

    def clear(self, path: str) -> Any:
        order = self.orders[path]
        return clear(order, Verdict(order, (RailLine(Code.ORDER_INCOHERENT, "held", {}),)))

    def intend(self, path: str, order: Order, at: Any) -> Any:
        legs = [{"name": leg.name, "quantity": leg.quantity} for leg in order.legs]
        body = {
            "account": order.account,
            "exec_plan_id": order.exec_plan_id,
            "position_id": None,
            "legs": legs,
        }
        return {"passed": True}, body

    def observed(self, order: Any, at: Any) -> None:
        self.seen.append((order["state"], order["cum_qty"]))

    def catch_up(self, records: Any) -> None:
        self.seen.extend((record.run_id, record.kind) for record in records)

    def replayed(self, path: str, order: Order, at: Any) -> None: ...

    def settled(self, path: str, order: Order, outcome: Any, at: Any) -> None: ...

    def withdrawing(self, path: str, method: str, at: Any) -> None: ...

    def proves_refusal(self, method: str, status: str) -> bool:
        return status == "ValidationError"

    def mark(self, effect: Any, path: str, summary: str, now: Any) -> Any:
        raise NotImplementedError

    def marked(self, account: str, position_id: Any) -> bool:
        return False


WALKER = Program(
    name="walker",
    steps=(Step("walk", "toy.walk", {}), Step("after", "toy.note", {"value": "{{ steps.walk.filled }}"})),
    always=(Step("last", "toy.tell", {"title": "over"}),),
    outputs={"filled": "{{ steps.after.value }}"},
)
BROKER_TOYS = {**TOYS, "toy.walk": Toy("toy.walk", "trade", walk), "toy.halt": Toy("toy.halt", "local", halt)}
LEG_RATIO = {"short_put": Decimal(-1), "long_put": Decimal(1)}


def walker_rig(fills: dict[int, list[tuple[float, int]]] | None = None, **others: Any) -> Rig:
    """A walk whose first order fills one package, whose second fills the rest, unless the test says otherwise."""
    rig = Rig(program=others.pop("program", WALKER), inputs={}, actions=BROKER_TOYS, **others)
    rig.gate = lambda run_id: FreeGate(rig.world)
    rig.world.fills = {1: [(4.0, 1)], 2: [(3.0, 2)]} if fills is None else fills
    rig.world.leg_ratio = LEG_RATIO
    return rig


__all__ = ["BROKER_TOYS", "PLAN", "TARGET", "WALKER", "FreeGate", "walker_rig"]
