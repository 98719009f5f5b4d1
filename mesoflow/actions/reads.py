"""`hub.read`: any method of the hubs that only reads."""

from __future__ import annotations

from pydantic import Field, ValidationError

from mesoflow.actions.base import Acting, Inputs, action
from mesoflow.actions.hub import call, pages
from mesoflow.actions.unknown import is_known, unknown_outputs, until_of
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import StepError
from mesoflow.hubs.contract import METHODS, Method
from mesoflow.hubs.models.base import Page, to_value

_PAGING = frozenset({"limit", "continuation_token"})


class Reading(Inputs):
    """Inputs of `hub.read`."""

    method: str = Field(description="as in the contract", examples=["ListExecutions"])
    args: dict[str, object] = Field(
        default_factory=dict, description="its arguments, snake_case", examples=[{"exec_plan_id": 9001}]
    )
    limit: int = Field(200, ge=1, le=10_000, description="most items over all pages", examples=[50])


READABLE = tuple(
    method.name for method in METHODS.values() if method.klass == "read" and method.kind == "invoke"
)


@action("hub.read", "read", inputs=Reading, methods=READABLE)
def hub_read(ctx: Context, inputs: Reading) -> Acting[dict[str, Value]]:
    """Any method of the hubs that only reads, by name, with its arguments and its typed result; pages are followed up to `limit`."""
    method = readable(inputs.method)
    args = checked_args(method, inputs.args)
    if method.items is None:
        answer: dict[str, Value] = yield from call("read", method.name, args)
        return answer
    return (yield from _all_rows(method, args, inputs.limit))


@hub_read.forecasts
def _forecast(ctx: Context, inputs: Reading) -> Acting[dict[str, Value]]:
    """The method is nearly always known, and with it what its answer is made of."""
    if is_known(inputs.method):
        return unknown_outputs(readable(inputs.method).result_model, until_of(ctx.step))
    return {}
    yield


def readable(name: str) -> Method:
    """The method of that name, if it is a read with one answer. Raises StepError `bad_value`."""
    method = METHODS.get(name)
    if method is None:
        near = [known for known in METHODS if known.casefold() == name.casefold()]
        hint = f"; did you mean {near[0]}?" if near else ""
        raise StepError("bad_value", f"the hubs have no method {name}{hint}")
    if name not in READABLE:
        raise StepError(
            "bad_value", f"{name} is no read with one answer: it is a {method.klass} ({method.kind})"
        )
    return method


def checked_args(method: Method, args: dict[str, Value]) -> dict[str, Value]:
    """Arguments that fit the contract. Raises StepError `bad_value` with what does not."""
    if method.items is not None and (paging := sorted(_PAGING & args.keys())):
        raise StepError("bad_value", f"pages are followed by themselves: write limit, not args.{paging[0]}")
    try:
        method.args_model.write(args)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(["args", *map(str, first["loc"])])
        raise StepError("bad_value", f"{method.name}: {place}: {first['msg']}") from error
    return dict(args)


def _all_rows(method: Method, args: dict[str, Value], limit: int) -> Acting[dict[str, Value]]:
    """The answer as one page, cut at `limit`; its token says whether the hub has more."""
    assert method.items is not None and issubclass(method.result_model, Page)
    found = yield from pages("read", method.name, args, method.result_model, limit=limit)
    rows: list[Value] = [to_value(row) for page in found for row in getattr(page, method.items)]
    return {**found[-1].value(), method.items: rows[:limit]}
