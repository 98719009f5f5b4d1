"""Telling people: `notify`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from mesoflow.actions.base import Acting, Inputs, Outputs, action
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Tell


class Message(Inputs):
    """Inputs of `notify`."""

    to: list[str] = Field(min_length=1, description="targets named in the configuration", examples=[["ops"]])
    title: str = Field(description="one line", examples=["calendar on"])
    body: Any = Field(
        "", description="text, or a value to render", examples=["position {{ steps.buy.position_id }}"]
    )
    level: Literal["info", "page"] = Field("info", description="page wakes somebody", examples=["page"])


class Told(Outputs):
    """Outputs of `notify`."""

    delivered: list[str] = Field(description="the targets that took it", examples=[["ops"]])


@action("notify", "tell", inputs=Message, outputs=Told)
def notify(ctx: Context, inputs: Message) -> Acting[Told]:
    """Tell people; a failure to tell is reported and does not fail the run."""
    answer = yield Tell("tell", tuple(inputs.to), inputs.title, inputs.body, inputs.level)
    return Told(delivered=list(answer["delivered"]))


@notify.forecasts
def _forecast(ctx: Context, inputs: Message) -> Acting[dict[str, object]]:
    to = inputs.to if isinstance(inputs.to, list) else []
    yield Tell("tell", tuple(to), inputs.title, inputs.body, inputs.level)
    return {"delivered": inputs.to}
