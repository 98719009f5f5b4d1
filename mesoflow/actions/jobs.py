"""Prepare jobs: started, watched until they end, stopped when they take too long or nobody wants them any more.

A job has no market effect; what it makes is an exec plan (plans.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from mesoflow.actions.base import Acting
from mesoflow.actions.hub import Refusals, call, shielded, watch, withdraw
from mesoflow.actions.unknown import Unknown
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import Cancelled, StepError
from mesoflow.hubs.models.enums import PreparationStatus
from mesoflow.hubs.models.prepares import JobStatus

_S = TypeVar("_S", bound=JobStatus)


@dataclass(frozen=True, slots=True)
class JobKind(Generic[_S]):
    """The methods of one kind of job."""

    start: str
    status: str
    cancel: str
    answer: type[_S]


def run_job(
    kind: JobKind[_S], args: Mapping[str, Value], until: datetime, what: str, refused: Refusals | None = None
) -> Acting[_S]:
    """Start a job and give its status when it has completed; `what` names it in errors."""
    started = yield from call("start", kind.start, args, refused=refused)
    return (yield from ended_job(kind, str(started["job_id"]), until, what))


def ended_job(kind: JobKind[_S], job_id: str, until: datetime, what: str) -> Acting[_S]:
    """The status of a job that runs, when it has completed."""
    try:
        status = yield from watch(
            "job", kind.status, {"job_id": job_id}, kind.answer, ready="job_terminal", until=until
        )
    except Cancelled:
        yield from shielded(_stop(kind, job_id))
        raise
    if status is None:
        yield from _stop(kind, job_id)
        raise StepError("prepare_too_slow", f"{what} took too long and was stopped", {"job_id": job_id})
    if status.status != PreparationStatus.COMPLETED:
        reason = status.error or f"the job is {str(status.status).lower()}"
        raise StepError(
            "prepare_failed", f"{what} failed: {reason}", {"job_id": job_id, "status": str(status.status)}
        )
    return status


def forecast_job(kind: JobKind[_S], args: Mapping[str, Value], until: str) -> Acting[None]:
    """What a job may ask for."""
    yield from call("start", kind.start, args)
    yield from withdraw("stop", kind.cancel, {"job_id": Unknown("string", until)})


def _stop(kind: JobKind[_S], job_id: str) -> Acting[None]:
    """Best effort, as at the hub: a job that has just ended refuses, and has no effect on the market either way."""
    with suppress(StepError):
        yield from withdraw("stop", kind.cancel, {"job_id": job_id})
