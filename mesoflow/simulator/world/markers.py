"""Markers: legs of quantity 0, which nothing trades. An operation completes them without an order.

An entry's open with its position (holdings.py). An adjustment's open and close with its first fill; a leg group of markers
alone may also be sent for, and is then completed at once, without an order (inferred: the public pages only say that such a
step exists).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from mesoflow.hubs.models.enums import LegStatus
from mesoflow.hubs.models.positions import LivePosition
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.plans import Plan
from mesoflow.simulator.world.positions import Positions, realized_of
from mesoflow.simulator.world.telling import Telling

_ZERO = Decimal(0)


def markers_of(plan: Plan, names: Iterable[str] | None = None) -> list[str]:
    """The markers among some legs of a plan, or among all."""
    return [name for name in plan.legs if not plan.legs[name].qty and (names is None or name in set(names))]


class Markers:
    """Opens and closes them; only inside a change."""

    def __init__(self, core: Core, positions: Positions) -> None:
        self._core, self._positions, self._tell = core, positions, Telling(core)

    def complete(self, position: LivePosition, plan: Plan, names: Iterable[str], at: datetime) -> None:
        """Those of a plan that are not completed yet."""
        held = self._positions.legs(position.id, open_only=True)
        for name in names:
            leg = plan.legs[name]
            if not plan.opens(name):
                for marker in (one for one in held if one.id == leg.id and not one.qty):
                    closed = self._positions.close_leg(marker, at, _ZERO)
                    self._tell.leg(position, closed, LegStatus.CLOSED, at, realized_of(closed))
            elif all(one.name != leg.name for one in held):
                opened = leg.model_copy(
                    update={
                        "id": self._core.store.next_id("legs"),
                        "live_position_id": position.id,
                        "created_at": at,
                    }
                )
                self._positions.add_leg(opened)
                self._tell.leg(position, opened, LegStatus.CREATED, at, None)
