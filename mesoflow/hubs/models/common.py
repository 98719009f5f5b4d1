"""The envelope around every answer that is no stream, and the error inside it."""

from typing import Any

from mesoflow.hubs.models.base import Wire
from mesoflow.hubs.models.enums import AStatusCode


class MesoLiveApiError(Wire):
    """Why a call did not succeed."""

    code: str | None = None  # machine-readable
    detail: str | None = None
    provider: str | None = None  # the broker or connector at fault
    validation_errors: dict[str, list[str]] | None = None  # path of a field → what is wrong with it


class MesoLiveApiResponse(Wire):
    """`data` is the method's result, unread. Only Status is attested; the other names mirror the record's."""

    status: AStatusCode
    message: str | None = None
    data: Any = None
    error: MesoLiveApiError | None = None
