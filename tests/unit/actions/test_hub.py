"""The helpers: pages, refusals with a meaning, shields."""

import pytest

from mesoflow.actions.base import Acting, Inputs, action
from mesoflow.actions.hub import PAGES_MAX, pages, read, shielded, sleep, watch, withdraw
from mesoflow.engine.action import Context
from mesoflow.engine.errors import Cancelled, StepError
from mesoflow.hubs.models.accounts import GetAccountResult
from mesoflow.hubs.models.strategies import ListStrategiesResult
from tests.support.acting import NOW, Script, act
from tests.support.answers import account, strategies, strategy


class Nothing(Inputs):
    pass


@action("test.pages", "read", inputs=Nothing)
def paging(ctx: Context, inputs: Nothing) -> Acting[list[int]]:
    listed = yield from pages("list", "ListStrategies", {}, ListStrategiesResult, limit=3)
    return [row.id for page in listed for row in page.strategies]


@action("test.read", "read", inputs=Nothing)
def reading(ctx: Context, inputs: Nothing) -> Acting[str]:
    meaning = {"NotFound": ("account_not_found", "no such account")}
    answer = yield from read(
        "account", "GetAccount", {"broker_account_id": "X"}, GetAccountResult, refused=meaning
    )
    return answer.account.currency


@action("test.shield", "prepare", inputs=Nothing)
def shielding(ctx: Context, inputs: Nothing) -> Acting[str]:
    try:
        yield from sleep("wait", NOW)
    except Cancelled:
        yield from shielded(_stop())
        raise
    return "waited"


@shielding.forecasts
def _shielding_forecast(ctx: Context, inputs: Nothing) -> Acting[None]:
    yield from sleep("wait", NOW)
    yield from withdraw("stop", "CancelPreparePositionExit", {"job_id": "j"})


def _stop() -> Acting[None]:
    yield from withdraw("stop", "CancelPreparePositionExit", {"job_id": "j"})


@action("test.watch", "read", inputs=Nothing)
def watching(ctx: Context, inputs: Nothing) -> Acting[bool]:
    args = {"broker_account_id": "X"}
    found = yield from watch("look", "GetAccount", args, GetAccountResult, ready="always", until=NOW)
    return found is not None


def test_pages_have_names_and_end_at_the_limit() -> None:
    script = Script().answers(
        "ListStrategies", strategies(strategy(1), token="a"), strategies(strategy(2), token="b")
    )
    script.answers("ListStrategies", strategies(strategy(3), strategy(4), token="c"))
    acted = act(paging, {}, script)
    assert acted.asked == [
        "list: ListStrategies",
        "list/page-2: ListStrategies",
        "list/page-3: ListStrategies",
    ]
    assert acted.outputs == [1, 2, 3, 4]
    assert [effect.args for effect in acted.effects] == [
        {"limit": 3},
        {"limit": 3, "continuation_token": "a"},
        {"limit": 3, "continuation_token": "b"},
    ]


def test_a_hub_that_never_ends_its_pages_is_given_up() -> None:
    acted = act(paging, {}, Script().answers("ListStrategies", strategies(token="again")))
    assert (len(acted.effects), acted.code) == (PAGES_MAX, "hub_refused")


@pytest.mark.parametrize(
    ("status", "code"), [("NotFound", "account_not_found"), ("Forbidden", "hub_refused")]
)
def test_a_refusal_with_a_meaning_has_a_code_of_its_own(status: str, code: str) -> None:
    acted = act(reading, {}, Script().refuses("GetAccount", status))
    assert isinstance(acted.error, StepError)
    assert (acted.code, acted.error.details) == (code, {"method": "GetAccount", "status": status})


def test_a_shield_works_in_a_cancelled_scope() -> None:
    script = Script().answers("CancelPreparePositionExit", {})
    acted = act(shielding, {}, script, cancel_at="wait")
    assert acted.asked == ["wait: Sleep", "stop: CancelPreparePositionExit"]
    assert isinstance(acted.error, Cancelled)
    assert act(shielding, {}, script).outputs == "waited"


def test_a_watch_gives_the_answer() -> None:
    assert act(watching, {}, Script().answers("GetAccount", account())).outputs is True
