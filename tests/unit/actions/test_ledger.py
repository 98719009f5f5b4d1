"""What our journals know of positions."""

from decimal import Decimal

from mesoflow.actions.ledger import adjustments_of, is_ours, positions_of, remember, unknowns_of
from mesoflow.engine.action import Context
from tests.support.acting import NOW, context

D = Decimal


def test_what_is_traded_is_ours_with_its_legs_and_plans() -> None:
    ctx = context()
    assert (is_ours(ctx, 7), adjustments_of(ctx, 7), positions_of(ctx, "PAPER-1")) == (False, 0, {})
    remember(ctx, "PAPER-1", 7, 9001, {"short_put": D(-1)})
    remember(ctx, "PAPER-1", 7, 9002, {})
    remember(ctx, "IB-1", 8, 9003, {"call": D(1)})
    assert (is_ours(ctx, 7), adjustments_of(ctx, 7), adjustments_of(ctx, 8)) == (True, 1, 0)
    assert positions_of(ctx, "PAPER-1") == {7: {"account": "PAPER-1", "legs": {}, "plans": [9001, 9002]}}


def test_unknowns_are_the_homes() -> None:
    assert unknowns_of(context(ledger={"unknowns": [NOW]})) == [NOW]


def test_a_context_without_a_ledger_knows_nothing() -> None:
    bare = Context(run_id="r", playbook="p", session="cboe-index-options", now=NOW)
    remember(bare, "PAPER-1", 7, 9001, {})
    assert (unknowns_of(bare), positions_of(bare, "IB-1")) == ([], {})
