"""The safest order of leg groups: longs first when opening, shorts first when closing, ties by id."""

from datetime import date
from decimal import Decimal
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from mesoflow.trading.orders import Contract
from mesoflow.trading.payoff import Holding
from mesoflow.trading.sequences import Piece, Worst, greatest, safest

D = Decimal
MARK = D(6000)


def leg(quantity: int, strike: int, option_type: str = "put", *, month: int = 2) -> Holding:
    kind = "put" if option_type == "put" else "call"
    return Holding(Contract("SPX", "SPXW", kind, date(2025, month, 14), D(strike)), D(quantity))


def piece(id: int, cash: int, *legs: Holding) -> Piece:
    return Piece(id, legs, D(cash))


SHORT_PUT, LONG_PUT = leg(-1, 5900), leg(1, 5850)


def test_opening_buys_the_long_first() -> None:
    pieces = [piece(1, 1000, SHORT_PUT), piece(2, -700, LONG_PUT)]
    assert safest(pieces, [], MARK) == (2, 1)


def test_closing_buys_the_short_back_first() -> None:
    held = [SHORT_PUT, LONG_PUT]
    pieces = [piece(1, 700, leg(-1, 5850)), piece(2, -1000, leg(1, 5900))]
    assert safest(pieces, held, MARK) == (2, 1)


def test_a_naked_call_counts_as_worse_than_anything_bounded() -> None:
    pieces = [piece(1, 5000, leg(-1, 6100, "call")), piece(2, -5000, leg(1, 6150, "call"))]
    assert safest(pieces, [], MARK) == (2, 1)
    assert greatest(pieces, [], MARK) > greatest(list(reversed(pieces)), [], MARK)


def test_where_the_whole_is_the_worst_there_is_the_order_goes_by_id() -> None:
    strangle = [piece(2, 900, leg(-1, 6300, "call")), piece(1, 900, leg(-1, 5700))]
    assert safest(strangle, [], MARK) == (1, 2)


def test_without_a_worst_loss_it_is_the_loss_within_a_move() -> None:
    calls = [piece(1, 0, leg(-1, 6100, "call"))]
    assert greatest(calls, [], MARK) == Worst(unbounded=True, loss=D(110_000))


def test_nothing_and_one_piece() -> None:
    assert safest([], [], MARK) == ()
    assert safest([piece(4, 0, SHORT_PUT)], [], MARK) == (4,)


LEGS = st.builds(
    leg,
    st.integers(-2, 2).filter(bool),
    st.sampled_from([5800, 5900, 6000, 6100, 6200]),
    st.sampled_from(["put", "call"]),
    month=st.sampled_from([2, 3]),
)
PIECES = st.lists(st.lists(LEGS, min_size=1, max_size=2), min_size=1, max_size=4).map(
    lambda groups: [Piece(n, tuple(legs), D(100 * n)) for n, legs in enumerate(groups, 1)]
)


@settings(max_examples=60, deadline=None)
@given(PIECES, st.lists(LEGS, max_size=2))
def test_no_other_order_is_safer(pieces: list[Piece], held: list[Holding]) -> None:
    by_id = {piece.id: piece for piece in pieces}
    chosen = safest(list(reversed(pieces)), held, MARK)
    assert sorted(chosen) == sorted(by_id)
    best = greatest([by_id[id] for id in chosen], held, MARK)
    worsts = {order: greatest([by_id[id] for id in order], held, MARK) for order in permutations(by_id)}
    assert all(best <= other for other in worsts.values())
    assert chosen == min(order for order, worst in worsts.items() if worst == best)


def test_more_groups_than_can_be_compared_go_one_safe_step_at_a_time() -> None:
    shorts = [piece(n, 100, leg(-1, 5000 + n)) for n in range(1, 9)]
    assert safest([*shorts, piece(9, -100, leg(9, 6000))], [], MARK)[0] == 9
