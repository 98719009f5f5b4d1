"""How limits are written; the keys themselves stand in test_limits.py."""

from datetime import date, timedelta
from decimal import Decimal as D

import pytest

from mesoflow.safety import written
from mesoflow.safety.unlimited import UNLIMITED
from mesoflow.trading.amounts import Amount


def test_what_is_read() -> None:
    assert written.count("k", 3) == D(3)
    assert written.count("k", "unlimited") is UNLIMITED
    assert written.money("k", "1% of net_liquidation") == Amount(D(1), "net_liquidation")
    assert written.length("k", "15s") == written.length("k", timedelta(seconds=15)) == timedelta(seconds=15)
    assert written.length_or_unlimited("k", "unlimited") is UNLIMITED
    assert written.dates("k", ["2025-03-19", date(2025, 5, 7)]) == (date(2025, 3, 19), date(2025, 5, 7))
    assert written.stress("k", {"move": "8.5%", "loss": 1}) == (D("0.085"), Amount(D(1)))
    assert written.parts("k", {"a": 1}, ("a", "b"), written.count) == {"a": D(1)}
    assert str(UNLIMITED) == "unlimited"


@pytest.mark.parametrize("said", [True, 0, -1, D("1.5"), "3", None, "none"])
def test_a_count_is_a_whole_number_from_one_on(said: object) -> None:
    with pytest.raises(ValueError, match=r"^risk\.k is a whole number from 1 on, or unlimited"):
        written.count("risk.k", said)


@pytest.mark.parametrize("said", [None, "soon", -5, "15 s", D(15)])
def test_a_length_has_its_unit(said: object) -> None:
    with pytest.raises(ValueError, match=r"^risk\.k: .* is no duration"):
        written.length("risk.k", said)
