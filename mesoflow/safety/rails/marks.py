"""C21: after legs that differed from their fills, nothing opens risk on the account until a person has looked."""

from __future__ import annotations

from collections.abc import Iterator

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.rails.lines import holds
from mesoflow.safety.verdicts import RailLine


def marks(case: Case) -> Iterator[RailLine]:
    """Exits stay possible: they are what a person may need next."""
    if case.order.kind == "exit":
        yield RailLine(Code.ACCOUNT_MARKED, "skipped", {"kind": "exit"})
        return
    standing = case.ledger.marks(case.order.account)
    yield holds(
        Code.ACCOUNT_MARKED,
        not standing,
        lambda: {"account": case.order.account, "positions": [mark.position_id for mark in standing]},
    )
