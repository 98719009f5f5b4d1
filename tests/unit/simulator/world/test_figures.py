"""Blocks of figures: prices of packages, greeks of quantities, profit, and how old each is."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.market.market import Market
from mesoflow.simulator.world.figures import Figures, Holding, packages, rounded

MARKET = Market(7)
NOW = datetime(2025, 1, 16, 15, 0, 20, 250_000, tzinfo=UTC)
NEAR = Option("SPX", "SPXW", date(2025, 2, 14), Decimal(5970), "Put")
FAR = Option("SPX", "SPXW", date(2025, 3, 14), Decimal(5970), "Put")
DEAD = Option("SPX", "SPXW", date(2025, 1, 15), Decimal(5970), "Put")


def hold(option: Option, qty: int, price: str = "0", realized: str = "0") -> Holding:
    return Holding(option, Decimal(qty), Decimal(100), Decimal(price), Decimal(realized))


def test_a_package_sells_what_is_held_at_the_bid_and_buys_back_at_the_ask() -> None:
    figures = Figures(MARKET, NOW)
    near, far = figures.quote(NEAR), figures.quote(FAR)
    assert near is not None and far is not None
    block = figures.package([hold(NEAR, -3), hold(FAR, 3)])
    assert block["bid"] == far.bid - near.ask  # type: ignore[operator]
    assert block["ask"] == far.ask - near.bid  # type: ignore[operator]
    assert block["mark"] == far.mark - near.mark  # type: ignore[operator]
    assert block["bid"] < block["mark"] < block["ask"]


def test_a_ratio_is_counted_in_packages() -> None:
    assert packages([hold(NEAR, -4), hold(FAR, 2)]) == 2
    assert packages([]) == 1
    figures = Figures(MARKET, NOW)
    near, far = figures.quote(NEAR), figures.quote(FAR)
    assert near is not None and far is not None
    block = figures.package([hold(NEAR, -4), hold(FAR, 2)])
    assert block["ask"] == far.ask - 2 * near.bid  # type: ignore[operator]


def test_every_value_has_its_age_and_no_value_has_none() -> None:
    figures = Figures(MARKET, NOW)
    block = figures.prices(figures.quote(NEAR))
    ages = {name: block[f"{name}_age_ms"] for name in ("bid", "ask", "last", "mark")}
    assert ages == {"bid": 250, "ask": 250, "last": 20_250, "mark": 250}
    assert block["snapshot_time"] == NOW
    dead = figures.prices(figures.quote(DEAD))
    assert [dead[name] for name in ("bid", "ask", "last", "mark", "bid_age_ms", "mark_age_ms")] == [None] * 6


def test_greeks_by_basis_are_of_the_whole_quantity() -> None:
    figures = Figures(MARKET, NOW)
    one, minus_two = figures.greeks(hold(NEAR, 1)), figures.greeks(hold(NEAR, -2))
    assert one["mark"]["delta"] < -40 and minus_two["mark"]["delta"] > 80
    assert one["bid"]["iv"] < one["mark"]["iv"] < one["ask"]["iv"]
    assert one["mark"]["iv"] == minus_two["mark"]["iv"]
    total = figures.total_greeks([one, minus_two])
    assert total["mark"]["vega"] == one["mark"]["vega"] + minus_two["mark"]["vega"]


def test_profit_is_measured_on_each_basis() -> None:
    figures = Figures(MARKET, NOW)
    quote = figures.quote(NEAR)
    assert quote is not None and quote.mark is not None and quote.ask is not None
    block = figures.pnl(hold(NEAR, -2, "110.00", "12.50"))
    assert block["mark"] == (Decimal("110.00") - quote.mark) * 200
    assert block["ask"] == (Decimal("110.00") - quote.ask) * 200
    assert block["realized"] == Decimal("12.50")
    total = figures.total_pnl([block, figures.pnl(hold(DEAD, 0, realized="-1.00"))])
    assert (total["realized"], total["mark"]) == (Decimal("11.50"), None)


def test_a_part_that_is_not_known_makes_the_whole_unknown() -> None:
    figures = Figures(MARKET, NOW)
    block = figures.package([hold(NEAR, -1), hold(DEAD, 1)])
    assert [block[name] for name in ("bid", "ask", "mark", "bid_age_ms")] == [None] * 4


def test_figures_of_the_pricing_leave_with_six_decimals() -> None:
    assert [str(rounded(x)) for x in (0.1 + 0.2, -1e-9, 58.26036449)] == ["0.300000", "0.000000", "58.260364"]


def test_a_total_is_as_old_as_its_oldest_part() -> None:
    early, late = Figures(MARKET, NOW), Figures(MARKET, NOW + timedelta(milliseconds=300))
    parts = [early.greeks(hold(NEAR, 1)), late.greeks(hold(FAR, 1))]
    assert late.total_greeks(parts)["mark_age_ms"] == 550
