"""From a fill at the broker to the next order on loopback, against the durable commits in between.
`python -m benchmarks.reaction [FOLDER]`.

A playbook enters a package of two leg groups (template 106: two verticals) at prices that fill at once and exits it again,
so many times; when a group has filled the next group's order follows. The simulator is a process of its own, ten times as
fast as the clock on the wall, and imitates how long a broker takes to report. All rows are milliseconds of real time:

broker     from the fill at the broker to the event that leaves the hub: the simulator's, not ours
reaction   from there until the next SendOrder has arrived at the hub
commits    the runner's durable commits in between, each a sync, times a bare commit of 500 bytes (WAL, FULL) on the same
           disk in the same run
calls      the hub's answers in between: position, account, underlying, agent, a quote a leg
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks._timed import Stamp, bench, stamps
from benchmarks.effects import EFFECTS, bare

ROUNDS, SPEED = 8, 10
HEAD = """\
mesoflow: 1
name: reaction
start: {once_per: never}
risk:
  accounts: [IB-1]
  max_contracts_per_order: 10
  max_contracts_per_run: 1000
  max_order_premium: 100000
  max_order_loss: 100000
  max_open_loss: 100000
  max_daily_loss: 100000
  max_distance_from_mid: [60% of mid, 5.00]
steps:
"""
ROUND = """\
  - {{id: entry_{n}, action: entry.prepare, with: {{strategy: NetZero 60-40-20 split, lots: 1}}}}
  - id: enter_{n}
    action: orders.work
    with: {{exec_plan: "{{{{ steps.entry_{n} }}}}", price: {price}, within: 2m}}
  - id: leave_{n}
    action: position.exit
    with: {{position_id: "{{{{ steps.enter_{n}.position_id }}}}", price: {price}, within: 2m}}
  - {{id: rest_{n}, action: wait.for, with: {{duration: 1m}}}}
"""
PRICE = "{start: {from_natural: 0.20}}"


class Reaction(NamedTuple):
    """One fill and the order that followed it, in seconds; how many commits and calls lay between."""

    broker: float
    reaction: float
    commits: int
    calls: int


def playbook(rounds: int) -> str:
    return HEAD + "".join(ROUND.format(n=n, price=PRICE) for n in range(1, rounds + 1))


def reactions(served: Sequence[Stamp], ran: Sequence[Stamp]) -> list[Reaction]:
    """Of each order that was told to be filled: the next order, where nothing was prepared first (that is the next
    position, and not a reaction). Stamps in their order."""
    found = []
    for number, told in enumerate(served):
        if told.what != "told" or not told.about.endswith(" Filled"):
            continue
        later = served[number + 1 :]
        order = next((one for one in later if one.about == "SendOrder"), None)
        if order is None:
            continue
        calls = [one.about for one in later if one.what == "call" and one.at < order.at]
        if any(call.startswith("StartPrepare") for call in calls):
            continue
        filled = next(one for one in reversed(served[:number]) if one.what == "filled")
        commits = sum(told.at < one.at <= order.at for one in ran)
        found.append(Reaction(told.at - filled.at, order.at - told.at, commits, len(calls)))
    return found


def measured(folder: Path) -> tuple[list[Reaction], float]:
    """The reactions, and the seconds of a bare commit."""
    commits = [bare(folder) / EFFECTS]
    text = folder / "reaction.yaml"
    text.write_text(playbook(ROUNDS))
    with bench(folder, SPEED) as at:
        process = at.run(text, "reaction")
        out, err = process.communicate(timeout=600)
        if process.returncode != 0:
            raise SystemExit(f"the measured run ended in {process.returncode}: {out}{err}")
        commits.append(bare(folder) / EFFECTS)
        return reactions(stamps(at.served), stamps(at.ran)), median(commits)


def main(argv: list[str]) -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory(dir=argv[0] if argv else None) as name:
        found, commit = measured(Path(name))
    broker, reaction = (median(getattr(one, what) for one in found) for what in ("broker", "reaction"))
    commits, calls = (median(getattr(one, what) for one in found) for what in ("commits", "calls"))
    worst = max(one.reaction for one in found)
    print(f"{len(found)} fills that another order followed, at speed {SPEED}; medians")
    print(f"broker    {broker * 1e3:7.1f} ms")
    print(
        f"reaction  {reaction * 1e3:7.1f} ms   (slowest {worst * 1e3:.1f} ms)   {reaction / commit:5.1f} bare commits of {commit * 1e3:.2f} ms"
    )
    print(
        f"commits   {commits:7.0f}      {commits * commit / reaction:.0%} of the reaction, if each were a bare one"
    )
    print(
        f"calls     {calls:7.0f}      {(reaction - commits * commit) / max(calls, 1) * 1e3:.1f} ms each with what the runner does between, were that all the rest"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
