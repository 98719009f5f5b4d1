"""Idempotency records: what became of a keyed call."""

from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from mesoflow.hubs.models.base import Args, Instant, Wire, folded
from mesoflow.hubs.models.common import MesoLiveApiError
from mesoflow.hubs.models.enums import AnOperation, APreparationStatus, ARecordStatus, AStatusCode


class GetIdempotencyRecordArgs(Args):
    """Of which key."""

    idempotency_key: str


class IdempotencyRecord(Wire):
    """The record of one key. The Response* fields are those of the first call; JobX those of a job it started."""

    idempotency_key: str
    operation: AnOperation
    status: ARecordStatus
    created_at: Instant
    updated_at: Instant
    request_hash: str | None = None
    live_exec_plan_id: int | None = None
    live_order_ids: list[int] | None = None  # orders made or touched
    error_message: str | None = None
    job_id: str | None = None
    job_status: APreparationStatus | None = None
    job_result: Any = None
    job_error_message: str | None = None
    response_status: AStatusCode | None = None
    response_message: str | None = None
    response_error: MesoLiveApiError | None = None
    response_data: str | None = None  # the first answer's data as text


class GetIdempotencyRecordResult(IdempotencyRecord):
    """Whether the answer is the record or wraps it under `Record` is not documented: both are read, the record is given."""

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, data: Any) -> Any:  # noqa: ANN401 - whatever came over the wire
        if isinstance(data, Mapping) and len(data) == 1:
            (key, inner), *_ = data.items()
            if folded(str(key)) in {"record", "idempotencyrecord"} and isinstance(inner, Mapping):
                return inner
        return data
