"""data.underlying: a fresh mark, or an error; never a null."""

from datetime import timedelta
from decimal import Decimal

from tests.support.acting import NOW, Script, act, context
from tests.support.answers import underlying


def test_prices_of_a_symbol() -> None:
    acted = act("data.underlying", {"symbol": "SPX"}, Script().answers("GetUnderlyingSnapshot", underlying()))
    assert acted.outputs == {
        "symbol": "SPX",
        "mark": Decimal("6000.10"),
        "bid": Decimal("5999.80"),
        "ask": Decimal("6000.40"),
        "last": None,
        "age": Decimal("0.2"),
        "as_of": NOW,
    }
    asked = acted.effect("snapshot")
    assert asked.args == {"underlying": {"symbol": "SPX"}, "include": "Prices", "provider": "IBKR"}
    assert (asked.until, asked.overdue) == (NOW + timedelta(minutes=2), "refuse")


def test_a_stale_mark_is_waited_for() -> None:
    stale, fresh = underlying(age_ms=15_001), underlying(age_ms=15_000)
    acted = act("data.underlying", {"symbol": "SPX"}, Script().answers("GetUnderlyingSnapshot", stale, fresh))
    assert acted.outputs["age"] == Decimal(15)


def test_no_mark_is_an_error_that_may_pass() -> None:
    none = underlying(bid=None, ask=None)
    acted = act("data.underlying", {"symbol": "SPX"}, Script().answers("GetUnderlyingSnapshot", none))
    assert str(acted.error) == "no_quote: SPX has no mark that is at most 15 s old"
    assert acted.error.retryable


def test_without_a_provider_nothing_is_asked() -> None:
    acted = act("data.underlying", {"symbol": "SPX"}, None, context(provider=None))
    assert (acted.asked, acted.code) == ([], "bad_value")
