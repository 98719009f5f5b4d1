"""`mesoflow runs`: the history of a state home, newest first."""

from __future__ import annotations

import argparse

from mesoflow.cli.exits import Exit
from mesoflow.cli.reading import all_standings, reading
from mesoflow.engine.effects import Value
from mesoflow.runtime.standing import Standing


def run(args: argparse.Namespace) -> int:
    """List them."""
    with reading(args.state) as (home, journal):
        rows = [run_row(standing) for standing in all_standings(home, journal)]
    if args.format == "json":
        from mesoflow.review.render.json import json_text

        print(json_text({"format_version": 1, "runs": rows}))
    else:
        print(
            runs_text(rows) if rows else f"nothing has run in {home.path}\n  next     mesoflow run PLAYBOOK"
        )
    return Exit.FINE


def run_row(standing: Standing) -> dict[str, Value]:
    """One run, as JSON has it."""
    started = standing.started
    return {
        "run_id": standing.run_id,
        "state": standing.state,
        "reason": standing.reason or None,
        "words": standing.words or None,
        "playbook": started["playbook"],
        "accounts": started["accounts"],
        "hub": started["hub"]["kind"],
        "session_date": started["session_date"],
        "started_at": started["at"],
        "last_at": standing.at,
    }


def runs_text(rows: list[dict[str, Value]]) -> str:
    """A table."""
    from mesoflow.review.words import moment

    width = max(len(row["run_id"]) for row in rows)
    lines = []
    for row in rows:
        state = row["state"] + (f" ({row['reason']})" if row["reason"] else "")
        lines.append(
            f"{row['run_id'].ljust(width)}  {state.ljust(22)}  {moment(row['started_at'])}  {', '.join(row['accounts'])}".rstrip()
        )
    return "\n".join(lines)
