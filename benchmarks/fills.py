"""What a walk of prices concedes and how often it fills, policy by policy, over 1,000 seeded markets.
`python -m benchmarks.fills [MARKETS] [PROFILE] [FIRST_SEED]`. With one market it tells every order of every walk.

Packages, one each: template 104's iron condor of the day (four legs), and template 101's put calendar (two legs). A market is
a world of one seed on Thursday, 16 January 2025; the entries are decided at a time drawn from the seed, and all policies
begin there, each within two minutes. Ours is read from plans/live-like-iron-condor.yaml.

filled     of all walks; and within the first minute
conceded   points a package worse than the mid at decision time: mean and quartiles of what filled
seconds    from the decision to the fill: quartiles
crossed    fills that took the far side of the market: the price had reached natural, or natural had come to it
all in     conceded by all walks, where one that did not fill takes natural when it is over: what fills alone do not show

What it can say: how these policies rank under one hazard, whose constants are chosen by hand and not calibrated
(data/broker.json); it is no forecast of fills. `strict` counts a resting limit as one package tick worse than it is, and
nothing below 35 % of the way fills. A tick is about 1 % of the calendar's width, so there `strict` differs little from
`realistic`; of the condor's it is about 14 %, so an order at its mid (below it, once rounded in our favour) waits for the
market to come, and much of what fills has crossed it. Look at `all in` before `filled`: whoever ends at natural always fills.

Simulated time, the product's ladders, the simulator's broker with its delays and its order of things (cancel, confirmed,
next price). Left out: rails, quote gates, commissions. Orders of one seed have the same quotes, but each its own luck.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import fmean
from time import perf_counter
from typing import Any, get_args

from benchmarks._walks import Street, Walked, ladder_of
from mesoflow.playbook.load import read
from mesoflow.playbook.tree import to_value
from mesoflow.simulator.world.world import Profile
from mesoflow.trading.prices import PricePolicy

MARKETS, FIRST_SEED, WITHIN = 1000, 1, timedelta(minutes=2)
PLAN = Path(__file__).parents[1] / "plans" / "live-like-iron-condor.yaml"
STRATEGIES = {104: "SPX 0DTE iron condor", 101: "SPX put calendar 30/60"}
# From near to natural is the whole width: mid is at 50 %, natural at 100 %.
COMMON: dict[str, dict[str, Any]] = {
    "fixed at mid": {"start": "mid"},
    "mid to natural in 5 steps, 10 s": {
        "start": "mid",
        "step": "10% of quote_width",
        "every": "10s",
        "worst": {"from_natural": 0},
    },
    "a tick every 10 s, to 25 % of width": {
        "start": "mid",
        "step": "1 tick",
        "every": "10s",
        "worst": {"from_mid": "25% of quote_width"},
    },
    "from 66 % of the way to 75 %": {
        "start": {"from_mid": "16% of quote_width"},
        "step": "1 tick",
        "every": "10s",
        "worst": {"from_mid": "25% of quote_width"},
    },
}
OURS = "ours"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: one policy with one package."""

    walks: int
    filled: float
    in_a_minute: float
    conceded: float
    quartiles: tuple[float, float, float]
    seconds: tuple[float, float, float]
    crossed: float
    all_in: float


def written_price(plan: Path = PLAN) -> dict[str, Any]:
    """What the first `orders.work` of a playbook has under `price`."""
    return _find(to_value(read(plan, plan.name).root)["steps"])


def _find(steps: list[dict[str, Any]]) -> dict[str, Any]:
    for step in steps:
        if step.get("action") == "orders.work":
            price: dict[str, Any] = step["with"]["price"]
            return price
        found = _find(step.get("steps", []))
        if found:
            return found
    return {}


@cache
def policies() -> dict[str, PricePolicy]:
    """All that are compared."""
    written = {**COMMON, OURS: written_price()}
    return {name: PricePolicy.model_validate(words) for name, words in written.items()}


def market(seed: int, profile: Profile) -> list[Walked]:
    """All walks of one seed, a world for each package; fewer where an entry could not be prepared."""
    return [one for strategy in STRATEGIES for one in _walks(seed, profile, strategy)]


def _walks(seed: int, profile: Profile, strategy: int) -> list[Walked]:
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        street = Street(Path(folder), seed, profile, strategy)
        try:
            return street.play(policies(), WITHIN)
        finally:
            street.close()


def _memory() -> str | None:
    """Worlds that nobody keeps need no disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


# --- the table ---------------------------------------------------------------------------------------------------------


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """A quarter, half and three quarters of the values are not above these; values that occur, by the nearest rank."""
    if not values:
        return (float("nan"),) * 3
    ranked = sorted(values)
    first, second, third = (ranked[max(0, -(-len(ranked) * quarter // 4) - 1)] for quarter in (1, 2, 3))
    return first, second, third


def row_of(walks: Sequence[Walked]) -> Row:
    """The figures of some walks."""
    conceded = [float(one.conceded) for one in walks if one.conceded is not None]
    seconds = [one.after_s for one in walks if one.after_s is not None]
    return Row(
        walks=len(walks),
        filled=len(conceded) / len(walks),
        in_a_minute=sum(after <= 60 for after in seconds) / len(walks),
        conceded=fmean(conceded) if conceded else float("nan"),
        quartiles=quartiles(conceded),
        seconds=quartiles(seconds),
        crossed=sum(one.crossed for one in walks) / len(conceded) if conceded else float("nan"),
        all_in=fmean(float(one.all_in) for one in walks),
    )


def show(walks: Sequence[Walked]) -> None:
    """Print a table a package."""
    for strategy, title in STRATEGIES.items():
        own = [one for one in walks if one.package.strategy == strategy]
        if not own:
            print(f"\n{strategy} {title}: no entry could be prepared")
            continue
        one_each = {id(one.package): one.package for one in own}.values()
        print(f"\n{strategy} {title}: {len(one_each)} markets, {_width(one_each)}")
        print(
            f"{'':36}{'filled':>8}{'in 60 s':>9}{'conceded':>10}{'quartiles':>22}{'seconds':>16}{'crossed':>9}{'all in':>8}"
        )
        for name in policies():
            print(_line(name, row_of([one for one in own if one.policy == name])))


def _width(packages: Any) -> str:
    first, half, third = quartiles([float(package.quote.width) for package in packages])
    return f"from near to natural {half:.2f} points (quartiles {first:.2f} and {third:.2f})"


def _line(name: str, row: Row) -> str:
    conceded = " ".join(f"{value:6.3f}" for value in row.quartiles)
    seconds = " ".join(f"{value:4.0f}" for value in row.seconds)
    return (
        f"{name:36}{row.filled:>8.1%}{row.in_a_minute:>9.1%}{row.conceded:>10.3f}{conceded:>22}{seconds:>16}"
        f"{row.crossed:>9.0%}{row.all_in:>8.3f}"
    )


# --- one market, told ----------------------------------------------------------------------------------------------------


def tell(walks: Sequence[Walked]) -> None:
    """Print every order of every walk."""
    for one in walks:
        near, mid, natural = one.package.quote
        ladder = ladder_of(policies()[one.policy], one.package)
        print(
            f"\n{STRATEGIES[one.package.strategy]}, {one.policy}: {near} {mid} {natural}, worst {ladder.worst}"
        )
        for rung in one.rungs:
            print(f"  {(rung.at - one.began).total_seconds():7.2f} s  {rung.limit:>7}  {rung.state}")
        print(
            f"  {one.after_s:7.2f} s  {one.price:>7}  conceded {one.conceded}"
            if one.price
            else f"  at natural {one.left}"
        )


def main(argv: list[str]) -> int:
    """Print the tables."""
    count = int(argv[0]) if argv else MARKETS
    profile: Any = argv[1] if argv[1:] else "strict"
    first = int(argv[2]) if argv[2:] else FIRST_SEED
    if count < 1 or profile not in get_args(Profile):
        print(f"a number of markets, then one of {', '.join(get_args(Profile))}", file=sys.stderr)
        return 2
    seeds = range(first, first + count)
    if count == 1:
        tell(market(first, profile))
        return 0
    began = perf_counter()
    with ProcessPoolExecutor() as pool:
        walks = [
            one for some in pool.map(partial(market, profile=profile), seeds, chunksize=10) for one in some
        ]
    took, used = perf_counter() - began, getrusage(RUSAGE_CHILDREN)
    print(
        f"seeds {first} to {seeds[-1]}, profile {profile}, each walk within {WITHIN.total_seconds():.0f} s of simulated time"
    )
    print(f"took {took:.0f} s, with {used.ru_utime + used.ru_stime:.0f} s of processor")
    print(f"one of them, order by order: python -m benchmarks.fills 1 {profile} SEED")
    show(walks)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
