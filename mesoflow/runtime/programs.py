"""A Program as a Value, and back: what the journal's first record holds is what `resume` runs.

The form follows the dataclasses of engine/program.py field by field, so the round trip is exact; a field that a stored
program lacks takes its default, one that this version does not know is refused: never guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from mesoflow.engine.effects import Value
from mesoflow.engine.program import Clause, ForEach, Program, Retry, Step
from mesoflow.journal.codec import digest

DIGEST_SHOWN = 8  # hex digits: enough for people to tell two programs apart


def program_value(program: Program) -> dict[str, Value]:
    """The program as the journal carries it."""
    value = _plain(program)
    assert isinstance(value, dict)
    return value


def program_digest(program: Program) -> str:
    """What a run pins (C24)."""
    return digest(program_value(program))


def read_program(value: Mapping[str, Value]) -> Program:
    """The program in a first record. Raises ValueError for one that another version wrote."""
    known = _known(Program, value)
    return Program(**known | _sequences(known, steps=_steps, rescue=_clauses, always=_steps))


def _plain(value: Any) -> Value:  # noqa: ANN401 - a Value, or a dataclass of ours
    if isinstance(value, Program | Step | Clause | ForEach | Retry):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _known(kind: Any, value: Mapping[str, Value]) -> dict[str, Any]:  # noqa: ANN401 - a dataclass
    names = {field.name for field in fields(kind)}
    strangers = sorted(set(value) - names)
    if strangers:
        raise ValueError(f"the stored program has {', '.join(strangers)}, which this version does not know")
    return dict(value)


def _sequences(known: Mapping[str, Any], **readers: Any) -> dict[str, Any]:  # noqa: ANN401
    return {name: read(known[name]) for name, read in readers.items() if name in known}


def _steps(values: Sequence[Mapping[str, Value]]) -> tuple[Step, ...]:
    return tuple(_step(value) for value in values)


def _step(value: Mapping[str, Value]) -> Step:
    known = _known(Step, value)
    known |= _sequences(known, steps=_steps, rescue=_clauses)
    if known.get("for_each") is not None:
        known["for_each"] = ForEach(**_known(ForEach, known["for_each"]))
    if known.get("retry") is not None:
        retry = _known(Retry, known["retry"])
        known["retry"] = Retry(**retry | {"errors": tuple(retry["errors"])})
    return Step(**known)


def _clauses(values: Sequence[Mapping[str, Value]]) -> tuple[Clause, ...]:
    return tuple(_clause(value) for value in values)


def _clause(value: Mapping[str, Value]) -> Clause:
    known = _known(Clause, value)
    known["errors"] = tuple(known["errors"])
    return Clause(**known | _sequences(known, steps=_steps))
