"""Idempotency records: what became of each keyed call, for as long as the retention lasts.

Same key and same call: DuplicateRequest with the record. Another call under the key, or the first one still Processing:
Conflict. Dials (faults.py) keep a record Processing for a while after its call, or make it vanish.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec

from mesoflow.hubs.models.base import Args, Wire
from mesoflow.hubs.models.enums import IdempotencyRecordStatus, StatusCode
from mesoflow.hubs.models.idempotency import IdempotencyRecord
from mesoflow.simulator.faults import Faults
from mesoflow.simulator.world.errors import Refused, bad, missing
from mesoflow.simulator.world.store import Store, moment_of, packed, unpacked, written

# A key longer than this is no key; the hub's own bound is unknown.
KEY_LENGTH_MAX = 256


def request_hash(args: Args) -> str:
    """Of the whole call, key included, whatever encoding it came in."""
    return blake2b(msgspec.json.encode(args.wire(), order="sorted"), digest_size=16).hexdigest()


class Records:
    """The idempotency store. `jobs` fills in what became of a job that a call started."""

    def __init__(self, store: Store, faults: Faults, jobs: Callable[[str], Mapping[str, Any]]) -> None:
        self._store, self._faults, self._jobs = store, faults, jobs

    def admit(self, operation: str, key: str, args: Args, now: datetime) -> None:
        """Raises Refused when the key has been used, and when it is none."""
        if not key.strip() or len(key) > KEY_LENGTH_MAX:
            raise bad("IdempotencyKey", f"an idempotency key is 1 to {KEY_LENGTH_MAX} characters")
        record = self.find(key, now)
        if record is None:
            return
        if record.operation != operation or record.request_hash != request_hash(args):
            raise Refused(
                StatusCode.CONFLICT, "KeyUsed", f"the key was used for another call, a {record.operation}"
            )
        if record.status == IdempotencyRecordStatus.PROCESSING:
            raise Refused(StatusCode.CONFLICT, "Processing", "the first call with this key is still running")
        raise Refused(
            StatusCode.DUPLICATE_REQUEST, "DuplicateRequest", "this call was made before", data=record
        )

    def add(
        self, operation: str, key: str, args: Args, now: datetime, answer: Wire, **fields: object
    ) -> None:
        """Write what a call came to; only inside its change."""
        record = IdempotencyRecord.model_validate(
            {
                "idempotency_key": key,
                "operation": operation,
                "status": IdempotencyRecordStatus.COMPLETED,
                "created_at": now,
                "updated_at": now,
                "request_hash": request_hash(args),
                "response_status": StatusCode.SUCCESS,
                "response_data": packed(answer.wire()),
                **fields,
            },
            context="write",
        )
        settles = now + (self._faults.processing_of(operation) or timedelta(0))
        self._store.run(
            "INSERT OR REPLACE INTO records (key, doc, created, settles) VALUES (?, ?, ?, ?)",
            (key, packed(record.wire()), written(now), written(settles)),
        )

    def read(self, key: str, now: datetime) -> IdempotencyRecord:
        record = self.find(key, now)
        if record is None:
            raise missing("record of the key", key)
        return record

    def find(self, key: str, now: datetime) -> IdempotencyRecord | None:
        """As it reads at a time; None where there never was one, and where it is gone."""
        row = self._store.row("SELECT doc, created, settles FROM records WHERE key = ?", (key,))
        if row is None:
            return None
        record = IdempotencyRecord.read(unpacked(row[0]))
        if moment_of(row[1]) + self._faults.record_retention <= now or self._faults.gone(
            str(record.operation)
        ):
            return None
        if now < moment_of(row[2]):
            unsettled = ("response_status", "response_data", "live_exec_plan_id", "live_order_ids", "job_id")
            return record.model_copy(
                update={"status": IdempotencyRecordStatus.PROCESSING, **dict.fromkeys(unsettled)}
            )
        if record.job_id is not None:
            return record.model_copy(update=dict(self._jobs(record.job_id)))
        return record
