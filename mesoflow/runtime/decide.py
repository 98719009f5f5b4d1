"""A person decides an unknown outcome after looking at the broker: `mesoflow settle`.

Two records in one commit: `decided`, who said what and why, and the `settled` that the run is fed at its next resume.
`--did-not-happen` settles it as refused, and nothing is ever sent again under it; `--happened` adopts what the person
names, once the hub has been asked whether that belongs to the intent's exec plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mesoflow.engine.effects import Done, Outcome, Refused, Value
from mesoflow.journal.records import Entry, Record
from mesoflow.journal.store import Journal
from mesoflow.runtime.bodies import Intent, read_intent, settled
from mesoflow.runtime.refusal import NOT_THERE, NOT_WANTED, Refusal
from mesoflow.runtime.standing import open_intents

# What the id of `--happened` is, by method. What is not here cannot be adopted by hand.
ADOPTED: Mapping[str, str] = {
    "SendOrder": "order",
    "ApplyPaperFills": "position",
    "CreateStrategy": "strategy",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: the outcome to settle with, and by whom, why, on what evidence."""

    outcome: Outcome
    by: str
    reason: str
    evidence: Mapping[str, Value]


def unknown_at(journal: Journal, run_id: str, path: str) -> tuple[Intent, Record]:
    """The unknown at `path`, with its record. Raises Refusal where there is none, with those that there are."""
    unknowns = {intent.path: intent for intent in open_intents(journal, run_id)}
    if path not in unknowns:
        raise Refusal(
            NOT_THERE,
            f"{run_id} has no unknown outcome at {path}",
            tuple(("unknown", f"{intent.path}  ({intent.method})") for intent in unknowns.values()),
            (f"mesoflow show {run_id}",),
        )
    records = [r for r in journal.read(run_id) if r.kind == "intended" and r.body["path"] == path]
    return read_intent(records[-1].body), records[-1]


def did_not_happen(intent: Intent, by: str, reason: str) -> Decision:
    """Settled as refused: a walk takes it as a price that filled nothing, other steps end in `rejected`."""
    summary = f"{by} says that it did not happen: {reason}"
    return Decision(Refused("rejected", summary, {"decided_by": by}), by, reason, {"happened": False})


def adopted(
    intent: Intent, record: Record, ids: Sequence[int], found: Mapping[str, Value], by: str, reason: str
) -> Decision:
    """Settled as done with what the person names. `found` is what the hub shows of it (see the command settle)."""
    kind = ADOPTED.get(intent.method)
    if kind is None:
        raise Refusal(
            NOT_WANTED,
            f"{intent.method} is not decided by hand",
            help=("mesoflow resume asks the hub; --did-not-happen settles it as refused",),
        )
    return Decision(
        Done(answer_of(intent.method, record, ids)),
        by,
        reason,
        {"happened": True, "ids": list(ids), "found": dict(found)},
    )


def answer_of(method: str, record: Record, ids: Sequence[int]) -> dict[str, Value]:
    """The answer that the hub would have given."""
    if method == "CreateStrategy":
        return {"strategy_id": ids[0]}
    if method == "SendOrder":
        return {"live_order_id": ids[0]}
    return {"exec_plan_id": plan_of(record), "position_id": ids[0], "live_order_ids": []}


def plan_of(record: Record) -> int | None:
    """The exec plan of an intended order."""
    order = record.body.get("order") or {}
    found = order.get("exec_plan_id")
    return int(found) if found is not None else None


def account_of(record: Record) -> str:
    """The account of an intended order, "" for what is none."""
    return str((record.body.get("order") or {}).get("account") or "")


def commit(
    journal: Journal,
    run_id: str,
    intent: Intent,
    decision: Decision,
    at: datetime,
    epoch: int,
    account: str = "",
) -> None:
    """Write it down; from now on the outcome is final. `account`: whose ledger an order moves."""
    happened = isinstance(decision.outcome, Done)
    journal.commit(
        [
            Entry(
                run_id,
                "decided",
                {
                    "path": intent.path,
                    "method": intent.method,
                    "happened": happened,
                    "by": decision.by,
                    "reason": decision.reason,
                    "evidence": dict(decision.evidence),
                    "at": at,
                },
            ),
            Entry(run_id, "settled", settled(intent.path, decision.outcome, intent.digest, at), account),
        ],
        epochs={run_id: epoch},
    )
