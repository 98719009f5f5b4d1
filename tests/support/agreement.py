"""Where our table differs from what the documentation says: every difference by name.

What is no difference: a field that the documentation calls required and that we read when it is there and do without when
it is not (reading is tolerant), and the words of `SAME`. Arguments are compared exactly, because we write them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mesoflow.hubs.contract import CALLBACKS, METHODS
from mesoflow.hubs.facts import EnumFacts, Facts, FieldFacts, ModelFacts
from mesoflow.hubs.models.base import Args, Wire
from mesoflow.hubs.shapes import Shape, all_enums, all_models, shapes_of

# What the documentation distinguishes and we do not: an id is text, free content is free content.
SAME = {"UUID": "str", "JsonElement": "Any", "StrategyDefinition": "Any", "T": "Any"}

# Differences that are meant, as patterns of their lines, each with its reason.
DECLARED: Mapping[str, str] = {
    r"model StrategyDefinition: documented, and not in our table": "a definition is kept as it came; its own schema checks it",
    r"model GetIdempotencyRecordResult: .*": "the guess record_wrapper: the record itself and a wrapped one are both read",
    r"model \w+Event: Event(Seq)?Id may be absent, ours may not": "every event has both; without them it could be told neither "
    "from another nor when it came (such an event is kept as it came)",
    r"enum StatusCode: \w+ is in ours, and not documented": "the guess status_codes: others surely exist",
    r"enum OrderState: Expired is in ours, and not documented": "a DAY order that ends with its session",
}


def differences(facts: Facts) -> list[str]:
    """In a fixed order, each a line; those that are meant are among them."""
    return [*_methods(facts), *_callbacks(facts), *_models(facts), *_enums(facts)]


def undeclared(facts: Facts) -> list[str]:
    """Differences that nobody meant, and declarations that nothing matches any more."""
    found = differences(facts)
    meant = {line: [pattern for pattern in DECLARED if re.fullmatch(pattern, line)] for line in found}
    used = {pattern for patterns in meant.values() for pattern in patterns}
    return [line for line in found if not meant[line]] + [
        f"declared, and no difference: {pattern}" for pattern in DECLARED if pattern not in used
    ]


def _names(kind: str, known: Mapping[str, object], ours: Mapping[str, object]) -> Iterator[str]:
    yield from (f"{kind} {name}: documented, and not in our table" for name in known if name not in ours)
    yield from (f"{kind} {name}: in our table, and not documented" for name in ours if name not in known)


def _methods(facts: Facts) -> Iterator[str]:
    yield from _names("method", facts.methods, METHODS)
    for name, known in facts.methods.items():
        if (ours := METHODS.get(name)) is None:
            continue
        pairs = (
            ("hub", known.hub, ours.hub),
            ("kind", known.kind, ours.kind),
            ("args", known.args, ours.args.split(".")[1]),
            ("result", known.result, ours.result.split(".")[1]),
            ("idempotent", known.idempotent, ours.keyed or name == "GetIdempotencyRecord"),
            ("documented", known.documented, ours.documented),
        )
        yield from (f"method {name}: {what} is {a}, ours {b}" for what, a, b in pairs if a != b)


def _callbacks(facts: Facts) -> Iterator[str]:
    yield from _names("callback", facts.callbacks, CALLBACKS)
    for name, known in facts.callbacks.items():
        if (ours := CALLBACKS.get(name)) is None:
            continue
        pairs = (
            ("payload", known.payload, ours.event_type),
            ("documented", known.documented, ours.documented),
        )
        yield from (f"callback {name}: {what} is {a}, ours {b}" for what, a, b in pairs if a != b)


def _models(facts: Facts) -> Iterator[str]:
    ours = all_models()
    yield from _names("model", facts.models, ours)
    for name, known in facts.models.items():
        if name in ours:
            yield from _fields(name, known, ours[name])


def _fields(name: str, known: ModelFacts, model: type[Wire]) -> Iterator[str]:
    ours = shapes_of(model)
    for field in known.fields:
        if field not in ours:
            yield f"model {name}: {field} is documented, and not in our model"
    for field in ours:
        if field not in known.fields:
            yield f"model {name}: {field} is in our model, and not documented"
    for field, facts in known.fields.items():
        if field in ours:
            told = _field(facts, ours[field], issubclass(model, Args))
            yield from (f"model {name}: {field} {words}" for words in told)


def _field(known: FieldFacts, ours: Shape, written: bool) -> Iterator[str]:
    if (words := SAME.get(known.type, known.type)) != ours.type:
        yield f"is {words}, ours {ours.type}"
    if known.nullable and not ours.nullable:
        yield "may be null, ours may not"
    if written and known.required is not None and known.required != ours.required:
        yield "is required, ours is not" if known.required else "is not required, ours is"
    if not written and known.required is False and ours.required:
        yield "may be absent, ours may not"


def _enums(facts: Facts) -> Iterator[str]:
    ours = all_enums()
    yield from _names("enum", facts.enums, ours)
    for name, known in facts.enums.items():
        if name in ours:
            yield from _members(name, known, [member.value for member in ours[name]])


def _members(name: str, known: EnumFacts, ours: list[str]) -> Iterator[str]:
    for member in known.members:
        if member not in ours:
            yield f"enum {name}: {member} is documented, and not in ours"
    for member in ours:
        if member not in known.members:
            yield f"enum {name}: {member} is in ours, and not documented"
