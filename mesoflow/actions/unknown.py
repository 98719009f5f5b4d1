"""What a forecast returns: an action's output model with unknowns in place of what only the run will know.

The notion itself is expressions/unknown.py, which computes with it; here it is built from output models, so that the
preview knows each unknown's type and refuses an output that there will never be.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from mesoflow.actions.kinds import field_word, word_of
from mesoflow.engine.effects import Value
from mesoflow.expressions.unknown import Unknown


def unknown_outputs(
    model: type[BaseModel] | None, until: str, known: Mapping[str, Value] | None = None
) -> dict[str, Value]:
    """The outputs of `model` as a preview has them: `known` where given, else unknown until `until`."""
    if model is None:
        return {}
    return {
        name: _of_field(field.annotation, field_word(field), until)
        for name, field in model.model_fields.items()
    } | {**(known or {})}


def _of_field(annotation: Any, word: str, until: str) -> Unknown:  # noqa: ANN401 - annotations have no common type
    inner = _model_in(annotation)
    if inner is None:
        return Unknown(word, until)
    return Unknown(word, until, unknown_outputs(inner, until))


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401
    """The model that a field is, through `| None` and Annotated; lists and maps of models have keys of their own."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (list, dict, typing.Literal):
        return None
    found = [_model_in(part) for part in typing.get_args(annotation)]
    return next((model for model in found if model is not None), None)


def until_of(step: str) -> str:
    """How a preview says when: after the step whose path this is."""
    return f'step "{step}"'


def is_known(value: object) -> bool:
    """Whether a preview may compute with a value; what holds an unknown anywhere inside is unknown."""
    match value:
        case Unknown():
            return False
        case Mapping():
            return all(is_known(item) for item in value.values())
        case list() | tuple():
            return all(is_known(item) for item in value)
        case _:
            return True


def after(now: datetime, length: object) -> datetime:
    """`now` and a length of time later; a preview that does not know the length shows `now`."""
    return now + length if isinstance(length, timedelta) else now


__all__ = ["Unknown", "after", "is_known", "unknown_outputs", "until_of", "word_of"]
