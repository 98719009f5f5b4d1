"""How figures read."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from mesoflow.review import words


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (words.money(D("4225")), "4,225"),
        (words.money(D("310.5")), "310.50"),
        (words.money(None), "?"),
        (words.gain(D("57")), "+57"),
        (words.gain(D("-310.5")), "-310.50"),
        (words.points(D("42.250")), "42.25"),
        (words.points(D("97.7")), "97.70"),
        (words.points(D("0.012500")), "0.0125"),
        (words.price(D("42.3")), "42.30 debit"),
        (words.price({"debit": D("-1.1"), "credit": D("1.1")}), "1.10 credit"),
        (words.price(D(0)), "even"),
        (words.quantity(D(1)), "+1"),
        (words.quantity(-10), "-10"),
        (words.length(3900), "1h 05m"),
        (words.length(330), "5m 30s"),
        (words.length(12), "12s"),
        (words.moment(datetime(2025, 1, 16, 15, 0, tzinfo=UTC)), "Thu 16 Jan 2025 10:00:00 ET"),
        (words.clock(datetime(2025, 7, 16, 15, 0, tzinfo=UTC)), "11:00:00"),
        (words.count(1, "leg"), "1 leg"),
        (words.count(2, "leg"), "2 legs"),
    ],
)
def test_a_figure_and_its_text(said, text):
    assert said == text
