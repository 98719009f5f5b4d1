"""`mesoflow show RUN`: one run, from its journal alone."""

from __future__ import annotations

import argparse

from mesoflow.cli.exits import Exit
from mesoflow.cli.reading import one_standing, reading, report_of


def run(args: argparse.Namespace) -> int:
    """Show it."""
    from mesoflow.review.render.json import report_json
    from mesoflow.review.render.text import report_text

    with reading(args.state) as (home, journal):
        standing = one_standing(home, journal, args.run)
        assert journal is not None
        report = report_of(journal, standing)
    print(report_json(report) if args.format == "json" else report_text(report))
    return Exit.FINE
