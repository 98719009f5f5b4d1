"""Quotes of several legs at one time."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from mesoflow.actions.base import Acting, Inputs, action
from mesoflow.actions.quotes import Asked, leg_quotes
from mesoflow.engine.action import Context
from mesoflow.hubs.models.prices import LivePrices
from mesoflow.trading.orders import Contract
from tests.support.acting import NOW, Acted, Script, act
from tests.support.answers import LONG, SHORT, legs_snapshot, prices

CONTRACT = Contract("SPX", "SPXW", "put", date(2025, 2, 13), Decimal(6000))
FIVE_S = timedelta(seconds=5)


def quoted(legs: Mapping[str, Asked], script: Script) -> Acted:
    """Quotes of these legs within a minute."""

    class Nothing(Inputs):
        pass

    @action("test.quotes", "read", inputs=Nothing)
    def quoting(ctx: Context, inputs: Nothing) -> Acting[dict[str, LivePrices]]:
        return (yield from leg_quotes(ctx, "quotes", legs, FIVE_S, NOW + timedelta(minutes=1)))

    return act(quoting, {}, script)


def bids(acted: Acted) -> dict[str, Any]:
    return {name: block.bid for name, block in acted.outputs.items()}


def test_open_legs_are_asked_for_together() -> None:
    legs = {"short_put": Asked(CONTRACT, 11), "long_put": Asked(CONTRACT, 12)}
    acted = quoted(legs, Script().answers("GetLegsSnapshot", legs_snapshot()))
    assert acted.asked == ["quotes: GetLegsSnapshot"]
    assert acted.effects[0].args == {"leg_ids": [11, 12], "include": "Prices", "provider": "IBKR"}
    assert (acted.effects[0].ready, acted.effects[0].params) == (
        "legs_fresh",
        {"leg_ids": [11, 12], "max_age_ms": 5_000},
    )
    assert bids(acted) == {"short_put": Decimal("97.70"), "long_put": Decimal("139.70")}


def test_legs_that_trade_pass_the_gate_of_orders() -> None:
    legs = {"short_put": Asked(CONTRACT, 11, sold=True), "long_put": Asked(CONTRACT, 12, sold=False)}
    acted = quoted(legs, Script().answers("GetLegsSnapshot", legs_snapshot()))
    assert (acted.effects[0].ready, acted.effects[0].params) == (
        "legs_tradable",
        {"leg_ids": [11, 12], "sold": [11]},
    )


def test_legs_of_an_entry_are_asked_for_one_by_one() -> None:
    legs = {"short_put": Asked(CONTRACT, sold=True), "long_put": Asked(CONTRACT)}
    script = Script().answers("GetContractSnapshot", {"prices": prices(*SHORT)}, {"prices": prices(*LONG)})
    acted = quoted(legs, script)
    assert [(effect.name, effect.ready) for effect in acted.effects] == [
        ("quotes/short_put", "contract_tradable"),
        ("quotes/long_put", "contract_fresh"),
    ]


def test_legs_that_are_never_fresh_at_one_time_are_given_up() -> None:
    legs = {"a": Asked(CONTRACT), "b": Asked(CONTRACT)}
    script = Script(takes=timedelta(seconds=4), live=True)
    acted = quoted(legs, script.answers("GetContractSnapshot", {"prices": prices(*SHORT, age_ms=1_500)}))
    assert (len(acted.effects), acted.effects[-1].name) == (40, "quotes~20/b")
    assert (acted.code, acted.error.retryable) == ("no_quote", True)
