"""What an action is, and how to add one.

The recipe, in four steps; the smallest action stands in control.py:

    class Named(Inputs):                                            1. what a playbook writes under `with:`
        value: int = Field(description="the value", examples=[3])

    class Given(Outputs):                                           2. what later steps read
        given: int = Field(description="the same value")

    @action("value.give", "local", inputs=Named, outputs=Given)     3. what it does: a generator that yields effects
    def value_give(ctx: Context, inputs: Named) -> Acting[Given]:
        \"\"\"Give a value back.\"\"\"
        return Given(given=inputs.value)
        yield                                                       (one that asks for nothing still is a generator)

    4. one line in catalogue.py, and a test in tests/unit/actions that says what it yields and returns

An action asks the world only through the typed helpers of hub.py (`account = yield from read(…)`), never by a clock, a
file or an id of its own; it ends by its outputs or by StepError with a code of its `errors`. One that changes something
also says what it would do, as a forecast (`@value_give.forecasts`): the preview runs that, never the action itself.
No effect may stand in a `finally`: a parked run drops its generators.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.fields import FieldInfo

from mesoflow.actions.unknown import is_known, unknown_outputs, until_of
from mesoflow.engine.action import Context, EffectClass, Effects
from mesoflow.engine.effects import Effect, Value
from mesoflow.engine.errors import StepError

_T = TypeVar("_T")
_I = TypeVar("_I", bound="Inputs")

Acting: TypeAlias = Generator[Effect, Value, _T]
Body: TypeAlias = Callable[[Context, _I], Acting[Any]]


class Inputs(BaseModel):
    """What a step's `with:` holds. Strict: an unknown key is an error, and nothing is converted but whole numbers."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", defer_build=True, protected_namespaces=()
    )

    @classmethod
    def forecast_of(cls, values: Mapping[str, Value]) -> Any:  # noqa: ANN401 - an instance with unknowns for fields
        """Inputs of which a preview does not know everything: what is known is checked, the rest is kept as it is.

        Raises pydantic.ValidationError for what is known and wrong.
        """
        specs = {spec.alias or name: spec for name, spec in cls.model_fields.items()}
        strangers = [key for key in values if key not in specs and cls.model_config.get("extra") == "forbid"]
        if is_known(values) or strangers:
            return cls.model_validate(values)
        fields = {key: spec.get_default(call_default_factory=True) for key, spec in specs.items()}
        for key, value in values.items():
            fields[key] = _checked(specs[key], value) if key in specs else value
        return cls.model_construct(**fields)


class Outputs(BaseModel):
    """What a step gives. Its Value is `value()`: plain dicts and lists, decimals exact, times aware."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", defer_build=True, protected_namespaces=()
    )

    def value(self) -> dict[str, Value]:
        """As later steps and the journal have it."""
        return self.model_dump(mode="python")


def _checked(spec: FieldInfo, value: Value) -> Value:
    """One field by itself, for inputs of which others are not known yet."""
    if not is_known(value):
        return value
    kind: Any = Annotated[spec.annotation, *spec.metadata] if spec.metadata else spec.annotation
    return TypeAdapter(kind).validate_python(value, strict=True)


@dataclass(slots=True)
class Catalogued(Generic[_I]):
    """A member of the catalogue (engine/action.py has the Protocol). `methods` are the hub's that it may call."""

    name: str
    effect_class: EffectClass
    inputs: type[_I]
    outputs: type[BaseModel] | None
    errors: tuple[str, ...]
    methods: tuple[str, ...]
    body: Body[_I]
    foretold: Body[_I] | None = field(default=None)

    @property
    def summary(self) -> str:
        """What it does, in a sentence or two: the docstring of its body."""
        return " ".join((self.body.__doc__ or "").split())

    def run(self, ctx: Context, inputs: _I) -> Effects:
        """The action itself."""
        return self.body(ctx, inputs)

    def forecast(self, ctx: Context, inputs: _I) -> Effects:
        """What it would ask for; returns typed unknowns. Without a forecast of its own it asks for nothing."""
        return (self.foretold or self._silent)(ctx, inputs)

    def forecasts(self, body: Body[_I]) -> Body[_I]:
        """Register the forecast."""
        self.foretold = body
        return body

    def _silent(self, ctx: Context, inputs: _I) -> Acting[dict[str, Value]]:
        return unknown_outputs(self.outputs, until_of(ctx.step))
        yield


def action(
    name: str,
    effect_class: EffectClass,
    *,
    inputs: type[_I],
    outputs: type[BaseModel] | None = None,
    errors: tuple[str, ...] = (),
    methods: tuple[str, ...] = (),
) -> Callable[[Body[_I]], Catalogued[_I]]:
    """Make a member of the catalogue from a generator function."""

    def catalogued(body: Body[_I]) -> Catalogued[_I]:
        return Catalogued(name, effect_class, inputs, outputs, errors, methods, body)

    return catalogued


def account_of(ctx: Context, asked: str | None) -> str:
    """The account a step is about: the one it names, else the one of `risk.accounts`."""
    account = asked if asked is not None else ctx.account
    if account is None:
        raise StepError("bad_value", "broker_account_id is needed: risk.accounts names more than one account")
    return account
