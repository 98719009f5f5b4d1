"""`mesoflow journal RUN`: the raw record as JSON lines; `--verify` checks the chains instead, in full."""

from __future__ import annotations

import argparse
import sys

from mesoflow.cli.exits import Exit
from mesoflow.cli.reading import no_such_run, reading
from mesoflow.journal.records import Record
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.runtime.refusal import NOT_THERE, Refusal


def run(args: argparse.Namespace) -> int:
    """Print or verify."""
    if args.run is None and not args.verify:
        print("mesoflow journal: give a run, or --verify for the whole state home", file=sys.stderr)
        return Exit.USAGE
    with reading(args.state) as (home, journal):
        if journal is None:
            raise Refusal(NOT_THERE, f"nothing has run in {home.path}", help=("mesoflow run PLAYBOOK",))
        if args.run is not None and journal.last(args.run) is None:
            raise no_such_run(home, journal, args.run)
        if args.verify:
            return _verify(journal, args)
        _print(journal, args.run)
    return Exit.FINE


def _verify(journal: SqliteJournal, args: argparse.Namespace) -> int:
    wrong = journal.verify(args.run)
    what = args.run or "the whole state home"
    if args.format == "json":
        from mesoflow.review.render.json import json_text

        print(json_text({"format_version": 1, "verified": what, "intact": not wrong, "findings": wrong}))
    elif wrong:
        print(f"{what}: damaged\n" + "\n".join(f"  {sentence}" for sentence in wrong))
        print("  help     nothing is sent from a damaged journal; restore the whole state home from a copy")
    else:
        print(f"{what}: intact; every record and commit is what was written")
    return Exit.REFUSED if wrong else Exit.FINE


def _print(journal: SqliteJournal, run_id: str) -> None:
    from mesoflow.review.render.json import json_text

    for record in journal.read(run_id):
        print(json_text(_line(record), indent=None))


def _line(record: Record) -> dict[str, object]:
    return {
        "format_version": 1,
        "run_seq": record.run_seq,
        "home_seq": record.home_seq,
        "kind": record.kind,
        "hash": record.hash,
        "body": record.body,
    }
