"""From a decoded answer to its result model, or to the way in which the call ended instead."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from mesoflow.hubs.contract import Method
from mesoflow.hubs.errors import CallRefused, OutcomeUnknown
from mesoflow.hubs.inferred import status_proves_refusal
from mesoflow.hubs.models.base import Wire
from mesoflow.hubs.models.common import MesoLiveApiError, MesoLiveApiResponse
from mesoflow.hubs.models.enums import StatusCode


def read_answer(method: Method, answer: object) -> Wire:
    """The result of a call, read out of its envelope.

    A status other than Success is a refusal where its meaning proves that nothing happened; else the outcome is unknown,
    and so is an answer that cannot be read. Raises CallRefused, OutcomeUnknown.
    """
    envelope = _envelope(method, answer)
    if envelope.status != StatusCode.SUCCESS:
        raise _refusal(method, envelope)
    # A void result comes as null; a model whose fields are all optional reads it, any other says what is missing.
    data = {} if envelope.data is None else envelope.data
    try:
        return method.result_model.read(data)
    except ValidationError as error:
        raise OutcomeUnknown(
            method.name, f"an unreadable result: {_first(error)}", unreadable=True
        ) from error


def read_item(method: Method, item: object) -> Wire:
    """One item of a stream; it has no envelope."""
    try:
        return method.result_model.read(item)
    except ValidationError as error:
        raise OutcomeUnknown(method.name, f"an unreadable item: {_first(error)}") from error


def _envelope(method: Method, answer: object) -> MesoLiveApiResponse:
    if not isinstance(answer, Mapping):
        raise OutcomeUnknown(method.name, "an answer without an envelope", unreadable=True)
    try:
        return MesoLiveApiResponse.read(answer)
    except ValidationError as error:
        raise OutcomeUnknown(
            method.name, f"an unreadable envelope: {_first(error)}", unreadable=True
        ) from error


def _refusal(method: Method, envelope: MesoLiveApiResponse) -> CallRefused | OutcomeUnknown:
    status, error = str(envelope.status), envelope.error or MesoLiveApiError()
    message = envelope.message or error.detail or ""
    if not status_proves_refusal(method.klass, status):
        return OutcomeUnknown(
            method.name, f"the hub answered {status}: {message}".rstrip(": "), status=status
        )
    return CallRefused(
        method.name,
        status,
        message,
        code=error.code,
        provider=error.provider,
        fields=error.validation_errors or {},
    )


def _first(error: ValidationError) -> str:
    """The first complaint, with its place and without the value (it may be a person's)."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the whole"
    return f"{place}: {first['msg']}"
