"""Prepare jobs, which have no market effect, and what may simply be asked for again."""

from __future__ import annotations

from mesoflow.engine.effects import Call, Done
from mesoflow.runtime.settling.case import FAILED, Case, evidence, settled_record
from mesoflow.runtime.settling.verdicts import Human, Renew, Resend, Settle, Verdict


async def prepare(case: Case) -> Verdict:
    """A prepare job has no market effect: its record names the job; a dead one is begun anew."""
    record = await settled_record(case)
    if record is None:
        return Resend({"why": "no record; a prepare job has no market effect"})
    said = evidence(record)
    if record.get("job_id"):
        return Settle(Done({"job_id": record["job_id"]}), said)
    return Renew(said) if record["status"] == FAILED else Human("the record names no job", said)


async def adjustment(case: Case) -> Verdict:
    """As any prepare job; but new variables are applied by the hub itself, so those are read back and compared first."""
    assert isinstance(case.effect, Call)
    args = case.effect.args
    if args.get("operation") != "UpdateVars":
        return await prepare(case)
    record = await settled_record(case)
    if record is not None and record.get("job_id"):
        return Settle(Done({"job_id": record["job_id"]}), evidence(record))
    await case.late_arrivals()
    now = (await case.read("GetPosition", {"position_id": args["position_id"]})).get("vars") or {}
    before, names = case.effect.hints["vars_before"], case.effect.hints["vars_names"]
    changed = sorted(name for name in (names or {*before, *now}) if now.get(name) != before.get(name))
    if changed:
        return Settle(Done({"job_id": None}), {"read_back": "applied", "changed": changed})
    if record is None:
        return Resend({"why": "no record, and the variables are what they were"})
    said = evidence(record)
    return Renew(said) if record["status"] == FAILED else Human("the record names no job", said)


async def repeat(case: Case) -> Verdict:
    """Asking twice changes nothing."""
    return Resend({"why": f"{case.intent.method} may be repeated"})
