"""The JSON Schema of playbooks, 2020-12, and the facts that `check` works from: generated from the models and the catalogue.

Two files, one source, neither edited: schemas/playbook.schema.json is what editors and CI see; mesoflow/playbook/language.json
is the same schema with each action's effect, errors and outputs, without its prose. Pydantic's union of steps is written as
`if action is X then its inputs`: with a `oneOf` a validator blames the wrong branch. Every field of an action's inputs, and of
`risk`, also takes an expression. The one thing that a schema cannot say: 3.0 is an integer for JSON Schema and none for us.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import BaseModel

from mesoflow.actions.base import Outputs
from mesoflow.actions.catalogue import ACTIONS, NOT_IN_THIS_VERSION
from mesoflow.actions.kinds import field_word
from mesoflow.engine.action import Action
from mesoflow.engine.errors import NEVER_RESCUED
from mesoflow.playbook import language, models, words
from mesoflow.playbook.later import NOT_YET
from mesoflow.playbook.validate import KEYWORDS

Schema: TypeAlias = dict[str, Any]

LANGUAGE = 1
DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID = f"urn:mesoflow:schema:playbook:{LANGUAGE}"
FILE = "schemas/playbook.schema.json"
COMMAND = "mesoflow schema"

_NEVER: Schema = {"not": {}}
_REF = "#/$defs/{model}"
_EXPRESSION: Schema = {
    "type": "string",
    "pattern": r"\{\{",
    "description": "an expression, {{ … }}; its value takes this place when the step begins",
}
# Cross-field rules of models that a schema can say and pydantic does not write.
_ALSO: Mapping[str, Schema] = {
    "StartPrice": {"minProperties": 1, "maxProperties": 1},
    "WorstPrice": {"minProperties": 1},
    "PricePolicy": {"dependentRequired": {"step": ["every", "worst"], "every": ["step"]}},
}
# Actions whose outputs depend on what is asked of them.
_ANY_OUTPUTS = ("hub.read", "set")


def generate(actions: Mapping[str, Action] | None = None, not_yet: Mapping[str, str] | None = None) -> Schema:
    """The whole schema."""
    actions = ACTIONS if actions is None else actions
    not_yet = NOT_IN_THIS_VERSION if not_yet is None else not_yet
    top = models.Playbook.model_json_schema(ref_template=_REF, by_alias=True)
    defs: dict[str, Schema] = top.pop("$defs")
    for name, keys in NOT_YET.items():
        target = top if name == "Playbook" else defs[name]
        for key, why in keys.items():
            target["properties"][key] = _NEVER | {
                "description": why or "not in this version",
                "x-mesoflow": "later",
            }
    defs["Risk"], defs["StressLoss"] = _templated(defs["Risk"]), _templated(defs["StressLoss"])
    defs["expression"] = _EXPRESSION
    for name in actions:
        _add_inputs(name, actions[name], defs)
    defs["Step"] = _step(defs["Step"], actions, not_yet, defs)
    schema = (
        {"$schema": DIALECT, "$id": ID, "title": "mesoflow playbook"}
        | top
        | {"$defs": dict(sorted(defs.items()))}
    )
    tidy: Schema = _tidy(schema)
    return tidy


def of_model(model: type[BaseModel]) -> Schema:
    """The schema of another file that is read as a playbook is: the policy."""
    top = model.model_json_schema(ref_template=_REF, by_alias=True)
    defs = {name: _sharper(name, definition) for name, definition in top.pop("$defs", {}).items()}
    tidy: Schema = _tidy(top | {"$defs": dict(sorted(defs.items()))})
    return tidy


def facts(actions: Mapping[str, Action] | None = None, not_yet: Mapping[str, str] | None = None) -> Schema:
    """What `check` works from (language.py)."""
    actions = ACTIONS if actions is None else actions
    not_yet = NOT_IN_THIS_VERSION if not_yet is None else not_yet
    found: dict[str, Any] = {}
    known = {
        name: {
            "effect": action.effect_class,
            "errors": sorted(action.errors),
            "outputs": "any" if name in _ANY_OUTPUTS else _type(action.outputs, found),
        }
        for name, action in sorted(actions.items())
    }
    schema = _bare(generate(actions, not_yet))
    step = schema["$defs"]["Step"]
    del step["allOf"]
    # Actions are dispatched by name: lint/structure.py holds `with` against the action's own definition.
    step["properties"] |= {"action": {}, "with": {"type": "object"}}
    unknown = set(_keywords(schema)) - KEYWORDS
    assert not unknown, f"validate.py does not know {unknown}"
    return {
        "actions": known,
        "not_yet": dict(sorted(not_yet.items())),
        "never_rescued": sorted(NEVER_RESCUED),
        "schema": schema,
        "types": dict(sorted(found.items())),
    }


def as_text(schema: Schema | None = None) -> str:
    """The schema file's text."""
    return json.dumps(schema or generate(), indent=2, ensure_ascii=False) + "\n"


def files(root: Path) -> dict[Path, str]:
    """Every generated file below `root`, with the text it must have."""
    compact = json.dumps(facts(), ensure_ascii=False, separators=(",", ":")) + "\n"
    return {root / FILE: as_text(), root / "mesoflow" / "playbook" / language.FILE.name: compact}


def schema_problems(root: Path) -> list[str]:
    """What is out of date below `root`, in words; empty when nothing is."""
    problems = []
    for file, text in files(root).items():
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            problems.append(f"{file.relative_to(root)} is out of date; run: {COMMAND}")
    return problems


def write(root: Path) -> list[Path]:
    """Generate the files below `root`."""
    made = files(root)
    for file, text in made.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return list(made)


# --- steps


def _add_inputs(name: str, action: Action, defs: dict[str, Schema]) -> None:
    own = action.inputs.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}", by_alias=True)
    for field, spec in action.inputs.model_fields.items():
        written = own["properties"][spec.alias or field]
        if field_word(spec) == "moment":
            written["pattern"] = words.MOMENT
        if isinstance(spec.annotation, type) and issubclass(spec.annotation, Outputs):
            # What another step gives can only be handed over, never written down.
            own["properties"][spec.alias or field] = {
                "$ref": "#/$defs/expression",
                "description": spec.description,
            }
    inner_defs: dict[str, Schema] = own.pop("$defs", {})
    for inner in _reachable(own, inner_defs, f"#/$defs/{name}."):
        defs[f"{name}.{inner}"] = _templated(_sharper(inner, inner_defs[inner]))
    summary = " ".join(str(getattr(action, "summary", "")).split())
    about = {"description": f"{summary} Effect class: {action.effect_class}.".strip()}
    defs[name] = (
        _templated(own)
        | about
        | {"x-mesoflow": {"effect": action.effect_class, "errors": list(action.errors)}}
    )


def _sharper(name: str, definition: Schema) -> Schema:
    """A definition with the rules that pydantic does not write; in a price nothing is written and empty."""
    if name not in _ALSO:
        return definition
    properties = {
        key: {**spec, "anyOf": [one for one in spec["anyOf"] if one != {"type": "null"}]}
        if "anyOf" in spec
        else spec
        for key, spec in definition["properties"].items()
    }
    return definition | _ALSO[name] | {"properties": properties}


def _reachable(schema: Schema, defs: Mapping[str, Schema], prefix: str) -> list[str]:
    """The definitions that a schema refers to, directly or through others."""
    found: list[str] = []
    todo: list[Schema] = [schema]
    while todo:
        text = json.dumps(todo.pop(), default=str)
        for name, definition in defs.items():
            if f'"{prefix}{name}"' in text and name not in found:
                found.append(name)
                todo.append(definition)
    return found


def _step(
    step: Schema, actions: Mapping[str, Action], not_yet: Mapping[str, str], defs: dict[str, Schema]
) -> Schema:
    later = "; ".join(f"{name}: {why}" for name, why in sorted(not_yet.items()))
    step["properties"]["action"] = {
        "enum": sorted(actions),
        "not": {"enum": sorted(not_yet), "description": "not in this version"},
        "description": f"what the step does. Not in this version: {later}",
    }
    step["properties"]["with"] = {"type": "object", "description": "the inputs of the action"}
    body: Schema = {
        "if": {"required": ["action"]},
        "then": {
            "properties": {"steps": _NEVER | {"description": "a step is an action or a group, not both"}}
        },
        "else": {
            "required": ["steps"],
            "properties": {"with": _NEVER | {"description": "a group has no inputs"}},
        },
    }
    return step | {"allOf": [body, *(_when_action(name, defs[name]) for name in sorted(actions))]}


def _when_action(name: str, inputs: Schema) -> Schema:
    then: Schema = {"properties": {"with": {"$ref": f"#/$defs/{name}"}}}
    if inputs.get("required"):
        then["required"] = ["with"]
    return {"if": {"properties": {"action": {"const": name}}, "required": ["action"]}, "then": then}


# --- expressions in the place of values


def _templated(schema: Schema) -> Schema:
    """The schema with every value below it also taking an expression; itself stays what it is."""
    changed = dict(schema)
    if isinstance(changed.get("properties"), dict):
        changed["properties"] = {key: _or_expression(value) for key, value in changed["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(changed.get(key), dict):
            changed[key] = _or_expression(changed[key])
    for key in ("anyOf", "oneOf", "allOf"):
        if key in changed:
            changed[key] = [_templated(member) for member in changed[key]]
    return changed


def _or_expression(schema: Schema) -> Schema:
    inner = _templated(schema)
    if _takes_any_text(inner):
        return inner
    about = {key: inner.pop(key) for key in ("description", "default", "examples", "title") if key in inner}
    members = inner.pop("anyOf") if set(inner) == {"anyOf"} else [inner]
    return {"anyOf": [{"$ref": "#/$defs/expression"}, *members], "x-mesoflow": "templated"} | about


def _takes_any_text(schema: Schema) -> bool:
    constraints = set(schema) - {"description", "default", "examples", "title", "type"}
    if not constraints:
        return schema.get("type") in ("string", None)
    return constraints == {"anyOf"} and any(_takes_any_text(member) for member in schema["anyOf"])


# --- what pydantic writes and nobody needs, and what it does not write


def _tidy(node: Any) -> Any:  # noqa: ANN401 - any JSON
    """Without the titles that repeat names and without defaults of null; with the names of written forms."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {}
    for key, value in node.items():
        if key == "title" and isinstance(value, str) and not value.startswith("mesoflow"):
            continue
        if key == "default" and value is None:
            continue
        kept[key] = {name: _tidy(item) for name, item in value.items()} if key in _NAMED else _tidy(value)
    if "patternProperties" in kept:
        # The same thing said so that an unknown key is called one.
        ((pattern, inner),) = kept.pop("patternProperties").items()
        kept |= {"propertyNames": {"pattern": pattern}, "additionalProperties": inner}
    form = _form(kept.get("pattern"))
    return kept | ({"x-mesoflow": form} if form else {})


_NAMED = ("properties", "$defs")
_ABOUT = ("description", "examples", "default", "title", "$schema", "$id")


def _form(pattern: object) -> str:
    """Which written form a pattern is of; actions and prices have patterns of their own for the same forms."""
    if not isinstance(pattern, str):
        return ""
    if "sessions?" in pattern:
        return "moment"
    if "% of" in pattern:
        return "amount"
    if pattern == words.PERCENT:
        return "percent"
    if pattern == words.DATE:
        return "day"
    return "duration" if pattern.endswith(("(s|m|h)$", "[smh]$")) else ""


def _bare(node: Any) -> Any:  # noqa: ANN401
    """A schema without its prose, but for what a finding says of keys of later versions."""
    if isinstance(node, list):
        return [_bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    later = node.get("x-mesoflow") == "later"
    kept = {}
    for key, value in node.items():
        if key in _NAMED:
            kept[key] = {name: _bare(item) for name, item in value.items()}
        elif key not in _ABOUT and not (
            key == "x-mesoflow" and (value == "templated" or isinstance(value, dict))
        ):
            kept[key] = _bare(value)
    return {"x-mesoflow": "later", "description": node["description"]} if later else kept


def _keywords(schema: Any) -> Iterator[str]:  # noqa: ANN401
    if isinstance(schema, list):
        for item in schema:
            yield from _keywords(item)
    elif isinstance(schema, dict) and schema.get("x-mesoflow") != "later":
        for key, value in schema.items():
            if key in _NAMED:
                yield from (word for inner in value.values() for word in _keywords(inner))
            elif key in ("const", "enum", "required", "dependentRequired"):
                yield key
            else:
                yield from () if key == "x-mesoflow" else (key,)
                yield from _keywords(value)
    yield from ()


# --- outputs


def _type(annotation: Any, found: dict[str, Any]) -> language.Type:  # noqa: ANN401 - annotations have no common type
    """A type as language.py has it; models met on the way are added to `found`."""
    if annotation is None or annotation is type(None):
        return None
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(inner[0], found)
    if origin in (typing.Union, types.UnionType):
        present = [part for part in inner if part is not type(None)]
        return _type(present[0], found) if len(present) == 1 else "any"
    if origin is dict:
        return {"map": _type(inner[1], found)}
    if origin is list:
        return {"list": _type(inner[0], found)}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        name = annotation.__name__
        if name not in found:
            found[name] = {}
            found[name] |= {
                field: _type(spec.annotation, found) for field, spec in annotation.model_fields.items()
            }
        return name
    return "any" if annotation in (Any, object) else "value"
