import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.simulator.world.errors import Refused
from mesoflow.simulator.world.paging import page

ROWS = [(id, f"row {id}") for id in range(3, 60, 2)]


def find(after: int, limit: int) -> list[tuple[int, str]]:
    return [row for row in ROWS if row[0] > after][:limit]


@given(st.integers(1, 60))
def test_pages_are_the_whole_in_order(size: int) -> None:
    token, found, pages = None, [], 0
    while pages == 0 or token is not None:
        rows, token = page(find, ("rows",), size, token)
        found, pages = found + rows, pages + 1
    assert found == ROWS
    assert pages == -(-len(ROWS) // size)


def test_a_token_is_of_one_question() -> None:
    _, token = page(find, ("rows", "of", 1), 5, None)
    for question, given_token in (
        (("rows", "of", 2), token),
        (("rows", "of", 1), "x"),
        (("rows",), "é"),
        (("r",), ""),
    ):
        with pytest.raises(Refused, match="the continuation token is not of this question"):
            page(find, question, 5, given_token)


@pytest.mark.parametrize("size", [0, -1, 501])
def test_a_page_has_a_size(size: int) -> None:
    with pytest.raises(Refused, match="not 1 to 500"):
        page(find, ("rows",), size, None)
