from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from mesoflow.trading.orders import Contract
from mesoflow.trading.settlement import settles_at


def at(root: str, day: date, underlying: str = "SPX") -> datetime:
    return settles_at(Contract(underlying, root, "put", day, Decimal(5900)))


@pytest.mark.parametrize(
    ("root", "day", "instant"),
    [
        ("SPXW", date(2025, 1, 17), datetime(2025, 1, 17, 21, 0, tzinfo=UTC)),  # 16:00 in New York
        ("SPX", date(2025, 1, 17), datetime(2025, 1, 17, 14, 30, tzinfo=UTC)),  # the morning's, at the open
        ("SPXW", date(2025, 7, 3), datetime(2025, 7, 3, 17, 0, tzinfo=UTC)),  # an early close
        ("SPXW", date(2025, 6, 20), datetime(2025, 6, 20, 20, 0, tzinfo=UTC)),  # summer time
        ("SPXW", date(2025, 1, 18), datetime(2025, 1, 18, 21, 0, tzinfo=UTC)),  # no session
        ("SPXW", date(2199, 1, 18), datetime(2199, 1, 18, 21, 0, tzinfo=UTC)),  # beyond the calendar
        ("XYZ", date(2025, 1, 17), datetime(2025, 1, 17, 21, 0, tzinfo=UTC)),
    ],
)
def test_when_a_contract_settles(root: str, day: date, instant: datetime) -> None:
    assert at(root, day) == instant
