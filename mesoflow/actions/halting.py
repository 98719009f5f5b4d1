"""The trading state of mesoflow itself: `trading.halt`. Only a person takes it back (`mesoflow release`)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from mesoflow.actions.base import Acting, Inputs, Outputs, action
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Govern


class Halting(Inputs):
    """Inputs of `trading.halt`."""

    state: Literal["reducing", "halted"] = Field(
        description="reducing: exits only; halted: no order leaves, and working ones of other runs are withdrawn",
        examples=["reducing"],
    )
    reason: str = Field(description="shown to whoever releases it", examples=["the hedge is gone"])


class TradingStateNow(Outputs):
    """Outputs of `trading.halt`."""

    state: Literal["active", "reducing", "halted"] = Field(
        description="the trading state from here on", examples=["reducing"]
    )
    since: datetime = Field(description="since when", examples=["2025-01-16T15:00:00Z"])


@action("trading.halt", "change", inputs=Halting, outputs=TradingStateNow)
def trading_halt(ctx: Context, inputs: Halting) -> Acting[TradingStateNow]:
    """Set the trading state of mesoflow; only a person releases it. The run itself goes on."""
    answer = yield Govern("set", inputs.state, inputs.reason)
    return TradingStateNow(state=answer["state"], since=answer["since"])


@trading_halt.forecasts
def _forecast(ctx: Context, inputs: Halting) -> Acting[dict[str, object]]:
    yield Govern("set", inputs.state, inputs.reason)
    return {"state": inputs.state, "since": ctx.now}
