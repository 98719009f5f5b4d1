"""What the hub may not show yet: lesson bytex #30, a node that trades as if flat."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from mesoflow.safety.sent import VISIBLE_WITHIN, Sent, side_of
from tests.unit.safety.making import CALENDAR, CONDOR, NOW, RUN, closing, facts, opened, order

SECOND = timedelta(seconds=1)


def settled(traded: int, held: tuple[object, ...] = ()) -> Sent:
    """A calendar twice, of which so many contracts have filled; `held` was open before."""
    made = order(facts=facts(open_legs=held))
    return Sent(RUN, "buy/fill", made, made.contracts, NOW, traded=D(traded), settled_at=NOW)


def shown(packages: int) -> tuple[object, ...]:
    legs = [
        (name, what, (1 if quantity > 0 else -1) * packages, quoted)
        for name, what, quantity, quoted in CALENDAR
    ]
    return opened([leg for leg in legs if leg[2]])


@given(st.integers(0, 2), st.integers(0, 2), st.integers(0, 4))
def test_it_is_shown_when_every_leg_has_moved_by_what_filled(before: int, filled: int, there: int) -> None:
    sent = settled(2 * filled, shown(before))
    seen = sent.shown_by(facts(as_of=NOW + SECOND, open_legs=shown(there)))
    assert seen == (there - before >= filled and there > before)


def test_facts_of_before_show_nothing_and_late_ones_must_show_it() -> None:
    sent = settled(4)
    assert not sent.shown_by(facts(as_of=NOW, open_legs=shown(2)))
    assert not sent.shown_by(facts(as_of=None, open_legs=shown(2)))
    assert sent.shown_by(facts(as_of=NOW + VISIBLE_WITHIN + SECOND))
    assert not replace(sent, settled_at=None).shown_by(facts(as_of=NOW + VISIBLE_WITHIN + SECOND))


def test_where_the_facts_before_are_not_kept_a_leg_that_is_there_will_do() -> None:
    made = order(facts=facts(as_of=None))
    read_back = Sent(RUN, "buy/fill", made, made.contracts, NOW, traded=D(4), settled_at=NOW)
    assert read_back.shown_by(facts(as_of=NOW + SECOND, open_legs=shown(1)))
    assert not read_back.shown_by(facts(as_of=NOW + SECOND, open_legs=shown(0)))


def test_packages_in_contracts_and_limits_in_money() -> None:
    sent = settled(4)
    assert [sent.filled(D(packages)) for packages in (0, 1, 2)] == [D(0), D(2), D(4)]
    assert sent.value == D("42.65") * 2 * 100


def test_a_side_is_contracts_and_which_way() -> None:
    assert side_of(order()) == side_of(order(limit="41.00")) == settled(4).side
    assert side_of(order()) != side_of(closing())
    assert side_of(order()) != side_of(order(CONDOR))
