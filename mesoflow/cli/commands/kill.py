"""`mesoflow kill`: no order leaves this state home any more; every working order of ours is withdrawn and confirmed.

`--flatten` exits what is open first and halts then, whatever became of it: also where it raised, or was interrupted.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mesoflow.cli.config import read_config
from mesoflow.cli.exits import Exit
from mesoflow.cli.flat import Open
from mesoflow.cli.flattening import NAME, Flattened, Flattening, open_now
from mesoflow.cli.killing import Killed, Killing
from mesoflow.cli.starting import writing
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.runtime.halting import halt, halted_by, reduce
from mesoflow.runtime.home import StateHome


@dataclass(slots=True)
class Flat:
    """What became of flattening. `refused`: the home was halted already, so nothing could be exited. `before`: the runs that
    were stopped for it."""

    refused: bool
    runs: Sequence[Flattened] = ()
    before: Mapping[str, Killed] = field(default_factory=dict)
    open: Sequence[Open] = ()

    def value(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "refused": "halted" if self.refused else None,
            "runs": [run.value() for run in self.runs],
            "open": [one.value() for one in self.open],
        }


@dataclass(frozen=True, slots=True)
class Told:
    """What a kill came to. `first`: it was not halted before. `flat` None: nobody asked to flatten."""

    home: Path
    halted: str
    first: bool
    runs: Sequence[Killed]
    flat: Flat | None

    @property
    def is_sure(self) -> bool:
        """Whether no order can be alive and, where that was asked for, nothing is open."""
        return all(run.is_sure for run in self.runs) and not (self.flat is not None and self.flat.open)


def run(args: argparse.Namespace) -> int:
    """Halt, then see to it that nothing works any more."""
    if args.allow_live and not args.flatten:
        print("mesoflow kill: --allow-live is for --flatten; a kill alone sends nothing", file=sys.stderr)
        return Exit.USAGE
    by = getpass.getuser()
    with writing(args.state) as (home, journal):
        flat = Flat(home.is_halted()) if args.flatten else None
        try:
            if flat is not None and not flat.refused:
                _flatten(args, home, journal, by, flat)
        finally:
            first = halt(home, journal, by, args.reason)
        runs = Killing(home, journal, read_config(home.path), by, args.reason).all()
        if flat is not None:
            runs = [run.after(flat.before.get(run.run_id)) for run in runs]
            flat.open = open_now(home, journal, flat.runs)
        told = Told(home.path, halted_by(home), first, runs, flat)
        _said(args, told)
    return Exit.FINE if told.is_sure else Exit.HUMAN


def _flatten(args: argparse.Namespace, home: StateHome, journal: SqliteJournal, by: str, flat: Flat) -> None:
    """From here on exits only; everybody else parks; then what is open is exited.

    Runners are asked first: one that heard of REDUCING alone would see its next rung refused, and fail instead of parking.
    """
    config = read_config(home.path)
    killing = Killing(home, journal, config, by, args.reason, spared=NAME)
    killing.ask_the_living()
    reduce(journal, by, args.reason or "kill --flatten")
    if args.format == "text":
        words = "exits only, until nothing is open; halted then, in any case"
        print(f"reducing {home.path}: {words}", flush=True)
    flat.before = {run.run_id: run for run in killing.all()}
    flattening = Flattening(home, journal, config, args, killing.all)
    flat.runs = flattening.runs
    flattening.go()


# --- what is said ------------------------------------------------------------------------------------------------------


def _said(args: argparse.Namespace, told: Told) -> None:
    if args.format == "json":
        from mesoflow.review.render.json import json_text

        body: dict[str, Any] = {
            "format_version": 1,
            "state_home": str(told.home),
            "halted": told.halted,
            "first": told.first,
        }
        if told.flat is not None:
            body["flatten"] = told.flat.value()
        print(json_text({**body, "runs": [run.value() for run in told.runs]}))
        return
    again = "" if told.first else f", and it was already: {told.halted}"
    print(f"halted   {told.home}{again}")
    if told.flat is not None:
        _said_of_flat(told.flat)
    for one in told.runs:
        _said_of_run(one)
    if not told.runs:
        print("  runs     none that is not over")
    print("  release  mesoflow release      nothing is started or resumed, and no order leaves, until then")


def _said_of_run(one: Killed) -> None:
    print(f"  run      {one.run_id}  {one.state}{f' ({one.reason})' if one.reason else ''}")
    for order, filled in one.withdrawn.items():
        print(f"           order {order} withdrawn and confirmed, {filled} filled")
    for order in one.alive:
        print(
            f"           order {order} may be alive: nobody has confirmed that it stopped; look at the broker"
        )
    for path in one.unknown:
        print(f"           unknown: {path}; look at the broker, then `mesoflow settle {one.run_id} {path} …`")
    if one.why:
        print(f"           not withdrawn: {one.why}")


def _said_of_flat(flat: Flat) -> None:
    if flat.refused:
        print("  flatten  nothing was exited: while the home is halted no order leaves; release it first")
    for one in flat.runs:
        print(f"  flatten  {one.run_id or 'no run'}  {one.state}{f' ({one.reason})' if one.reason else ''}")
        if one.why:
            print(f"           {one.why}")
    for left in flat.open:
        print(f"  open     {left}")
        if left.why:
            print(f"           {left.why}")
    if not flat.open:
        print("  open     nothing")
    elif named := [one.run_id for one in flat.runs if one.run_id]:
        print(f"           mesoflow show {named[-1]}      what was tried; what is open is left to you")
