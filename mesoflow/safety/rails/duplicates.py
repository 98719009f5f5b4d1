"""C09: the same order twice. Rungs of one walk are exempt (I1 and I3 rule them), and so is a try of one step's `retry` once
the try before is over; an order that is not over is alive or unknown, whoever sent it.

Another run's working exit on the same legs has to be withdrawn and confirmed first: the line says which one.
"""

from __future__ import annotations

from collections.abc import Iterator

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.rails.lines import held, line
from mesoflow.safety.sent import Sent
from mesoflow.safety.verdicts import RailLine


def duplicates(case: Case) -> Iterator[RailLine]:
    """A line for each order that this would double."""
    found = list(case.ledger.duplicates(case.order, case.environment.run_id, case.now, case.sent))
    for sent in found:
        yield line(Code.DUPLICATE_ORDER if sent.is_open else Code.DUPLICATE_ENTRY, False, _numbers(sent))
    if not found:
        yield held(Code.DUPLICATE_ORDER)


def _numbers(sent: Sent) -> dict[str, object]:
    numbers: dict[str, object] = {"run": sent.run_id, "path": sent.path, "sent_at": sent.at}
    if sent.is_open:
        numbers["state"] = sent.state
    if sent.live_order_id is not None:
        numbers["order"] = sent.live_order_id
    return numbers
