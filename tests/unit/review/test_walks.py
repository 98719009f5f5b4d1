"""Ladders folded from the effects of a run: live and afterwards the same."""

from decimal import Decimal as D

from mesoflow.engine.effects import Done, Note, Refused, Watch, Withdraw
from mesoflow.review.walks import Ladders
from tests.support.stories import T0, rung_of

WALK = "sell/group-1"


class Told:
    """Each line is an event of a walk."""

    def __init__(self):
        self.ladders = Ladders()

    def froze(self, mid):
        self.ladders.asked("sell/ladders", Note("ladders", {"1": {"mid": mid}}), T0)
        return self

    def sent(self, rung, limit, order_id, packages=3):
        path, effect = rung_of(rung, limit, packages, target=3)
        self.ladders.asked(path, effect, T0)
        self.ladders.settled(path, None, Done({"live_order_id": order_id}))
        return self

    def refused(self, rung, limit):
        path, effect = rung_of(rung, limit, 3, target=3)
        self.ladders.asked(path, effect, T0)
        self.ladders.settled(path, None, Refused("rail_refused", "no"))
        return self

    def cancelling(self, order_id):
        self.ladders.asked("x/cancel", Withdraw("cancel", "CancelOrder", {"live_order_id": order_id}), T0)
        return self

    def seen(self, order_id, state, filled, average=None):
        value = {
            "order": {"order_id": order_id, "state": state, "cum_qty": D(-filled), "avg_fill_price": average}
        }
        self.ladders.settled("x/watch", Watch("watch", "GetOrder", {}, "always", T0), Done(value))
        return self

    @property
    def ladder(self):
        return self.ladders.by_walk[WALK]

    @property
    def rungs(self):
        return [(rung.name, rung.state, rung.filled) for rung in self.ladder.rungs]


def test_a_walk_is_told_rung_by_rung():
    told = Told().froze(D("-1.45"))
    told.sent(1, D("-1.45"), 11).seen(11, "Submitted", 0)
    assert (told.rungs, told.ladder.over) == ([("rung-1", "working", 0)], False)
    told.seen(11, "PartiallyFilled", 1, D("1.45")).cancelling(11)
    assert told.rungs == [("rung-1", "cancelling", 1)]
    told.seen(11, "Cancelled", 1, D("1.45")).sent(2, D("-1.40"), 12, packages=2).seen(
        12, "Filled", 2, D("1.42")
    )
    assert told.rungs == [("rung-1", "cancelled", 1), ("rung-2", "filled", 2)]
    assert (told.ladder.filled, told.ladder.target, told.ladder.over) == (3, 3, True)


def test_what_was_conceded_is_the_average_of_all_fills_against_the_frozen_mid():
    told = Told().froze(D("-1.45")).sent(1, D("-1.45"), 11).seen(11, "Cancelled", 1, D("1.45"))
    told.sent(2, D("-1.40"), 12, packages=2).seen(12, "Filled", 2, D("1.39"))
    assert told.ladder.conceded == D("0.04")


def test_nothing_filled_conceded_nothing():
    assert Told().sent(1, D("-1.45"), 11).ladder.conceded is None


def test_a_fill_never_goes_back():
    told = Told().sent(1, D("-1.45"), 11).seen(11, "PartiallyFilled", 2).seen(11, "PartiallyFilled", 1)
    assert told.rungs == [("rung-1", "working", 2)]


def test_a_rung_that_a_rail_refused_is_over():
    told = Told().refused(1, D("-1.45"))
    assert (told.rungs, told.ladder.over) == ([("rung-1", "refused", 0)], True)


def test_a_price_that_is_refused_again_and_again_is_told_once():
    told = Told().refused(1, D("-1.45")).refused("1~2", D("-1.45")).refused("1~3", D("-1.45"))
    told.refused(2, D("-1.40")).sent("2~2", D("-1.40"), 11)
    assert [(rung.name, times) for rung, times in told.ladder.told] == [
        ("rung-1", 3),
        ("rung-2", 1),
        ("rung-2~2", 1),
    ]
    assert str(told.ladder.rungs[0]).endswith("refused (rail_refused)")


def test_orders_of_somebody_else_are_no_rungs():
    told = Told().sent(1, D("-1.45"), 11).seen(99, "Filled", 3)
    assert told.rungs == [("rung-1", "working", 0)]


def test_a_rung_as_people_read_it():
    told = Told().sent("2~2", D("-1.40"), 11)
    assert str(told.ladder.rungs[0]) == (
        "rung-2~2   1.40 credit  (near 1.65, mid 1.45, natural 1.25)  working, 0 of 3 filled"
    )
