"""Control: `assert` and `set`. Nothing leaves the process."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from mesoflow.actions.base import Acting, Inputs, action
from mesoflow.actions.unknown import is_known
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import StepError, StopRun


class Check(Inputs):
    """Something that must be true, and what to say when it is not."""

    that: bool = Field(description="what must be true", examples=["{{ steps.entry.greeks.theta > 0 }}"])
    message: str = Field(
        description="what to say when it is not", examples=["theta {{ steps.entry.greeks.theta }} a day"]
    )


class Assertion(Inputs):
    """Inputs of `assert`."""

    all: list[Check] = Field(
        min_length=1,
        description="each must be true",
        examples=[[{"that": "{{ steps.entry.greeks.theta > 0 }}", "message": "theta is not positive"}]],
    )
    otherwise: Literal["fail", "skip"] = Field(
        "fail", description="how the run ends when one is not true", examples=["skip"]
    )


@action("assert", "local", inputs=Assertion, errors=("assertion_failed",))
def assert_all(ctx: Context, inputs: Assertion) -> Acting[None]:
    """All must be true; otherwise the run fails, or ends as skipped."""
    broken = [check.message for check in inputs.all if not check.that]
    if not broken:
        return
    reason = "; ".join(broken)
    if inputs.otherwise == "skip":
        raise StopRun("skipped", reason)
    raise StepError("assertion_failed", reason, {"messages": list(broken)})
    yield


@assert_all.forecasts
def _assertion_forecast(ctx: Context, inputs: Assertion) -> Acting[None]:
    """What is known already is judged already: a preview shows that the run would end here."""
    if is_known(inputs.all) and is_known([[check.that, check.message] for check in _checks(inputs)]):
        yield from assert_all.run(ctx, inputs)


def _checks(inputs: Assertion) -> list[Any]:
    """The checks of a preview may still be raw values, for one of them is not known."""
    return [_Raw(check) if isinstance(check, dict) else check for check in inputs.all]


class _Raw:
    """A check of which not everything is known."""

    def __init__(self, check: dict[str, Value]) -> None:
        self.that = check.get("that")
        self.message = check.get("message")


class Named(Inputs):
    """Inputs of `set`: any names."""

    model_config = ConfigDict(extra="allow")


@action("set", "local", inputs=Named)
def set_values(ctx: Context, inputs: Named) -> Acting[dict[str, Value]]:
    """Name values for later steps."""
    return dict(inputs.model_extra or {})
    yield


@set_values.forecasts
def _set_forecast(ctx: Context, inputs: Named) -> Acting[dict[str, Value]]:
    return dict(inputs.model_extra or {})
    yield
