"""`mesoflow doctor`: connect, look at everything that can be read, and say where it is not as we believe."""

from __future__ import annotations

import argparse
import shutil

from mesoflow.cli.byhand.calling import still
from mesoflow.cli.byhand.where import ground_by_hand, where
from mesoflow.cli.doctor.report import report_of, report_text
from mesoflow.cli.doctor.visit import Visit
from mesoflow.cli.exits import Exit
from mesoflow.cli.ground import to_read
from mesoflow.cli.hubs import Choice
from mesoflow.cli.starting import on_loop
from mesoflow.runtime.home import StateHome

WIDTH = 118


def run(args: argparse.Namespace) -> int:
    """Look."""
    home, choice = where(args.state, args.hub)
    return on_loop(choice, None, _look(args, home, choice))


async def _look(args: argparse.Namespace, home: StateHome, choice: Choice) -> int:
    async with ground_by_hand(home, choice) as ground:
        with still(ground):
            hub = await to_read(ground)
            try:
                visit = Visit(hub)
                await visit.make()
            finally:
                await hub.close()
    report = report_of(visit, choice.name)
    if args.format == "json":
        from mesoflow.review.render.json import json_text

        print(json_text(report))
    else:
        from mesoflow.logs import redact

        print(redact(report_text(report, shutil.get_terminal_size((WIDTH, 40)).columns)))
    return Exit.REFUSED if report["differs"] else Exit.FINE
