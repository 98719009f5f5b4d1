from mesoflow.safety.ledger import Ledger
from tests.unit.safety.making import closing, judged, order, refused


def test_entries_and_adjustments_wait_for_a_person_and_exits_do_not() -> None:
    ledger = Ledger()
    ledger.mark("PAPER-1", "far_put: 1 instead of 2", position_id=4711)
    assert refused(judged(order(), ledger=ledger)) == ["account_marked"]
    assert refused(judged(order(kind="adjustment"), ledger=ledger)) == ["account_marked"]
    assert judged(closing(), ledger=ledger).passed
    assert judged(order(account="PAPER-2"), ledger=ledger, accounts=["PAPER-2"]).passed
    ledger.clear("PAPER-1", 4711)
    assert judged(order(), ledger=ledger).passed
