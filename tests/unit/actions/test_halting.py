"""trading.halt."""

import pytest

from mesoflow.engine.effects import Govern
from tests.support.acting import act, context, foretell


@pytest.mark.parametrize("state", ["reducing", "halted"])
def test_the_trading_state_is_asked_for_and_told(state: str) -> None:
    ctx = context()
    acted = act("trading.halt", {"state": state, "reason": "no hedge"}, ctx=ctx)
    assert acted.effects == [Govern("set", state, "no hedge")]
    assert acted.outputs == {"state": state, "since": ctx.now}


def test_a_preview_shows_it() -> None:
    told = foretell("trading.halt", {"state": "halted", "reason": "no hedge"})
    assert told.effects == [Govern("set", "halted", "no hedge")]
