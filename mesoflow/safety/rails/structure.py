"""C08, its first part: the order hangs together. Every other rail counts by group, so no leg may stand outside of one."""

from __future__ import annotations

from mesoflow.safety.case import is_coherent
from mesoflow.safety.codes import Code
from mesoflow.safety.rails.lines import line
from mesoflow.safety.verdicts import RailLine
from mesoflow.trading.orders import Order


def structure(order: Order) -> RailLine:
    """Judged before all others, and never skipped: an exit whose legs do not fit its groups cannot be judged as one."""
    numbers = {"legs": len(order.legs), "groups": len(order.groups)}
    return line(Code.ORDER_INCOHERENT, is_coherent(order), numbers)
