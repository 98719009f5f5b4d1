import itertools
from datetime import date

from mesoflow.simulator.market.chain import Listing
from mesoflow.simulator.market.sessions import calendar

LISTING = Listing("SPX", calendar())
TODAY = date(2025, 1, 16)


def days(root: str, today: date = TODAY) -> list[date]:
    return [expiry.day for expiry in LISTING.expiries(today) if expiry.root == root]


def test_the_weekly_root_expires_daily_at_first() -> None:
    near = [day for day in days("SPXW") if (day - TODAY).days <= 45]
    assert near == [day for day in calendar().days if 0 <= (day - TODAY).days <= 45]


def test_later_on_fridays_and_then_monthly() -> None:
    later = [day.isoformat() for day in days("SPXW") if (day - TODAY).days > 45]
    assert later[:6] == ["2025-03-07", "2025-03-14", "2025-03-21", "2025-03-28", "2025-04-04", "2025-04-17"]
    assert later[-2:] == ["2026-01-30", "2026-02-20"]


def test_the_monthly_root_expires_on_third_fridays_at_the_open() -> None:
    assert [day.isoformat() for day in days("SPX")[:4]] == [
        "2025-01-17",
        "2025-02-21",
        "2025-03-21",
        "2025-04-17",
    ]
    expiry = LISTING.expiry("SPX", date(2025, 3, 21))
    assert expiry is not None
    assert (expiry.settles.isoformat(), expiry.until.isoformat()) == (
        "2025-03-21T13:30:00+00:00",
        "2025-03-20T20:15:00+00:00",
    )


def test_the_weekly_root_expires_at_the_stocks_close() -> None:
    usual, early = LISTING.expiry("SPXW", TODAY), LISTING.expiry("SPXW", date(2025, 7, 3))
    assert usual is not None and early is not None
    assert (usual.until.isoformat(), early.until.isoformat()) == (
        "2025-01-16T21:00:00+00:00",
        "2025-07-03T17:00:00+00:00",
    )


def test_a_third_friday_that_is_a_holiday_gives_way_to_thursday() -> None:
    """Good Friday 2025."""
    assert date(2025, 4, 17) in days("SPX") and date(2025, 4, 18) not in days("SPX")


def test_what_cannot_expire_has_no_times() -> None:
    assert LISTING.expiry("SPXW", date(2025, 1, 18)) is None
    assert LISTING.expiry("XSP", TODAY) is None


def test_strikes_are_closer_near_the_money_and_near_expiry() -> None:
    near, far = LISTING.strikes(6012.0, 7), LISTING.strikes(6012.0, 365)
    around = [strike for strike in near if 5950 <= strike <= 6050]
    assert around == list(range(5950, 6051, 5))
    assert {b - a for a, b in itertools.pairwise(far)} == {25, 50, 100}
    assert near == LISTING.strikes(5987.0, 7), "a listing stands still while the level moves a little"
    assert min(near) <= 6012 * 0.45 and max(near) >= 6012 * 1.35
