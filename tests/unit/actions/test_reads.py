"""hub.read: any read of the contract, checked before it is asked."""

from typing import Any

import pytest

from mesoflow.expressions.unknown import Unknown
from tests.support.acting import NOW, Script, act, foretell
from tests.support.answers import account, strategies, strategy


def test_a_read_gives_the_methods_result() -> None:
    acted = act(
        "hub.read",
        {"method": "GetAccount", "args": {"broker_account_id": "PAPER-1"}},
        Script().answers("GetAccount", account()),
    )
    assert acted.asked == ["read: GetAccount"]
    assert acted.outputs["account"]["last_updated"] == NOW


def test_pages_are_followed_up_to_the_limit() -> None:
    rows = [strategy(id, f"s{id}") for id in range(1, 6)]
    script = Script().answers(
        "ListStrategies", strategies(*rows[:2], token="a"), strategies(*rows[2:4], token="b")
    )
    acted = act("hub.read", {"method": "ListStrategies", "limit": 3}, script)
    assert acted.asked == ["read: ListStrategies", "read/page-2: ListStrategies"]
    assert acted.effect("read").args == {"limit": 3}
    assert [row["id"] for row in acted.outputs["strategies"]] == [1, 2, 3]
    assert acted.outputs["continuation_token"] == "b"


@pytest.mark.parametrize(
    ("inputs", "summary"),
    [
        ({"method": "getaccount"}, "the hubs have no method getaccount; did you mean GetAccount?"),
        ({"method": "Nothing"}, "the hubs have no method Nothing"),
        ({"method": "SendOrder"}, "SendOrder is no read with one answer: it is a trade (invoke)"),
        (
            {"method": "StreamPositionData"},
            "StreamPositionData is no read with one answer: it is a read (stream)",
        ),
        ({"method": "GetAccount"}, "GetAccount: args.broker_account_id: Field required"),
        (
            {"method": "ListStrategies", "args": {"limit": 5}},
            "pages are followed by themselves: write limit, not args.limit",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_before_it_is_asked(inputs: dict[str, Any], summary: str) -> None:
    acted = act("hub.read", inputs)
    assert (acted.asked, str(acted.error)) == ([], f"bad_value: {summary}")


def test_a_forecast_knows_what_the_answer_is_made_of() -> None:
    account = foretell("hub.read", {"method": "GetAccount", "args": Unknown("map")}).outputs["account"]
    assert account.type == "LiveAccount"
    assert account.fields["currency"] == Unknown("string", 'step "step"')
    assert foretell("hub.read", {"method": Unknown("string")}).outputs == {}
    assert foretell("hub.read", {"method": "SendOrder"}).code == "bad_value"
