from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.trading.durations import Duration


@pytest.mark.parametrize(
    ("written", "seconds"), [("30s", 30), ("5m", 300), ("2h", 7200), ("0s", 0), ("90m", 5400)]
)
def test_a_duration_is_a_whole_number_and_its_unit(written: str, seconds: int) -> None:
    assert Duration.parse(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize("written", ["1d", "5", 5, "5 m", "-5m", "1.5h", "", "m", None, True, "5M"])
def test_everything_else_is_told_what_it_should_look_like(written: object) -> None:
    with pytest.raises(ValueError) as refused:
        Duration.parse(written)
    assert str(refused.value) == f"{written!r} is no duration; write 30s, 5m or 2h"


@given(st.integers(0, 10**6))
def test_the_text_of_a_duration_reads_back(seconds: int) -> None:
    assert Duration.parse(Duration.text(timedelta(seconds=seconds))) == timedelta(seconds=seconds)
