"""What the public documentation says of the contract, as data: names, types, and whether each was documented or inferred.

The file is data/contract.json, made from a survey of that documentation (tests/support/make_contract.py says how). The
client does not need it to talk to a hub: contract.py and models/ are what the code reads and writes, and a test names every
difference between the two. `doctor` and `hub list` read it to say what is known of a name, and from which page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "data" / "contract.json"


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """`required` and `nullable` are None where nobody says. `type` in the documentation's words: `dict[int, LivePrices]`."""

    type: str
    required: bool | None
    nullable: bool | None
    default: str | None
    documented: bool


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """`complete` is false where more fields may exist; `source` is a page's short path."""

    documented: bool
    source: str
    complete: bool
    fields: Mapping[str, FieldFacts]


@dataclass(frozen=True, slots=True)
class EnumFacts:
    """`complete` is false where more members may exist."""

    documented: bool
    source: str
    complete: bool
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MethodFacts:
    """`args` and `result` are models' names; of a stream, `result` is one item of it."""

    hub: str
    kind: str
    args: str
    result: str
    idempotent: bool
    documented: bool
    source: str


@dataclass(frozen=True, slots=True)
class CallbackFacts:
    """`payload` is a model's name."""

    payload: str
    documented: bool
    source: str


@dataclass(frozen=True, slots=True)
class Facts:
    """The whole file."""

    methods: Mapping[str, MethodFacts]
    callbacks: Mapping[str, CallbackFacts]
    models: Mapping[str, ModelFacts]
    enums: Mapping[str, EnumFacts]


def read_facts(content: Mapping[str, Any]) -> Facts:
    """From the file's content."""
    return Facts(
        methods={name: MethodFacts(**row) for name, row in content["methods"].items()},
        callbacks={name: CallbackFacts(**row) for name, row in content["callbacks"].items()},
        models={name: _model(row) for name, row in content["models"].items()},
        enums={
            name: EnumFacts(**{**row, "members": tuple(row["members"])})
            for name, row in content["enums"].items()
        },
    )


def _model(row: Mapping[str, Any]) -> ModelFacts:
    fields = {name: FieldFacts(**facts) for name, facts in row["fields"].items()}
    return ModelFacts(row["documented"], row["source"], row["complete"], fields)


@cache
def facts() -> Facts:
    """The file; read once."""
    return read_facts(json.loads(FILE.read_text(encoding="utf-8")))
