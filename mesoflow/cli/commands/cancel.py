"""`mesoflow cancel RUN`: asks the run's runner; where none lives, or it dies meanwhile, becomes the runner and does it."""

from __future__ import annotations

import argparse
import getpass
import time
from collections.abc import Mapping
from typing import Any

from mesoflow.cli.exits import exit_of
from mesoflow.cli.reading import one_standing
from mesoflow.cli.starting import resumed, writing
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.inbox import LOOK_EVERY_S, ask_cancel
from mesoflow.runtime.refusal import NOT_WANTED, Refusal
from mesoflow.runtime.standing import Standing


def run(args: argparse.Namespace) -> int:
    """Cancel it."""
    by = getpass.getuser()
    with writing(args.state) as (home, journal):
        there = one_standing(home, journal, args.run)
        if there.over:
            raise _is_over(there)
        if there.state != "running":
            reason = f"cancelled by {by}" + (f": {args.reason}" if args.reason else "")
            return resumed(args, home, journal, there, reason)
        row = ask_cancel(journal, args.run, by, args.reason)
        answer = _wait(home, journal, args.run, row)
        if answer is not None:
            return _answered(args, answer)
        return _instead(args, home, journal, row)


def _wait(home: StateHome, journal: SqliteJournal, run_id: str, row: int) -> Mapping[str, Any] | None:
    """The runner's answer; None when the lock has fallen free without one."""
    while True:
        answer = journal.answer_of(row)
        if answer is not None:
            return answer
        if not home.is_run_held(run_id):
            return journal.answer_of(row)
        time.sleep(LOOK_EVERY_S)


def _instead(args: argparse.Namespace, home: StateHome, journal: SqliteJournal, row: int) -> int:
    """Nobody runs it any more. The row stands, and whoever runs the run next takes it up: that is us."""
    there = one_standing(home, journal, args.run)
    if there.over:
        answer = {"state": there.state, "reason": ""}
        journal.answer(row, answer)
        return _answered(args, answer)
    try:
        return resumed(args, home, journal, there, None)
    except Exception as error:
        # We tell our caller that it did not happen, so it must not happen behind his back later.
        journal.answer(row, {"refused": str(error)})
        raise


def _answered(args: argparse.Namespace, answer: Mapping[str, Any]) -> int:
    state, reason = answer["state"], answer["reason"]
    if args.format == "json":
        from mesoflow.review.render.json import json_text

        print(json_text({"format_version": 1, "run_id": args.run, "state": state, "reason": reason or None}))
    else:
        print(f"{args.run}  {state}{f' ({reason})' if reason else ''}\n  show     mesoflow show {args.run}")
    return exit_of(state, reason)


def _is_over(there: Standing) -> Refusal:
    return Refusal(
        NOT_WANTED, f"{there.run_id} is over: {there.state}", help=(f"mesoflow show {there.run_id}",)
    )
