"""A put calendar bought on paper, told by a journal: actions of its own, so that no action's details are tested here."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from types import SimpleNamespace
from typing import Any

from mesoflow.actions.base import Inputs, action
from mesoflow.actions.control import assert_all
from mesoflow.engine.action import Context
from mesoflow.engine.control import Machine
from mesoflow.engine.effects import Call, Place
from mesoflow.engine.program import Program, Step
from mesoflow.runtime.programs import read_program
from tests.support.stories import T0, Story, after

RUN = "calendar-2025-01-16"


class Any_(Inputs):
    model_config = Inputs.model_config | {"extra": "allow"}


@action("account.select", "read", inputs=Any_)
def account_select(ctx: Context, inputs: Any_) -> Any:
    answer = yield Call("account", "GetAccount", {})
    return SimpleNamespace(model_dump=lambda mode: answer)


@action("entry.prepare", "prepare", inputs=Any_)
def entry_prepare(ctx: Context, inputs: Any_) -> Any:
    answer = yield Call("start", "StartPreparePositionEntry", {})
    return SimpleNamespace(model_dump=lambda mode: answer)


@action("orders.work", "trade", inputs=Any_)
def orders_work(ctx: Context, inputs: Any_) -> Any:
    answer = yield Place("send", SimpleNamespace(method="ApplyPaperFills", args={}, walk=""))
    return SimpleNamespace(model_dump=lambda mode: answer)


ACTIONS = {a.name: a for a in (account_select, entry_prepare, orders_work, assert_all)}

PROGRAM = Program(
    "calendar",
    (
        Step("account", "account.select"),
        Step(
            "enter",
            steps=(
                Step("entry", "entry.prepare"),
                Step("sane", "assert", {"all": [{"that": True, "message": "no"}]}),
            ),
        ),
        Step("buy", "orders.work"),
        Step("again", "orders.work", when="{{ steps.buy.lots > 1 }}"),
    ),
    description="Buy one calendar.",
    outputs={"position_id": "{{ steps.buy.position_id }}"},
)

ACCOUNT = {
    "broker_account_id": "PAPER-1", "is_paper": True, "currency": "USD", "net_liquidation": D("250000.00"), "broker": "Paper",
}  # fmt: skip


def _price(signed: str) -> dict[str, D]:
    return {"debit": D(signed), "credit": -D(signed)}


def _leg(name: str, quantity: int, expiration: date) -> dict[str, Any]:
    return {
        "name": name,
        "quantity": D(quantity),
        "root": "SPXW",
        "expiration": expiration,
        "strike": D(6000),
        "option_type": "put",
    }


PLAN = {
    "exec_plan_id": 501,
    "premium": D("4225.00"),
    "quote": {
        "near": _price("40.60"),
        "mid": _price("42.25"),
        "natural": _price("43.90"),
        "width": D("3.30"),
    },
    "legs": {
        "short_put": _leg("short_put", -1, date(2025, 2, 14)),
        "long_put": _leg("long_put", 1, date(2025, 3, 18)),
    },
    "groups": [{"id": 1, "legs": ["short_put", "long_put"], "quote": {"mid": _price("42.25")}}],
}
EXECUTION = {
    "exec_plan_id": 501,
    "kind": "entry",
    "position_id": 901,
    "ended": "filled",
    "lots": D(1),
    "legs": {
        "short_put": {"quantity": D(-1), "average_price": D("98.25")},
        "long_put": {"quantity": D(1), "average_price": D("140.80")},
    },
    "groups": [
        {
            "id": 1,
            "legs": ["short_put", "long_put"],
            "packages": 1,
            "filled": 1,
            "price": _price("42.55"),
            "conceded": D("0.30"),
            "rungs": 1,
        }
    ],
    "price": _price("42.55"),
    "cash": D("-4255.00"),
    "fees": D("0"),
    "orders": [],
    "live": False,
    "finished_at": after(1510),
}


def machine(program: Program = PROGRAM) -> Machine:
    """A fresh one."""
    context = Context(
        run_id=RUN, playbook="calendar", session="cboe-index-options", now=T0, account="PAPER-1"
    )
    return Machine(read_program_value(program), ACTIONS, context, {})


def read_program_value(program: Program) -> Program:
    from mesoflow.runtime.programs import program_value

    return read_program(program_value(program))


def prepared() -> Story:
    """Up to the plan."""
    story = Story().begin(RUN, PROGRAM, inputs={"lots": 1})
    story.settle(RUN, "account/account", ACCOUNT, at=2)
    story.intend(RUN, "enter/entry/start", "StartPreparePositionEntry", at=1500)
    return story.settle(RUN, "enter/entry/start", PLAN, at=1503)


def bought() -> Story:
    """To its end."""
    story = prepared().intend(RUN, "buy/send", at=1503, exec_plan_id=501)
    story.settle(RUN, "buy/send", EXECUTION, at=1510)
    return story.write(
        RUN, "ended", {"state": "done", "reason": "", "outputs": {"position_id": 901}, "at": after(1511)}
    )
