"""Walks of several policies at one moment of one simulated world: the product's ladders at the simulator's broker.

No runner, no journal and no rails: only the order discipline of a walk, in simulated time. One order is alive at a time; a
rung's order is taken back, and the next leaves when its end has been told, with the broker's delays between. All walks of a
world begin together on the same quotes. Each is of one package, less than is ever shown, so they take nothing from one another.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from mesoflow.hubs.models.orders import CancelOrderArgs, Order, SendOrderArgs
from mesoflow.hubs.models.prepares import PreparePositionEntryArgs, PreparePositionEntryResult
from mesoflow.simulator.draws import whole
from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.world.contracts import option_of
from mesoflow.simulator.world.store import FIRST_IDS
from mesoflow.simulator.world.world import BEGINNING, Profile, World
from mesoflow.trading.combos import PackageQuote, package_quote
from mesoflow.trading.orders import Quote
from mesoflow.trading.prices import Ladder, PricePolicy, freeze
from mesoflow.trading.ticks import tick_table

ACCOUNT = "IB-1"
# A prepare job of the simulator has ended by then.
_PREPARED_WITHIN = timedelta(seconds=10)
# Entries are prepared at a second between 10:05 and 14:00 in New York, drawn from the seed.
_FIRST, _SECONDS = BEGINNING + timedelta(minutes=5), 4 * 3600 - 300
# All walks of a world share its account; its margin must not be what decides.
_RICH = Decimal(100_000_000)
_ENDS = ("Filled", "Cancelled", "Rejected", "Expired")


@dataclass(frozen=True, slots=True)
class Package:
    """One prepared entry: what a package of it is, and its market at decision time."""

    strategy: int
    plan: int
    ratio: Mapping[str, int]
    contracts: Mapping[str, Option]
    quote: PackageQuote


class Rung(NamedTuple):
    """One order of a walk: when it left, its limit, and how it ended."""

    at: datetime
    limit: Decimal
    state: str


@dataclass(slots=True)
class Walked:
    """What became of one walk. Prices are signed, + paid, − received. `crossed`: the fill took the far side of the market;
    `left`: what the package cost at natural when a walk was over that had not filled."""

    policy: str
    package: Package
    began: datetime
    rungs: list[Rung] = field(default_factory=list)
    filled_at: datetime | None = None
    price: Decimal | None = None
    crossed: bool = False
    left: Decimal | None = None

    @property
    def conceded(self) -> Decimal | None:
        """Points worse than the mid at decision time; None: not filled."""
        return None if self.price is None else self.price - self.package.quote.mid

    @property
    def after_s(self) -> float | None:
        """Seconds from the decision to the fill."""
        return None if self.filled_at is None else (self.filled_at - self.began).total_seconds()

    @property
    def all_in(self) -> Decimal:
        """As `conceded`, and where nothing filled, with the package taken at natural in the end."""
        paid = self.price if self.price is not None else self.left
        assert paid is not None, "a walk that is over has filled, or what is left has a price"
        return paid - self.package.quote.mid


class Wait(NamedTuple):
    """Until an order has been told to be over, or until then."""

    order: int
    until: datetime | None


class Street:
    """A new world with a prepared entry, at the moment of decision. `package` None: there is none, or it is not allowed."""

    def __init__(self, folder: Path, seed: int, profile: Profile, strategy: int) -> None:
        self.world = World(folder, seed=seed, profile=profile)
        self.now = _FIRST + timedelta(seconds=whole(seed, "decision", below=_SECONDS))
        with self.world.core.change(self.now):
            self.world.accounts.book(ACCOUNT, _RICH)
        self._over: set[int] = set()
        self.world.events.listeners.append(self._hear)
        self.world.jobs.start_entry(_wanted(strategy), self.now, self.world.records)
        self.now += _PREPARED_WITHIN
        self.world.advance(self.now)
        self.package = self._prepared()

    def close(self) -> None:
        self.world.close()

    def _hear(self, _: object, __: object, event: Any) -> None:
        if getattr(event, "order_id", None) is not None and str(event.state) in _ENDS:
            self._over.add(event.order_id)

    # --- what is traded ------------------------------------------------------------------------------------------------

    def _prepared(self) -> Package | None:
        if self.world.store.row("SELECT 1 FROM plans") is None:
            return None
        plan = self.world.plans.get(FIRST_IDS["plans"])
        if not isinstance(plan.result, PreparePositionEntryResult) or not plan.result.entry_allowed:
            return None
        contracts = {name: option_of(leg.live_contract) for name, leg in plan.legs.items()}
        ratio = {name: int(leg.qty) for name, leg in plan.legs.items()}
        return Package(plan.strategy, plan.id, ratio, contracts, self.quote(ratio, contracts))

    def quote(self, ratio: Mapping[str, int], contracts: Mapping[str, Option]) -> PackageQuote:
        """The package's market now, from its legs' own quotes."""
        snapshot, legs = self.world.market.at(self.now), []
        for name, count in ratio.items():
            shown = snapshot.quote(contracts[name])
            assert shown is not None, "it was selected from what is traded"
            legs.append((count, Quote(shown.bid, shown.ask)))
        return package_quote(legs)

    # --- walking -------------------------------------------------------------------------------------------------------

    def play(self, policies: Mapping[str, PricePolicy], within: timedelta) -> list[Walked]:
        """Every policy, all at once, to the end."""
        if self.package is None:
            return []
        walked = [Walked(name, self.package, self.now) for name in policies]
        walks = [
            self._walk(one, ladder_of(policies[one.policy], one.package), self.now + within) for one in walked
        ]
        waits = {walk: next(walk) for walk in walks}
        while waits:
            self._pass(waits.values())
            for walk, wait in list(waits.items()):
                if wait.order in self._over or (wait.until is not None and wait.until <= self.now):
                    following = next(walk, None)
                    if following is None:
                        del waits[walk]
                    else:
                        waits[walk] = following
        return walked

    def _pass(self, waits: Iterable[Wait]) -> None:
        """Until the next thing happens, or somebody has waited long enough. In these minutes nothing happens but to orders:
        no job is under way, and contracts of the day trade until the close."""
        nobody = self.now + timedelta(minutes=1)
        horizon = min((wait.until for wait in waits if wait.until is not None), default=nobody)
        due = self.world.broker.next_due(horizon)
        self.now = horizon if due is None else min(due, horizon)
        if due == self.now:
            self.world.broker.happen(due)

    def _walk(self, walked: Walked, ladder: Ladder, until: datetime) -> Generator[Wait, None, None]:
        for number, stand in enumerate(ladder.stands(), 1):
            key = f"{walked.package.strategy} {walked.policy} {number}"
            sent_at, order = self.now, self._send(walked.package, stand.price, key)
            yield Wait(order, until if stand.length is None else min(sent_at + stand.length, until))
            if order not in self._over:
                self._cancel(order, f"{key} cancel")
                yield Wait(order, None)
            ended = self.world.broker.desk.get(order, self.now)
            walked.rungs.append(Rung(sent_at, stand.price, str(ended.state)))
            if ended.state == "Rejected":
                raise SystemExit(
                    f"seed {self.world.seed}: the broker rejected {key}, which says nothing about prices"
                )
            if ended.state == "Filled":
                self._filled(walked, ended)
                return
            if self.now >= until:
                break
        walked.left = self.quote(walked.package.ratio, walked.package.contracts).natural

    def _filled(self, walked: Walked, order: Order) -> None:
        assert order.avg_fill_price is not None and order.filled_at is not None, "it has filled"
        walked.price, walked.filled_at = order.avg_fill_price, order.filled_at
        placed = self.world.broker.orders.get(order.order_id)
        package = None if placed is None else self.world.broker.package(placed)
        quote = None if package is None else package.quote(order.filled_at)
        assert quote is not None, "it was matched against a quote"
        walked.crossed = order.avg_fill_price * 100 >= quote.natural

    def _send(self, package: Package, limit: Decimal, key: str) -> int:
        order = {
            "order_type": "Limit",
            "time_in_force": "DAY",
            "limit_price": limit,
            "stop_price": None,
            "leg_names": None,
        }
        args = {
            "idempotency_key": key,
            "replaces_order": None,
            "broker_account_id": ACCOUNT,
            "exec_plan_id": package.plan,
            "qty_multiplier": None,
            "leg_group_id": 1,
            "leg_group_order": order,
        }
        id = self.world.broker.desk.send(SendOrderArgs.read(args), self.now, self.world.records).live_order_id
        assert id is not None, "the simulator names its orders at once"
        return id

    def _cancel(self, order: int, key: str) -> None:
        args = CancelOrderArgs.read({"idempotency_key": key, "live_order_id": order})
        self.world.broker.desk.cancel(args, self.now, self.world.records)


def ladder_of(policy: PricePolicy, package: Package) -> Ladder:
    """The prices of a policy, frozen on the quotes of decision time."""
    return freeze(policy, package.quote, tick_table("SPX").for_order(len(package.ratio)))


def _wanted(strategy: int) -> PreparePositionEntryArgs:
    wanted = {
        "idempotency_key": f"prepare {strategy}",
        "position_name": f"of {strategy}",
        "strategy_id": strategy,
        "broker_account_id": ACCOUNT,
        "leg_selection_constraint": "FullyUnique",
        "underlying": None,
        "data_provider": None,
    }
    return PreparePositionEntryArgs.read(wanted)
