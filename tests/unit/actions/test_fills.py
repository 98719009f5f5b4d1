"""What a booking leaves open: before and fills, leg by leg."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mesoflow.actions.fills import Traded

HELD = st.dictionaries(st.sampled_from("abcd"), st.integers(-5, 5).map(Decimal))


def traded(before: dict[str, Decimal], *fills: dict[str, Decimal]) -> Traded:
    """Fills of one exec plan each."""
    return Traded(dict(enumerate(fills)), {}, before, ())


def test_an_exit_leaves_nothing() -> None:
    held = {"short": Decimal(-2), "long": Decimal(2)}
    assert traded(held, {"short": Decimal(2), "long": Decimal(-2)}).after == {}


@given(HELD, HELD, HELD)
def test_after_is_before_and_what_filled_under_every_plan(
    before: dict[str, Decimal], fills: dict[str, Decimal], more: dict[str, Decimal]
) -> None:
    after = traded(before, fills, more).after
    for name in "abcd":
        assert after.get(name, Decimal(0)) == sum(
            (part.get(name, Decimal(0)) for part in (before, fills, more)), Decimal(0)
        )
    assert all(after.values())
