"""Small actions and a playbook for tests of the engine: a group, a loop two at once, retry, rescue, always, a trade."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from mesoflow.actions.definitions import definition_digest
from mesoflow.engine.effects import Call, Note, Place, Sleep, Tell, Watch
from mesoflow.engine.errors import StepError
from mesoflow.engine.program import Clause, ForEach, Program, Retry, Step
from mesoflow.trading.orders import Contract, Order, OrderFacts, OrderGroup, OrderLeg, Quote

T0 = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)
DEFINITION = {"StrategyName": "copy", "Symbol": "SPX", "Structure": {"Legs": ["short_put", "long_put"]}}


class Anything(BaseModel, extra="allow"):
    """Inputs of every toy."""


@dataclass
class Toy:
    name: str
    effect_class: str
    body: Any
    inputs: type[BaseModel] = Anything
    outputs: type[BaseModel] | None = None
    errors: tuple[str, ...] = ()

    def run(self, ctx, inputs):
        return self.body(ctx, inputs.model_dump())

    forecast = run


def look(ctx, inputs):
    """Read an account."""
    answer = yield Call("account", "GetAccount", {"broker_account_id": inputs["account"]})
    return {"cash": answer["account"]["cash"]}


def prepare(ctx, inputs):
    """Start a job and watch it."""
    job = yield Call(
        "start", "StartPreparePositionEntry", {"position_name": inputs["name"], "strategy_id": 101}
    )
    until = ctx.now + timedelta(minutes=2)
    done = yield Watch(
        "job", "GetPreparePositionEntryStatus", {"job_id": job["job_id"]}, "job_terminal", until
    )
    return {"exec_plan_id": done["result"]["exec_plan_id"]}


def order_of(plan: int, price: Decimal, now: datetime) -> Order:
    """One put calendar, as an entry on a paper account."""
    front = Contract("SPX", "SPXW", "put", date(2025, 2, 14), Decimal(5900))
    back = Contract("SPX", "SPXW", "put", date(2025, 3, 18), Decimal(5900))
    quote = Quote(Decimal("97.70"), Decimal("99.10"), Decimal("98.40"), 200, 200)
    quote2 = Quote(Decimal("139.70"), Decimal("141.60"), Decimal("140.65"), 200, 200)
    legs = (
        OrderLeg("short_put", front, Decimal(-1), 1, quote, Decimal("98.40")),
        OrderLeg("long_put", back, Decimal(1), 1, quote2, Decimal("98.40") + price),
    )
    group = OrderGroup(
        1, ("short_put", "long_put"), 1, price, price, Decimal("40.60"), Decimal("42.25"), Decimal("43.90")
    )
    fills = {leg.name: {"price": leg.price, "commission": Decimal(0)} for leg in legs}
    args = {"broker_account_id": "PAPER-1", "exec_plan_id": plan, "paper_leg_fills": fills}
    facts = OrderFacts(Decimal(0), Decimal(250000), (), Decimal(5940), now, is_paper=True)
    return Order("ApplyPaperFills", "PAPER-1", "entry", plan, None, 101, "SPX", legs, (group,), facts, args)


def trade(ctx, inputs):
    """Book paper fills; what had not left is tried again under a new name."""
    number = 1
    while True:
        try:
            answer = yield Place(f"fill-{number}", order_of(inputs["plan"], Decimal("42.25"), ctx.now))
            return {"position_id": answer["position_id"]}
        except StepError as error:
            if error.code != "not_sent" or number == 20:
                raise
        number += 1
        yield Sleep(f"pause-{number}", ctx.now + timedelta(seconds=5))


def clone(ctx, inputs):
    listed = yield Call("list", "ListStrategies", {})
    before = [s["id"] for s in listed["strategies"]]
    hints = {"ids_before": before, "names": [inputs["name"]], "digest": definition_digest(DEFINITION)}
    args = {"name": inputs["name"], "strategy_definition": DEFINITION}
    made = yield Call("create", "CreateStrategy", args, hints)
    return {"strategy_id": made["strategy_id"]}


def pause(ctx, inputs):
    ended = yield Sleep("sleep", ctx.now + timedelta(seconds=int(inputs["seconds"])))
    return {"ended_at": ended}


def note(ctx, inputs):
    return {"value": (yield Note("value", inputs["value"]))}


def tell(ctx, inputs):
    return (yield Tell("tell", ("ops",), inputs["title"], ""))


def fail(ctx, inputs):
    raise StepError(inputs["code"], "as the test asked")
    yield


TOYS = {
    toy.name: toy
    for toy in (
        Toy("toy.look", "read", look),
        Toy("toy.prepare", "prepare", prepare),
        Toy("toy.trade", "trade", trade),
        Toy("toy.clone", "change", clone),
        Toy("toy.pause", "wait", pause),
        Toy("toy.note", "local", note),
        Toy("toy.tell", "tell", tell),
        Toy("toy.fail", "local", fail),
    )
}

# A group, a loop two at once, a retry, a rescue, always, and a trade: everything that can come between two effects.
WHOLE = Program(
    name="toys",
    steps=(
        Step("account", "toy.look", {"account": "PAPER-1"}),
        Step("strategy", "toy.clone", {"name": "copy"}),
        Step(
            "legs",
            steps=(
                Step("plan", "toy.prepare", {"name": "{{ run.id }}"}),
                Step("short", "toy.pause", {"seconds": 3}),
            ),
        ),
        Step(
            "each",
            "toy.prepare",
            {"name": "{{ loop.item }}"},
            for_each=ForEach("{{ inputs.names }}", key="{{ loop.item }}", at_once=2),
        ),
        Step("again", "toy.look", {"account": "FLAKY"}, retry=Retry(3, ("hub_refused",), wait_s=7)),
        Step(
            "broken",
            "toy.fail",
            {"code": "rejected"},
            rescue=(Clause(("rejected",), (Step("told", "toy.tell", {"title": "{{ error.code }}"}),)),),
        ),
        Step("trade", "toy.trade", {"plan": "{{ steps.plan.exec_plan_id }}"}),
        Step("unneeded", "toy.note", {"value": 1}, when="{{ steps.broken is done }}"),
        Step("mark", "toy.note", {"value": "{{ steps.account.cash }}"}),
    ),
    always=(Step("last", "toy.tell", {"title": "over"}),),
    outputs={
        "position_id": "{{ steps.trade.position_id }}",
        "cash": "{{ steps.mark.value }}",
        "plans": "{{ steps.each.results | map(attribute='exec_plan_id') | list }}",
    },
    inputs={"names": {"type": "list"}},
    risk={"accounts": ["PAPER-1"]},
)
INPUTS = {"names": ["a", "b/c", "d"]}
