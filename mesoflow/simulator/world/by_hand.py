"""What a person does to the books at the portal, for which the contract has no method: realized profit set by hand and reset,
and a position marked as closed that nobody has closed in the market.

What is set by hand comes before what was tracked, until it is reset. Nothing of this is an order, an execution or cash.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.enums import LegStatus, LivePositionState, PositionStatus
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.errors import bad
from mesoflow.simulator.world.fills import AMOUNT_MAX
from mesoflow.simulator.world.positions import Positions, realized_of
from mesoflow.simulator.world.telling import Telling

_ZERO = Decimal(0)
_CENT = Decimal("0.01")


class ByHand:
    """A person at the portal of a world."""

    def __init__(self, core: Core, positions: Positions) -> None:
        self._core, self._positions, self._tell = core, positions, Telling(core)

    def set_realized_pnl(self, leg: int, amount: Decimal, at: datetime) -> LiveLeg:
        """Whole cents, in the account's currency. Raises Refused."""
        if not abs(amount) < AMOUNT_MAX or amount != amount.quantize(_CENT):
            raise bad("Amount", f"{amount} is not an amount in whole cents below {AMOUNT_MAX}")
        return self._set(leg, amount.quantize(_CENT), at)

    def reset_realized_pnl(self, leg: int, at: datetime) -> LiveLeg:
        """What was tracked counts again. Raises Refused."""
        return self._set(leg, None, at)

    def _set(self, id: int, amount: Decimal | None, at: datetime) -> LiveLeg:
        leg = self._positions.leg(id)
        changed = leg.model_copy(update={"user_set_realized_pnl": amount})
        position = self._positions.get(leg.live_position_id)
        with self._core.change(at):
            self._positions.leg_documents.put(id, changed)
            self._tell.leg(position, changed, LegStatus.REALIZED_PNL_CHANGED, at, realized_of(changed))
            self._tell.position(
                position, PositionStatus.REALIZED_PNL_CHANGED, at, self._realized(position.id)
            )
        return changed

    def set_closed(self, position: int, at: datetime) -> None:
        """Only here: what the broker holds, it holds still. Raises Refused."""
        found = self._positions.get(position)
        if found.state == LivePositionState.CLOSED:
            raise bad("Closed", f"position {position} is closed")
        with self._core.change(at):
            for leg in self._positions.legs(position, open_only=True):
                closed = self._positions.close_leg(leg, at, _ZERO)
                self._tell.leg(found, closed, LegStatus.CLOSED, at, realized_of(closed))
            closed_position = self._positions.close(found, at)
            self._tell.position(closed_position, PositionStatus.CLOSED, at, self._realized(position))

    def _realized(self, position: int) -> Decimal:
        return sum((realized_of(leg) for leg in self._positions.legs(position)), _ZERO)
