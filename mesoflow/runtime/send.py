"""The send gate: the only place that trades, and the only builder of a connection that may.

It takes two things: a `Cleared[Order]`, which only safety can make, and a `Withdrawal` of something that the journal knows
as ours. The bytes are those of the intent, never rendered again. HALT is looked at after the commit and before the first
byte: no order passes while it is there, exits included; withdrawals do.
"""

from __future__ import annotations

from mesoflow.engine.effects import Value
from mesoflow.hubs.contract import Klass
from mesoflow.hubs.hub import Hub
from mesoflow.runtime.bodies import Intent
from mesoflow.runtime.setting import Setting
from mesoflow.trading.clearance import Cleared, Withdrawal
from mesoflow.trading.orders import Order

# Read to trade: what a run's connection may do. Every other command's connection holds less.
RUN_CLASSES: frozenset[Klass] = frozenset({"read", "change", "prepare", "trade"})


class Halted(Exception):
    """HALT is there: nothing of the order has left."""


async def send(setting: Setting, intent: Intent, leave: Cleared[Order] | Withdrawal) -> Value:
    """Send the intent. Raises CallRefused, NotSent, OutcomeUnknown or Halted."""
    if isinstance(leave, Cleared):
        expected = leave.value.method
        if expected != intent.method:
            raise AssertionError(f"cleared for {expected}, asked to send {intent.method}")
        # Before the look: what leaves is what was witnessed, or less.
        if setting.leaves is not None:
            setting.leaves(intent.key)
        if setting.halted():
            raise Halted
    return await deliver(setting.hub, setting, intent)


async def deliver(hub: Hub, setting: Setting, intent: Intent) -> Value:
    """The intent's exact bytes, and the crash points around them."""
    answer = await hub.invoke(intent.method, intent.request, within=setting.call_within)
    setting.crash.reach(f"answered:{intent.path}")
    return answer
