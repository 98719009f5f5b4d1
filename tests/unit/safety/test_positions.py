from datetime import timedelta
from decimal import Decimal as D

from mesoflow.safety.positions import Positions
from mesoflow.trading.settlement import settles_at
from tests.unit.safety.making import CALENDAR, NOW, closing, opened, order

HELD = {"4711": {"account": "PAPER-1", "legs": {"near_put": D(-2), "far_put": D(2)}}}
LATER = NOW + timedelta(minutes=1)


def known() -> Positions:
    positions = Positions()
    positions.know(HELD)
    return positions


def test_what_the_hub_shows_is_what_we_believe() -> None:
    assert known().differences("PAPER-1", opened(CALENDAR), NOW) == []
    assert known().differences("PAPER-2", (), NOW) == []


def test_a_leg_that_is_gone_or_was_never_ours_is_named() -> None:
    assert known().differences("PAPER-1", opened(CALENDAR[:1]), NOW) == [
        "leg far_put of position 4711 holds 0, not 2"
    ]
    beside = (*opened(CALENDAR), *opened((("wing", *CALENDAR[0][1:]),)))
    assert known().differences("PAPER-1", beside, NOW) == ["leg wing of position 4711 holds -2, not 0"]


def test_positions_that_are_not_ours_are_nobodys_difference() -> None:
    assert known().differences("PAPER-1", (*opened(CALENDAR), *opened(position_id=9)), NOW) == []


def test_what_trades_moves_what_is_believed_once_the_hub_must_show_it() -> None:
    positions = known()
    positions.traded(4711, closing(), D(2), NOW)
    assert positions.differences("PAPER-1", opened(CALENDAR), NOW + timedelta(seconds=30)) == []
    assert positions.differences("PAPER-1", opened(CALENDAR), LATER) == [
        "leg far_put of position 4711 holds 2, not 1",
        "leg near_put of position 4711 holds -2, not -1",
    ]


def test_an_entry_is_known_by_the_position_that_it_made() -> None:
    positions = Positions()
    positions.traded(4711, order(), D(4), NOW)
    assert positions.differences("PAPER-1", opened(CALENDAR), LATER) == []
    assert positions.differences("PAPER-1", (), LATER) != []


def test_what_is_not_wholly_known_is_left_out() -> None:
    positions = Positions()
    positions.traded(4711, closing(), D(4), NOW)
    positions.traded(None, order(), D(4), NOW)
    assert positions.differences("PAPER-1", opened(CALENDAR), LATER) == []


def test_the_newest_agreement_counts() -> None:
    positions = Positions()
    assert positions.agreed_at("PAPER-1") is None
    positions.agreed("PAPER-1", LATER)
    positions.agreed("PAPER-1", NOW)
    assert positions.agreed_at("PAPER-1") == LATER


def test_what_fills_of_an_entry_at_a_broker_goes_to_the_position_of_its_plan() -> None:
    positions = Positions()
    legs = {"near_put": D(-1), "far_put": D(1)}
    positions.know({"4711": {"account": "PAPER-1", "legs": legs, "plans": [7001]}})
    positions.traded(None, order(), D(2), NOW)
    assert positions.differences("PAPER-1", opened(CALENDAR), LATER) == []


def test_what_filled_before_its_position_had_a_name_counts_once_it_has_one() -> None:
    """An entry of two orders: the first fill makes the position, the second is sent as one of it."""
    first, second = order(legs=CALENDAR[:1]), order(legs=CALENDAR[1:])
    positions = Positions()
    positions.traded(None, first, D(2), NOW)
    positions.traded(4711, second, D(2), NOW)
    assert positions.differences("PAPER-1", opened(CALENDAR), LATER) == []
    assert positions.differences("PAPER-1", opened(CALENDAR[1:]), LATER) == [
        "leg near_put of position 4711 holds 0, not -2"
    ]


def test_what_has_settled_is_held_by_nobody() -> None:
    positions = Positions()
    positions.traded(4711, order(), D(4), NOW)
    settled = max(settles_at(contract) for _, contract, *_ in CALENDAR)
    assert positions.differences("PAPER-1", (), settled - timedelta(seconds=1)) != []
    assert positions.differences("PAPER-1", (), settled) == []
