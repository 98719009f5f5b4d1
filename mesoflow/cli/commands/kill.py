"""`mesoflow kill`: no order leaves this state home any more; every working order of ours is withdrawn and confirmed."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Sequence
from pathlib import Path

from mesoflow.cli.config import read_config
from mesoflow.cli.exits import Exit
from mesoflow.cli.killing import Killed, Killing
from mesoflow.cli.starting import writing
from mesoflow.runtime.halting import halt, halted_by


def run(args: argparse.Namespace) -> int:
    """Halt first, then see to it that nothing works any more."""
    by = getpass.getuser()
    with writing(args.state) as (home, journal):
        first = halt(home, journal, by, args.reason)
        runs = Killing(home, journal, read_config(home.path), by, args.reason).all()
        _said(args, home.path, halted_by(home), first, runs)
    return Exit.FINE if all(run.is_sure for run in runs) else Exit.HUMAN


def _said(args: argparse.Namespace, home: Path, said: str, first: bool, runs: Sequence[Killed]) -> None:
    if args.format == "json":
        from mesoflow.review.render.json import json_text

        body = {"format_version": 1, "state_home": str(home), "halted": said, "first": first}
        print(json_text({**body, "runs": [run.value() for run in runs]}))
        return
    print(f"halted   {home}" if first else f"halted   {home}, and it was already: {said}")
    for one in runs:
        print(f"  run      {one.run_id}  {one.state}{f' ({one.reason})' if one.reason else ''}")
        for order, filled in one.withdrawn.items():
            print(f"           order {order} withdrawn and confirmed, {filled} filled")
        for order in one.alive:
            print(
                f"           order {order} may be alive: nobody has confirmed that it stopped; look at the broker"
            )
        for path in one.unknown:
            print(
                f"           unknown: {path}; look at the broker, then `mesoflow settle {one.run_id} {path} …`"
            )
        if one.why:
            print(f"           not withdrawn: {one.why}")
    if not runs:
        print("  runs     none that is not over")
    print("  release  mesoflow release      nothing is started or resumed, and no order leaves, until then")
