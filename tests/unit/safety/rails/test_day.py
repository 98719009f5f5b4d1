from decimal import Decimal as D

import pytest

from tests.unit.safety.making import closing, judged, order, refused, with_facts


@pytest.mark.parametrize(
    ("pnl", "limit", "holds"),
    [
        ("-2499.99", "1% of net_liquidation", True),
        ("-2500", "1% of net_liquidation", False),
        ("-599", 600, True),
        ("-600", 600, False),
        ("900", 600, True),
        ("0", 0, False),
        ("-99999", "unlimited", True),
    ],
)
def test_the_day_is_over_for_entries_once_its_loss_is_reached(pnl: str, limit: object, holds: bool) -> None:
    assert judged(with_facts(order(), day_pnl=D(pnl)), max_daily_loss=limit).passed is holds


def test_an_adjustment_that_opens_risk_is_an_entry_here_and_an_exit_never_is() -> None:
    deep = {"day_pnl": D(-9999)}
    assert refused(judged(with_facts(order(kind="adjustment"), **deep))) == ["daily_loss"]
    assert judged(with_facts(closing(), **deep)).passed
    assert judged(with_facts(closing(kind="adjustment"), **deep)).passed
    assert judged(with_facts(order(kind="exit"), **deep)).passed
