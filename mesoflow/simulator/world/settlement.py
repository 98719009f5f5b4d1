"""Expiration: what is still open when its contract settles is closed at its intrinsic value, in cash.

It happens at its own time, like the end of a job, whoever asks later. No order and no exec plan belongs to it, so it makes
no execution; the ledger has it under the operation Settlement.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.enums import LegStatus, PositionStatus
from mesoflow.simulator.ledger import Fill, Ledger
from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.world.accounts import Accounts
from mesoflow.simulator.world.contracts import multiplier_of, option_of
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.positions import Positions, realized_of
from mesoflow.simulator.world.store import moment_of, written
from mesoflow.simulator.world.telling import Telling

OPERATION = "Settlement"
_ZERO = Decimal(0)
_CENT = Decimal("0.01")


class Settlement:
    """Closes what has expired."""

    def __init__(self, core: Core, accounts: Accounts, positions: Positions, ledger: Ledger) -> None:
        self._core, self._accounts, self._positions, self._ledger = core, accounts, positions, ledger
        self._tell = Telling(core)

    def next_due(self) -> datetime | None:
        row = self._core.store.row("SELECT min(settles) FROM legs WHERE open")
        return None if row is None or row[0] is None else moment_of(row[0])

    def settle(self, at: datetime) -> None:
        """All legs of one moment, position by position."""
        by_position: dict[int, list[LiveLeg]] = {}
        for _, leg in self._positions.leg_documents.find("open AND settles = ?", (written(at),)):
            by_position.setdefault(leg.live_position_id, []).append(leg)
        with self._core.change(at):
            for position, legs in sorted(by_position.items()):
                self._settle(position, legs, at)

    def _settle(self, id: int, legs: list[LiveLeg], at: datetime) -> None:
        position = self._positions.get(id)
        for leg in legs:
            value = self._value(option_of(leg.live_contract), at)
            factor = leg.qty * multiplier_of(leg.underlying)
            closed = self._positions.close_leg(
                leg, at, ((value - leg.avg_entry_price) * factor).quantize(_CENT)
            )
            self._accounts.book(leg.account_id, value * factor)
            self._write(leg, value, at)
            self._tell.leg(position, closed, LegStatus.CLOSED, at, realized_of(closed))
        total = sum((realized_of(leg) for leg in self._positions.legs(id)), _ZERO)
        if self._positions.legs(id, open_only=True):
            self._tell.position(position, PositionStatus.REALIZED_PNL_CHANGED, at, total)
        else:
            self._tell.position(self._positions.close(position, at), PositionStatus.CLOSED, at, total)

    def _value(self, option: Option, at: datetime) -> Decimal:
        """Intrinsic, of the level at the settlement."""
        quote = self._core.market.at(at).underlying(option.underlying)
        assert quote is not None and quote.mark is not None, f"{option.underlying} has a level"
        return max(quote.mark - option.strike if option.call else option.strike - quote.mark, _ZERO)

    def _write(self, leg: LiveLeg, value: Decimal, at: datetime) -> None:
        if not leg.qty:
            return
        self._ledger.filled(
            Fill(
                at=at,
                operation=OPERATION,
                key="",
                account=leg.account_id,
                plan=0,
                position=leg.live_position_id,
                leg=leg.name,
                contract=str(option_of(leg.live_contract)),
                qty=-leg.qty,
                price=value,
                commission=_ZERO,
            )
        )
