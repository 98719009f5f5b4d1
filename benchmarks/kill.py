"""From `mesoflow kill` to the first withdrawal at the broker, in real time. `python -m benchmarks.kill [FOLDER]`.

A run rests an order that does not fill at a served hub, a process of its own; then the installed command kills. Goal: 100 ms
from the moment that HALT is there, which is when nothing more is sent, until the first CancelOrder has arrived.

command    from the shell's start of `mesoflow kill` until HALT is written: Python and its imports, mostly
withdraw   from there to the first CancelOrder that arrives; a living runner looks for HALT every 50 ms
confirmed  from the shell's start until the command has come back, each order confirmed by its terminal state

Once with a runner that lives, and once with one that died by SIGKILL: there the kill connects and withdraws itself. HALT's
time is the file's own, which a kernel stamps up to 4 ms early: what is measured is rather too long.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median
from time import time
from typing import NamedTuple

from benchmarks._goals import at_most
from benchmarks._timed import Stamp, bench, monotonic

ROUNDS, SPEED, GOAL_MS = 5, 10, 100
PLAYBOOK = """\
mesoflow: 1
name: resting
start: {once_per: never}
risk:
  accounts: [IB-1]
  max_contracts_per_order: 4
  max_order_premium: 10000
  max_order_loss: 10000
  max_open_loss: 25000
  max_daily_loss: 10000
  max_distance_from_mid: 10.00
steps:
  - {id: entry, action: entry.prepare, with: {strategy: SPX put calendar 30/60, lots: 1}}
  - id: buy
    action: orders.work
    with: {exec_plan: "{{ steps.entry }}", price: {start: {from_mid: -5.00}}, within: 2h}
"""


class Killed(NamedTuple):
    """Seconds."""

    command: float
    withdraw: float
    confirmed: float


def works(stamp: Stamp) -> bool:
    """An order has been told to work at its broker."""
    return stamp.what == "told" and stamp.about.endswith(" Submitted")


def withdrawn(stamp: Stamp) -> bool:
    """A cancel has arrived."""
    return stamp.what == "call" and stamp.about == "CancelOrder"


def once(folder: Path, *, alive: bool) -> Killed:
    """One kill, in a home and a world of its own."""
    folder.mkdir()
    playbook = folder / "resting.yaml"
    playbook.write_text(PLAYBOOK)
    with bench(folder, SPEED) as at:
        runner = at.run(playbook, "resting")
        at.until(works, runner)
        if not alive:
            runner.kill()
            runner.wait()
        begun = monotonic()
        kill = at.command("kill", "--reason", "measured")
        out, err = kill.communicate(timeout=60)
        confirmed = monotonic() - begun
        said = runner.communicate(timeout=60)
        if kill.returncode != 0 or (alive and runner.returncode != 7):
            raise SystemExit(f"the kill did not end as it should: {kill.returncode} {out}{err}{said}")
        halted = (at.home / "HALT").stat().st_mtime_ns / 1e9 - time() + monotonic()
        return Killed(halted - begun, at.until(withdrawn, kill).at - halted, confirmed)


def main(argv: list[str]) -> int:
    """Print the table."""
    print(f"{'milliseconds, medians':24}{'command':>10}{'withdraw':>10}{'slowest':>10}{'confirmed':>11}")
    with tempfile.TemporaryDirectory(dir=argv[0] if argv else None) as name:
        for title, alive in (("with a living runner", True), ("with a dead runner", False)):
            found = [once(Path(name, f"{alive}-{number}"), alive=alive) for number in range(ROUNDS)]
            command, withdraw, confirmed = (median(row) * 1e3 for row in zip(*found, strict=True))
            slowest = max(one.withdraw for one in found) * 1e3
            goal = at_most(round(withdraw), GOAL_MS, " ms")
            print(f"{title:24}{command:>10.0f}{withdraw:>10.0f}{slowest:>10.0f}{confirmed:>11.0f}{goal}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
