"""What positions and legs say of themselves when something happens to them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.enums import LegStatus, PositionStatus
from mesoflow.hubs.models.positions import LivePosition
from mesoflow.simulator.world.core import Core


class Telling:
    """Writes the events of a position; only inside a change."""

    def __init__(self, core: Core) -> None:
        self._events = core.events

    def position(
        self, position: LivePosition, status: PositionStatus, at: datetime, realized: Decimal | None
    ) -> None:
        fields = {**_of_position(position), "status": status, "realized_pnl": realized}
        self._events.add("PositionUpdateEvent", at, fields, position.live_strategy_id)

    def leg(
        self, position: LivePosition, leg: LiveLeg, status: LegStatus, at: datetime, realized: Decimal | None
    ) -> None:
        fields = {
            **_of_position(position),
            "leg_id": leg.id,
            "leg_name": leg.name,
            "contract": leg.live_contract,
            "status": status,
            "qty": leg.qty if leg.closed_at is None else Decimal(0),
            "realized_pnl": realized,
        }
        self._events.add("LegUpdateEvent", at, fields, position.live_strategy_id)


def _of_position(position: LivePosition) -> dict[str, Any]:
    return {
        "strategy_name": position.strategy_name,
        "broker_account_id": position.broker_account_id,
        "position_id": position.id,
        "position_name": position.name,
    }
