from decimal import Decimal as D

import pytest

from mesoflow.trading.amounts import Amount, Measures, NotMeasured

MEASURES = Measures(
    mid=D("42.25"), quote_width=D("3.30"), strike_width=D(25), tick=D("0.05"), net_liquidation=D(250000)
)


@pytest.mark.parametrize(
    ("written", "points"),
    [
        ("0.30", D("0.30")),
        (D("0.30"), D("0.30")),
        (2, D(2)),
        ("-0.10", D("-0.10")),
        ("2 ticks", D("0.10")),
        ("1 tick", D("0.05")),
        ("-1 tick", D("-0.05")),
        ("15% of mid", D("6.3375")),
        ("25% of quote_width", D("0.825")),
        ("5% of strike_width", D("1.25")),
    ],
)
def test_an_amount_is_points_against_what_it_is_measured_by(written: object, points: D) -> None:
    assert Amount.parse(written).points(MEASURES) == points


def test_a_share_of_a_credit_is_as_large_as_that_of_a_debit() -> None:
    assert Amount.parse("10% of mid").points(Measures(mid=D("-1.10"))) == D("0.11")


@pytest.mark.parametrize(
    ("written", "money"), [(25000, D(25000)), ("1% of net_liquidation", D(2500)), ("600", D(600))]
)
def test_an_amount_in_risk_is_money(written: object, money: D) -> None:
    assert Amount.parse(written).money(MEASURES) == money


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("15%", "'15%' does not say of what; write 15% of mid"),
        ("15 %", "'15 %' does not say of what; write 15 % of mid"),
        ("15% of the mid", "'15% of the mid' is no amount; write 0.30"),
        ("15% of worst", "is no amount"),
        ("two ticks", "is no amount"),
        ("0.3e1", "is no amount"),
        ("", "is no amount"),
        (True, "True is no amount"),
        (None, "None is no amount"),
        (D("NaN"), "NaN is no amount"),
        (D("Infinity"), "Infinity is no amount"),
        (0.3, "0.3 is no amount"),
    ],
)
def test_what_is_no_amount_is_told_what_one_looks_like(written: object, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        Amount.parse(written)
    assert said in str(refused.value)
    assert "5% of strike_width" in str(refused.value)


def test_what_is_not_known_is_no_zero() -> None:
    with pytest.raises(NotMeasured, match="5% of strike_width: strike_width is not known here"):
        Amount.parse("5% of strike_width").points(Measures(mid=D(1)))
    with pytest.raises(NotMeasured, match="net_liquidation is not known here"):
        Amount.parse("1% of net_liquidation").money(Measures(net_liquidation=D("NaN")))


def test_money_is_not_points_and_points_are_not_money() -> None:
    with pytest.raises(ValueError, match="is money, not points"):
        Amount.parse("1% of net_liquidation").points(MEASURES)
    with pytest.raises(ValueError, match="is a distance of prices, not money"):
        Amount.parse("2 ticks").money(MEASURES)


@pytest.mark.parametrize(
    "written", ["0.30", "2 ticks", "1 tick", "15% of mid", "-0.5% of quote_width", "1% of net_liquidation"]
)
def test_the_text_of_an_amount_reads_back(written: str) -> None:
    assert str(Amount.parse(written)) == written
