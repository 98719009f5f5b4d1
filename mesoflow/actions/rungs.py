"""One order of a walk: the market of now, the rails, sent. What keeps it from leaving is waited for where that passes."""

from __future__ import annotations

from decimal import Decimal

from mesoflow.actions.base import Acting
from mesoflow.actions.booking import PAUSE, pauses
from mesoflow.actions.hub import place, shielded, sleep, watch
from mesoflow.actions.ladders import order_group, quote_of_group
from mesoflow.actions.ledger import remember_order
from mesoflow.actions.market import Market, look
from mesoflow.actions.renewal import prepare_again
from mesoflow.actions.sent import Sent, find_order, take_back
from mesoflow.actions.way import Walk, count_late, multiplier_of
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Tell, Value
from mesoflow.engine.errors import StepError
from mesoflow.hubs.inferred import means_no_combo
from mesoflow.hubs.models.orders import SendOrderResult
from mesoflow.hubs.models.positions import ListPositionsResult
from mesoflow.trading.orders import Order, OrderLeg
from mesoflow.trading.readback import CreditSign, wire_limit

# What one look at the market reads (market.py), and what its effects are called.
_PARTS = ("account", "underlying", "agent", "quotes", "open-legs")


def send_rung(ctx: Context, way: Walk, name: str, price: Decimal) -> Acting[Sent | None]:
    """Facts, rails, sent. None: look again, or the walk has ended (`why`, or its time)."""
    if way.spent:
        yield from prepare_again(ctx, way, name)
        if way.why is not None:
            return None
    market = yield from _look(ctx, way, name)
    if market is None:
        return None
    count_late(ctx, way)
    if way.ended(ctx.now):
        return None
    order = order_of(ctx, way, market, price)
    try:
        answer = yield from place(f"{name}/send", order)
    except StepError as error:
        return (yield from _not_placed(ctx, way, name, error))
    way.paged, way.waits = False, None
    return (yield from _accepted(ctx, way, name, order, answer))


def _look(ctx: Context, way: Walk, name: str) -> Acting[Market | None]:
    """The market of now, which only gates. One that is stale pauses the walk, while its time goes on."""
    names = {part: f"{name}/{part}" for part in _PARTS}
    if not (yield from _know_position(ctx, way, name)):
        return None
    try:
        return (yield from look(ctx, names, way.plan, way.group.ratio, way.until, overdue="nothing"))
    except StepError as error:
        way.waits = error
        if error.code not in ("no_quote", "agent_stale"):
            way.why = error
        elif ctx.now < way.until:
            yield from sleep(f"{name}/pause", min(ctx.now + PAUSE, way.until))
        return None


def _know_position(ctx: Context, way: Walk, name: str) -> Acting[bool]:
    """What has filled of an entry is a position by now: the rails judge the rest as part of it. False: no time is left."""
    if way.plan.kind != "entry" or not way.entered.filled or way.entered.position_id is not None:
        return True
    listed = yield from watch(
        f"{name}/position",
        "ListPositions",
        {"live_exec_plan_id": way.plan.exec_plan_id, "limit": 200},
        ListPositionsResult,
        ready="position_found",
        params={"position_id": None},
        until=way.until,
    )
    if listed is None:
        return False
    way.entered.position_id = listed.positions[0].id
    return True


def _not_placed(ctx: Context, way: Walk, name: str, error: StepError) -> Acting[Sent | None]:
    """Why an order did not leave: some reasons pass, and are waited for as long as there is time."""
    if "decided_by" in error.details:  # a person says that it did not happen: a price that filled nothing
        way.passed = True
        return None
    in_the_way = set(error.details.get("in_the_way", ())) - way.cleared if way.plan.kind == "exit" else set()
    if error.code == "rail_refused" and in_the_way:
        way.cleared |= in_the_way
        yield from shielded(_clear_the_way(ctx, way, name, sorted(in_the_way)))
        return None
    if error.code == "not_sent":
        wait = ctx.now + PAUSE
    elif error.code == "rail_refused" and error.details.get("wait_until") is not None:
        wait = error.details["wait_until"]  # C10: the minute's messages are used up
    elif pauses(error, way.plan):
        wait = ctx.now + PAUSE
        yield from _page_once(way, name, error)
    else:
        way.why = _meaning(error)
        return None
    way.waits = error
    yield from sleep(f"{name}/pause", min(wait, way.until))
    return None


def _clear_the_way(ctx: Context, way: Walk, name: str, orders: list[int]) -> Acting[None]:
    """Working exits of other runs on these legs are taken back and confirmed; then this one is judged again (C09)."""
    for order_id in orders:
        other = Sent(order_id, way.plan.exec_plan_id, 0, 0, Decimal(0), Decimal(0), ctx.now)
        yield from take_back(ctx, other, f"{name}/clear-{order_id}")


def _page_once(way: Walk, name: str, error: StepError) -> Acting[None]:
    """An exit that is paused calls somebody, once a pause."""
    if not way.paged:
        way.paged = True
        title = f"the exit of position {way.plan.position_id} is paused"
        yield Tell(f"{name}/page", (), title, error.summary, "page")


def _accepted(ctx: Context, way: Walk, name: str, order: Order, answer: Value) -> Acting[Sent]:
    order_id = SendOrderResult.read(answer).live_order_id
    if order_id is None:
        known = {sent.order_id for sent in way.orders}
        find = find_order(ctx, f"{name}/find", order.exec_plan_id, way.source, known)
        order_id = yield from shielded(find)
    group = order.groups[0]
    wire = order.args["leg_group_order"]["limit_price"]
    sent = Sent(order_id, order.exec_plan_id, way.group.id, group.packages, group.limit, wire, ctx.now)
    way.orders.append(sent)
    remember_order(ctx, order, order_id)
    return sent


def order_of(ctx: Context, way: Walk, market: Market, price: Decimal) -> Order:
    """The order for what is left, at a rung's price."""
    plan, group, rest = way.plan, way.group, way.rest
    contracts = way.work.contracts
    legs = [
        OrderLeg(name, contracts[name], Decimal(count * rest), group.id, market.quotes[name])
        for name, count in group.ratio.items()
    ]
    return Order(
        method="SendOrder",
        account=plan.broker_account_id,
        kind=plan.kind,
        exec_plan_id=plan.exec_plan_id,
        position_id=way.entered.position_id if plan.position_id is None else plan.position_id,
        strategy_id=plan.strategy_id,
        symbol=plan.underlying.symbol,
        legs=tuple(legs),
        groups=(order_group(group, rest, price, way.frozen.ladder, quote_of_group(group, market.quotes)),),
        facts=market.facts,
        args=_args(ctx, way, price),
        walk=way.path,
        target=group.packages,
        until=way.until,
    )


def _args(ctx: Context, way: Walk, price: Decimal) -> dict[str, Value]:
    """As the hub takes it. What is nullable is sent as null, not left out."""
    sign: CreditSign = "positive" if ctx.hub.get("credit_sign") == "positive" else "negative"
    return {
        "replaces_order": None,
        "broker_account_id": way.plan.broker_account_id,
        "exec_plan_id": way.plan.exec_plan_id,
        "qty_multiplier": multiplier_of(ctx, way),
        "leg_group_id": way.source,
        "leg_group_order": {
            "order_type": "Limit",
            "time_in_force": "DAY",
            "limit_price": wire_limit(price, sign),
            "stop_price": None,
            "leg_names": None,
        },
    }


def _meaning(error: StepError) -> StepError:
    """The hub's refusal of an order, in the catalogue's words."""
    if error.code != "hub_refused":
        return error
    code = "combo_not_supported" if means_no_combo(error.details.get("code"), error.summary) else "rejected"
    return StepError(code, error.summary, error.details)
