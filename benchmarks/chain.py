"""What the simulated market and a prepared entry cost. `python -m benchmarks.chain [ROUNDS]`.

chain     bid and ask, as Decimals on tick, of at least 10,000 SPX contracts (calls and puts of whole expirations) at a
          moment that nobody has asked for before; against nothing but the Black-76 prices of the same contracts, in turns.
          Goal: below 100 ms for 10,000.
quote     one contract's quote with its last trade, and its greeks on four bases.
path      SPX and VIX at a second that nobody has asked for before.
world     making a world, opening it again, preparing an entry (from the call to the stored plan and its event).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks._goals import at_most
from mesoflow.hubs.models.prepares import PreparePositionEntryArgs
from mesoflow.simulator.market import black76
from mesoflow.simulator.market.chain import Expiry, Option
from mesoflow.simulator.market.market import Market, Snapshot
from mesoflow.simulator.market.ticks import from_cents
from mesoflow.simulator.world.figures import Figures, Holding
from mesoflow.simulator.world.world import World

START = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)
CONTRACTS = 10_000
GOAL_MS = 100.0
PUT = Option("SPX", "SPXW", date(2025, 2, 14), Decimal(5970), "Put")


def timed(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def whole_expirations(snapshot: Snapshot) -> list[Expiry]:
    """As many as hold the wanted number of contracts."""
    found: list[Expiry] = []
    count = 0
    for expiry in snapshot.expiries("SPX"):
        if count >= CONTRACTS:
            break
        found.append(expiry)
        count += 2 * len(snapshot.strikes("SPX", expiry))
    return found


def quotes(market: Market, moment: datetime, expiries: list[Expiry]) -> int:
    snapshot, count = market.at(moment), 0
    for expiry in expiries:
        for _, *cents in snapshot.chain("SPX", expiry):
            shown = [from_cents(price) for price in cents]
            count += len(shown) // 2
    return count


def bare_prices(market: Market, moment: datetime, expiries: list[Expiry]) -> int:
    snapshot, count = market.at(moment), 0
    for expiry in expiries:
        smile = snapshot.slice_of(expiry)
        for strike in snapshot.strikes("SPX", expiry):
            for call in (True, False):
                black76.price(smile.terms, float(strike), 0.16, call)
                count += 1
    return count


def chain(rounds: int) -> None:
    market = Market(7)
    expiries = whole_expirations(market.at(START))
    whole: list[float] = []
    bare: list[float] = []
    count = 0
    for n in range(rounds):
        moment = START + timedelta(seconds=2 * n)
        began = perf_counter()
        count = quotes(market, moment, expiries)
        whole.append(perf_counter() - began)
        bare.append(timed(lambda at=moment + timedelta(seconds=1): bare_prices(market, at, expiries)))  # type: ignore[misc]
    per = median(whole) / count
    print(
        f"chain     {count} contracts in {median(whole) * 1e3:.1f} ms: {per * CONTRACTS * 1e3:.1f} ms for 10,000"
        f"{at_most(per * CONTRACTS * 1e3, GOAL_MS, ' ms')}"
    )
    print(
        f"          {median(whole) / median(bare):.2f} times their bare Black-76 prices ({median(bare) * 1e3:.1f} ms)"
    )


def quote(rounds: int) -> None:
    market = Market(7)
    one = [timed(lambda n=n: market.at(START + timedelta(seconds=n)).quote(PUT)) for n in range(rounds * 20)]  # type: ignore[misc]
    holding = Holding(PUT, Decimal(1), Decimal(100))
    greeks = [
        timed(lambda n=n: Figures(market, START + timedelta(seconds=n)).greeks(holding))  # type: ignore[misc]
        for n in range(rounds * 20)
    ]
    print(f"quote     {median(one) * 1e6:.0f} us, greeks on four bases {median(greeks) * 1e6:.0f} us")
    opens = [market.calendar.session(index).opens for index in range(300, 300 + rounds * 20)]
    path = [timed(lambda at=at: market.at(at + timedelta(seconds=9_973))) for at in opens]  # type: ignore[misc]
    print(f"path      {median(path) * 1e6:.0f} us")


def prepare(world: World, n: int, now: datetime) -> None:
    args = PreparePositionEntryArgs.read(
        {
            "idempotency_key": f"key-{n}",
            "position_name": "calendar",
            "strategy_id": 101,
            "broker_account_id": "PAPER-1",
            "leg_selection_constraint": "FullyUnique",
            "underlying": None,
            "data_provider": None,
        }
    )
    world.jobs.start_entry(args, now, world.records)
    world.advance(now + timedelta(seconds=10))


def world(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made: list[float] = []
        opened: list[float] = []
        for n in range(rounds):
            place = Path(folder) / str(n)
            began = perf_counter()
            new = World(place)
            made.append(perf_counter() - began)
            new.close()
            began = perf_counter()
            again = World(place)
            opened.append(perf_counter() - began)
            again.close()
        last = World(Path(folder) / "0")
        times = [timed(lambda n=n: prepare(last, n, START + timedelta(minutes=n))) for n in range(rounds * 3)]  # type: ignore[misc]
        last.close()
    print(
        f"world     made in {median(made) * 1e3:.1f} ms (the first {made[0] * 1e3:.1f}), opened in {median(opened) * 1e3:.1f} ms"
    )
    print(f"          an entry prepared in {median(times) * 1e3:.1f} ms (the first {times[0] * 1e3:.1f})")


def main(argv: list[str]) -> int:
    rounds = int(argv[0]) if argv else 15
    chain(rounds)
    quote(rounds)
    world(rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
