"""The Data Hub: snapshots, and streams of the same that send the latest value whenever it has changed.

A stream looks at the market when its client is ready for the next item: what came and went in between is not sent, as the
hub's own streams merge and drop. While an agent is away its figures stand still and grow old; nothing is sent then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Literal

from mesoflow.hubs.contract import Method
from mesoflow.hubs.models.base import Args, has_flag
from mesoflow.hubs.models.contracts import LiveContract
from mesoflow.hubs.models.data import (
    ComboContractsDataArgs,
    ContractDataArgs,
    LegDataArgs,
    LegsDataArgs,
    PositionDataArgs,
    UnderlyingDataArgs,
)
from mesoflow.simulator.clock import SimulatorClock
from mesoflow.simulator.hubs.base import Hub
from mesoflow.simulator.hubs.flags import flagged, require_flags
from mesoflow.simulator.hubs.forms import expiration_meant, form
from mesoflow.simulator.wire.core import Caller, HubError, NotAStream
from mesoflow.simulator.world.agents import quotes_seen, require_provider, serving
from mesoflow.simulator.world.contracts import multiplier_of, option_of
from mesoflow.simulator.world.errors import Refused, bad, missing
from mesoflow.simulator.world.figures import BASES, Block, Figures, Holding
from mesoflow.simulator.world.positions import IDS_MAX, PositionFigures, id_lists
from mesoflow.simulator.world.world import World

Answer = dict[str, Any]


class DataHub(Hub):
    """Snapshots and streams."""

    name = "data"

    def __init__(self, world: World, clock: SimulatorClock, ahead: Callable[[], None]) -> None:
        super().__init__(world, clock, ahead)
        # A stream shows what the snapshot of its name shows, whenever that has changed.
        looks: dict[str, Callable[[Any, datetime], Answer]] = {
            "Position": self._position,
            "Leg": self._leg,
            "Legs": self._legs,
            "Underlying": self._underlying,
            "Contract": self._contract,
            "ComboContracts": self._combo,
        }
        self.handlers = {f"Get{name}Snapshot": partial(flagged, look) for name, look in looks.items()}
        self._streams = {f"Stream{name}Data": look for name, look in looks.items()}

    def served(self) -> dict[str, Literal["invoke", "stream"]]:
        return super().served() | dict.fromkeys(self._streams, "stream")

    def stream(self, target: str, arguments: list[Any], caller: Caller) -> AsyncIterator[object]:
        method = self._method(target)
        if method.kind != "stream":
            raise NotAStream(target)
        try:
            args = self._arguments(method, arguments)
            self._look(method, args)
        except Refused as refusal:
            raise HubError(str(refusal)) from None
        return self._items(method, args)

    async def _items(self, method: Method, args: Args) -> AsyncIterator[object]:
        """The latest figures, each time they differ from those sent before."""
        sent, number = None, 0
        while True:
            try:
                found = self._look(method, args)
            except Refused as refusal:
                raise HubError(str(refusal)) from None
            if sent is None or _values(found) != _values(sent):
                sent = found
                item = method.result_model.model_validate(found, context="write")
                number += 1
                drops = self._world.faults.stream_drops
                if not drops or number % drops:
                    yield form(item, self._world.faults, self._clock.now())
            await self._wait()

    def _look(self, method: Method, args: Args) -> Answer:
        now = self._clock.now()
        self._world.advance(now)
        try:
            require_flags(args)
            return self._streams[method.name](args, now)
        finally:
            self._ahead()

    async def _wait(self) -> None:
        """Until quotes may have changed."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()

        def wake() -> None:
            if not ready.done():
                ready.set_result(None)

        timer = self._clock.call_at(self._world.market.next_step(self._clock.now()), wake)
        try:
            await ready
        finally:
            timer.cancel()

    # --- what is asked ---------------------------------------------------------------------------------------------

    def _position(self, args: PositionDataArgs, now: datetime) -> Answer:
        positions = self._world.positions
        position = positions.get(args.position_id)
        seen = self._seen(args.provider, position.broker_account_id, now)
        figures = positions.figures(positions.legs(position.id), now, seen)
        blocks: tuple[tuple[str, str, str, str, Callable[[], Any]], ...] = (
            (
                "position_prices",
                str(args.include_position),
                "Prices",
                "one",
                lambda: figures.prices(position.qty_multiplier),
            ),
            ("position_greeks", str(args.include_position), "Greeks", "one", figures.greeks),
            ("position_pnls", str(args.include_position), "PnL", "one", figures.pnl),
            ("leg_prices", str(args.include_legs), "Prices", "many", figures.leg_prices),
            ("leg_greeks", str(args.include_legs), "Greeks", "many", figures.leg_greeks),
            ("leg_pnls", str(args.include_legs), "PnL", "many", figures.leg_pnls),
            ("leg_group_prices", str(args.include_leg_groups), "Prices", "many", figures.group_prices),
            ("leg_group_greeks", str(args.include_leg_groups), "Greeks", "many", figures.group_greeks),
            ("leg_group_pnls", str(args.include_leg_groups), "PnL", "many", figures.group_pnls),
        )
        fields = {
            "Prices": str(args.price_fields),
            "Greeks": str(args.greek_fields),
            "PnL": str(args.pnl_fields),
        }
        return {
            name: _shown(compute(), fields[flag], many=shape == "many") if has_flag(include, flag) else None
            for name, include, flag, shape, compute in blocks
        }

    def _leg(self, args: LegDataArgs, now: datetime) -> Answer:
        leg = self._world.positions.leg(args.leg_id)
        figures = self._world.positions.figures([leg], now, self._seen(args.provider, leg.account_id, now))
        return {
            name: None if found is None else found[leg.id]
            for name, found in zip(("prices", "greeks", "pnl"), _by_leg(figures, args), strict=True)
        }

    def _legs(self, args: LegsDataArgs, now: datetime) -> Answer:
        where, values = id_lists(args.leg_ids)
        legs = [leg for _, leg in self._world.positions.leg_documents.find(where, values)]
        absent = sorted(set(args.leg_ids) - {leg.id for leg in legs})
        if absent:
            raise missing("leg", absent[0])
        # Legs of several accounts are as old as the oldest of their agents' quotes.
        seen = [self._seen(args.provider, account, now) for account in {leg.account_id for leg in legs}]
        figures = self._world.positions.figures(legs, now, min(seen, default=None))
        return dict(zip(("leg_prices", "leg_greeks", "leg_pnls"), _by_leg(figures, args), strict=True))

    def _underlying(self, args: UnderlyingDataArgs, now: datetime) -> Answer:
        block = self._figures(args.provider, now).underlying(args.underlying.symbol)
        if block is None:
            raise missing("underlying", args.underlying.symbol)
        return {
            "prices": _shown(block, str(args.price_fields), many=False)
            if has_flag(str(args.include), "Prices")
            else None
        }

    def _contract(self, args: ContractDataArgs, now: datetime) -> Answer:
        figures = self._figures(args.provider, now)
        holding = self._one_of(args.contract)
        return _two(args, figures.prices(figures.quote(holding.option)), figures.greeks(holding))

    def _combo(self, args: ComboContractsDataArgs, now: datetime) -> Answer:
        """One of each contract is held; one that is named twice is held twice."""
        figures = self._figures(args.provider, now)
        if not 0 < len(args.contracts) <= IDS_MAX:
            raise bad("Contracts", f"a package has 1 to {IDS_MAX} contracts")
        holdings = [self._one_of(contract) for contract in args.contracts]
        if self._world.faults.combo_ratio:
            holdings = list(dict.fromkeys(holdings))
        greeks = figures.total_greeks([figures.greeks(holding) for holding in holdings])
        return _two(args, figures.package(holdings), greeks)

    def _one_of(self, contract: LiveContract) -> Holding:
        if self._world.faults.expiration_date and contract.expiration is not None:
            meant = expiration_meant(contract.expiration)
            contract = contract.model_copy(update={"expiration": meant})
        option = option_of(contract)
        return Holding(option, Decimal(1), multiplier_of(option.underlying))

    # --- whose quotes ----------------------------------------------------------------------------------------------

    def _figures(self, provider: object, now: datetime) -> Figures:
        """Of a provider that must be named."""
        require_provider(provider, needed=True)
        return Figures(self._world.market, now, quotes_seen([str(provider)], now, self._world.faults))

    def _seen(self, provider: object, account: str, now: datetime) -> datetime:
        """Until when a provider has brought quotes; unnamed, it is the account's own."""
        require_provider(provider, needed=False)
        if provider is not None:
            return quotes_seen([str(provider)], now, self._world.faults)
        broker = str(self._world.accounts.kept(account)[1].broker_type)
        return quotes_seen(serving(broker), now, self._world.faults)


def _two(args: ContractDataArgs | ComboContractsDataArgs, prices: Block, greeks: Block) -> Answer:
    """Prices and greeks, as far as they were asked for."""
    include = str(args.include)
    return {
        "prices": _chosen(prices, str(args.price_fields)) if has_flag(include, "Prices") else None,
        "greeks": _chosen(greeks, str(args.greek_fields)) if has_flag(include, "Greeks") else None,
    }


def _by_leg(figures: PositionFigures, args: LegDataArgs | LegsDataArgs) -> list[dict[int, Block] | None]:
    """Prices, greeks and profit by leg, as far as they were asked for."""
    blocks = (
        ("Prices", args.price_fields, figures.leg_prices),
        ("Greeks", args.greek_fields, figures.leg_greeks),
        ("PnL", args.pnl_fields, figures.leg_pnls),
    )
    return [
        _shown(compute(), str(fields), many=True) if has_flag(str(args.include), flag) else None
        for flag, fields, compute in blocks
    ]


def _shown(found: Any, fields: str, *, many: bool) -> Any:  # noqa: ANN401 - a block, or blocks by id
    """The bases that were asked for; the others are null, and so are their ages."""
    if many:
        return {id: _chosen(block, fields) for id, block in found.items()}
    return _chosen(found, fields)


def _chosen(block: Block, fields: str) -> Block:
    dropped = [basis for basis in BASES if not has_flag(fields, basis)]
    return block | {name: None for basis in dropped for name in (basis, f"{basis}_age_ms")}


def _values(found: Any) -> Any:  # noqa: ANN401 - nested blocks
    """Figures without the times at which they were taken."""
    if isinstance(found, Mapping):
        return {
            key: _values(value)
            for key, value in found.items()
            if key != "snapshot_time" and not str(key).endswith("_age_ms")
        }
    return found
