"""Positions, their legs and their executions: kept as the wire has them, with figures computed when asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mesoflow.hubs.models.contracts import LiveLeg
from mesoflow.hubs.models.enums import LivePositionState
from mesoflow.hubs.models.executions import LiveExecution
from mesoflow.hubs.models.positions import LivePosition
from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.world.contracts import multiplier_of, option_of
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.errors import bad, missing
from mesoflow.simulator.world.figures import Block, Figures, Holding
from mesoflow.simulator.world.paging import page
from mesoflow.simulator.world.store import Documents, packed, unpacked, written

_ZERO = Decimal(0)


def holding_of(leg: LiveLeg) -> Holding:
    """An open leg's quantity; a closed one holds nothing."""
    option = option_of(leg.live_contract)
    return Holding(
        option=option,
        qty=leg.qty if leg.closed_at is None else _ZERO,
        multiplier=multiplier_of(option.underlying),
        entry_price=leg.avg_entry_price,
        realized=realized_of(leg),
    )


def realized_of(leg: LiveLeg) -> Decimal:
    """What a person set counts before what was tracked."""
    set_by_hand, tracked = leg.user_set_realized_pnl, leg.tracked_realized_pnl
    return set_by_hand if set_by_hand is not None else tracked if tracked is not None else _ZERO


class Positions:
    """The positions of a world."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.documents = Documents(core.store, "positions", LivePosition)
        self.leg_documents = Documents(core.store, "legs", LiveLeg)
        self.executions = Documents(core.store, "executions", LiveExecution)

    # --- reading ---------------------------------------------------------------------------------------------------

    def get(self, id: int) -> LivePosition:
        found = self.documents.get(id)
        if found is None:
            raise missing("position", id)
        return found

    def page(
        self, where: str, args: Sequence[object], limit: int | None, token: str | None
    ) -> tuple[list[LivePosition], str | None]:
        found, following = page(
            lambda after, size: self.documents.find(where, args, after=after, limit=size),
            ("positions", where, *args),
            limit,
            token,
        )
        return [position for _, position in found], following

    def legs(self, position: int, *, open_only: bool = False) -> list[LiveLeg]:
        where = "position = ? AND open" if open_only else "position = ?"
        return [leg for _, leg in self.leg_documents.find(where, (position,))]

    def leg(self, id: int) -> LiveLeg:
        found = self.leg_documents.get(id)
        if found is None:
            raise missing("leg", id)
        return found

    def leg_page(
        self, where: str, args: Sequence[object], limit: int | None, token: str | None
    ) -> tuple[list[LiveLeg], str | None]:
        found, following = page(
            lambda after, size: self.leg_documents.find(where, args, after=after, limit=size),
            ("legs", where, *args),
            limit,
            token,
        )
        return [leg for _, leg in found], following

    def execution(self, id: int) -> LiveExecution:
        found = self.executions.get(id)
        if found is None:
            raise missing("execution", id)
        return found

    def execution_page(
        self, where: str, args: Sequence[object], limit: int | None, token: str | None
    ) -> tuple[list[LiveExecution], str | None]:
        found, following = page(
            lambda after, size: self.executions.find(where, args, after=after, limit=size),
            ("executions", where, *args),
            limit,
            token,
        )
        return [execution for _, execution in found], following

    def held(self, account: str) -> list[Holding]:
        return [holding_of(leg) for _, leg in self.leg_documents.find("account = ? AND open", (account,))]

    def used(self) -> frozenset[Option]:
        """Contracts of all open legs, which FullyUnique leaves alone."""
        return frozenset(option_of(leg.live_contract) for _, leg in self.leg_documents.find("open"))

    def count_open(self, account: str) -> int:
        row = self._core.store.row("SELECT count(*) FROM positions WHERE account = ? AND open", (account,))
        return int(row[0]) if row else 0

    def open_of_strategy(self, strategy: int) -> int:
        row = self._core.store.row("SELECT count(*) FROM positions WHERE strategy = ? AND open", (strategy,))
        return int(row[0]) if row else 0

    def variables(self, position: int, now: datetime) -> dict[str, Decimal]:
        """As stored, but for the days to the expirations, which stay current."""
        found, today = self.stored(position), self._core.market.calendar.local_date(now)
        for alias, day in self.expirations(position).items():
            found[f"expiration_{alias}_dte"] = Decimal((date.fromisoformat(day) - today).days)
        return found

    def stored(self, position: int) -> dict[str, Decimal]:
        """Variables as they were stored."""
        row = self._core.store.row("SELECT vars FROM positions WHERE id = ?", (position,))
        if row is None:
            raise missing("position", position)
        return {name: Decimal(value) for name, value in unpacked(row[0]).items()}

    def expirations(self, position: int) -> dict[str, str]:
        """Alias → day, in ISO form."""
        row = self._core.store.row("SELECT expirations FROM positions WHERE id = ?", (position,))
        if row is None:
            raise missing("position", position)
        found: dict[str, str] = unpacked(row[0])
        return found

    def figures(
        self, legs: Iterable[LiveLeg], now: datetime, seen: datetime | None = None
    ) -> PositionFigures:
        return PositionFigures(Figures(self._core.market, now, seen), list(legs))

    # --- changing; only inside a change ----------------------------------------------------------------------------

    def add(
        self, position: LivePosition, legs: Iterable[LiveLeg], variables: dict[str, Decimal], expirations: str
    ) -> None:
        self.documents.add(
            position.id,
            position,
            vars=packed(variables),
            expirations=expirations,
            account=position.broker_account_id,
            strategy=position.live_strategy_id,
            open=True,
        )
        for leg in legs:
            self.add_leg(leg)

    def add_leg(self, leg: LiveLeg) -> None:
        settles = leg.live_contract.expiration
        assert settles is not None, "a leg is an option, and its expiration the time of its settlement"
        self.leg_documents.add(
            leg.id,
            leg,
            position=leg.live_position_id,
            account=leg.account_id,
            open=True,
            settles=written(settles),
        )

    def define(self, position: int, variables: Mapping[str, Decimal], expirations: Mapping[str, str]) -> None:
        """Variables and aliases that came later; same names are replaced."""
        row = self._core.store.row("SELECT vars, expirations FROM positions WHERE id = ?", (position,))
        assert row is not None, "the position is there"
        known = {name: Decimal(value) for name, value in unpacked(row[0]).items()}
        self._core.store.run(
            "UPDATE positions SET vars = ?, expirations = ? WHERE id = ?",
            (packed({**known, **variables}), packed({**unpacked(row[1]), **expirations}), position),
        )

    def close_leg(self, leg: LiveLeg, at: datetime, earned: Decimal) -> LiveLeg:
        closed = leg.model_copy(
            update={"closed_at": at, "tracked_realized_pnl": (leg.tracked_realized_pnl or _ZERO) + earned}
        )
        self.leg_documents.put(leg.id, closed, open=False)
        return closed

    def close(self, position: LivePosition, at: datetime) -> LivePosition:
        closed = position.model_copy(update={"state": LivePositionState.CLOSED, "closed_at": at})
        self.documents.put(position.id, closed, open=False)
        return closed

    def connect(self, position: int, plan: int) -> None:
        """A position is found by every exec plan that made or changed it."""
        self._core.store.run("INSERT INTO position_plans (position, plan) VALUES (?, ?)", (position, plan))


class PositionFigures:
    """Blocks of a position by leg, by group and as a whole."""

    def __init__(self, figures: Figures, legs: list[LiveLeg]) -> None:
        self._figures = figures
        self._legs = [(leg, holding_of(leg)) for leg in legs]

    def _groups(self) -> dict[int, list[tuple[LiveLeg, Holding]]]:
        found: dict[int, list[tuple[LiveLeg, Holding]]] = {}
        for leg, holding in self._legs:
            found.setdefault(leg.leg_group_id, []).append((leg, holding))
        return dict(sorted(found.items()))

    def leg_prices(self) -> dict[int, Block]:
        return {
            leg.id: self._figures.prices(self._figures.quote(holding.option)) for leg, holding in self._legs
        }

    def leg_greeks(self) -> dict[int, Block]:
        return {leg.id: self._figures.greeks(holding) for leg, holding in self._legs}

    def leg_pnls(self) -> dict[int, Block]:
        return {leg.id: self._pnl(holding) for leg, holding in self._legs}

    def _pnl(self, holding: Holding) -> Block:
        return self._figures.pnl(holding)

    def group_prices(self) -> dict[int, Block]:
        return {group: self._package(rows) for group, rows in self._groups().items()}

    def group_greeks(self) -> dict[int, Block]:
        return {
            group: self._figures.total_greeks([self._figures.greeks(holding) for _, holding in rows])
            for group, rows in self._groups().items()
        }

    def group_pnls(self) -> dict[int, Block]:
        return {
            group: self._figures.total_pnl([self._pnl(holding) for _, holding in rows])
            for group, rows in self._groups().items()
        }

    def prices(self, lots: Decimal | None) -> Block:
        return self._package(self._legs, lots)

    def greeks(self) -> Block:
        return self._figures.total_greeks(
            [self._figures.greeks(holding) for _, holding in self._legs if holding.qty]
        )

    def pnl(self) -> Block:
        return self._figures.total_pnl([self._pnl(holding) for _, holding in self._legs])

    def _package(self, rows: Iterable[tuple[LiveLeg, Holding]], divisor: Decimal | None = None) -> Block:
        return self._figures.package([holding for _, holding in rows if holding.qty], divisor)


# More than any account holds; a question has its bound.
IDS_MAX = 1_000


def id_lists(ids: Sequence[int]) -> tuple[str, list[Any]]:
    """A condition on the id. Raises Refused."""
    if len(ids) > IDS_MAX:
        raise bad("Ids", f"{len(ids)} ids are more than {IDS_MAX} at once")
    return f"id IN ({', '.join('?' * len(ids))})", list(ids)
