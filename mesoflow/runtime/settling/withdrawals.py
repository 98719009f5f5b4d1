"""CancelOrder: the order itself says what came of it."""

from __future__ import annotations

from mesoflow.actions.ready import ORDER_ENDS
from mesoflow.engine.effects import Done, Refused, Value, Withdraw
from mesoflow.runtime.settling.case import FINISHED, PROCESSING, Case, evidence, settled_record
from mesoflow.runtime.settling.verdicts import Resend, Settle, Verdict


async def cancel_order(case: Case) -> Verdict:
    """Done by the record; else the order itself says: over is done, alive is asked again, same bytes, same key, any age."""
    assert isinstance(case.effect, Withdraw)
    record = await case.record()
    if (
        record is not None
        and record["status"] == FINISHED
        and record.get("response_status") in (None, "Success")
    ):
        return Settle(Done({"live_order_id": case.effect.args["live_order_id"]}), evidence(record))
    order = (await case.read("GetOrder", case.effect.args))["order"]
    said: dict[str, Value] = {
        "order": order["order_id"],
        "state": order["state"],
        "cum_qty": order["cum_qty"],
    }
    if str(order["state"]) in ORDER_ENDS:
        return Settle(Done({"live_order_id": order["order_id"]}), said)
    if record is not None and record["status"] == PROCESSING:
        record = await settled_record(case)
    if record is not None and record["status"] != PROCESSING:
        # Read the order: it is alive. A record that has ended answers a repeat with itself; the watch will tell.
        return Settle(
            Refused(
                "hub_refused",
                "the hub's record of the cancel has ended, and the order is alive",
                evidence(record),
            ),
            said,
        )
    return Resend({**said, "why": "the order is alive; a cancel may be asked for at any age"})
