"""Where a dial makes a guess of the client wrong: what the hub says instead. Each dial has the guess's own name.

What is documented stays: Success, DuplicateRequest and Conflict keep their names whatever the dials say.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mesoflow.hubs.models.base import Wire
from mesoflow.hubs.models.enums import StatusCode
from mesoflow.simulator.faults import Faults

# `status_codes`: names that no client of ours knows.
OTHER_STATUSES: Mapping[str, str] = MappingProxyType(
    {StatusCode.BAD_REQUEST: "InvalidArguments", StatusCode.NOT_FOUND: "Missing"}
)
# `job_gone`
GONE = "Gone"


def status_of(method: str, status: StatusCode, faults: Faults) -> StatusCode | str:
    """What a refusal is called."""
    if faults.job_gone and status == StatusCode.NOT_FOUND and method.startswith("GetPreparePosition"):
        return GONE
    return OTHER_STATUSES.get(status, status) if faults.status_codes else status


def data_of(method: str, answer: Wire, faults: Faults) -> Any:  # noqa: ANN401 - a model, or one in a wrapper
    """What an answer holds."""
    if method == "GetIdempotencyRecord" and faults.record_wrapper is not None:
        return {faults.record_wrapper: answer}
    return answer


def kind_of(kind: str, faults: Faults) -> str:
    """What the history calls an event's kind."""
    return f"Live{kind}" if faults.event_kinds else kind


def first_of(number: int, faults: Faults) -> int:
    """After which number a replay begins that was asked from `number`."""
    return number - 1 if faults.events_since else number
