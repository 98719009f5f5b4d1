"""What commands that only look need: the state home, its journal read-only, how runs stand, the report of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast, get_args

from mesoflow.runtime.home import StateHome
from mesoflow.runtime.refusal import NOT_THERE, Refusal
from mesoflow.runtime.standing import Standing, standing_of, standings

if TYPE_CHECKING:
    from mesoflow.journal.sqlite import SqliteJournal
    from mesoflow.review.report import Report


@contextmanager
def reading(state: str | None) -> Iterator[tuple[StateHome, SqliteJournal | None]]:
    """The home and its journal; None in place of a journal where nothing has ever run."""
    home = StateHome.open(state)
    if not home.has_journal():
        yield home, None
        return
    journal = home.journal(read_only=True)
    try:
        yield home, journal
    finally:
        journal.close()


def all_standings(home: StateHome, journal: SqliteJournal | None) -> list[Standing]:
    """All runs, newest first."""
    return [] if journal is None else standings(journal, home.is_run_held)


def one_standing(home: StateHome, journal: SqliteJournal | None, run_id: str) -> Standing:
    """One run. Raises Refusal, with names that are near."""
    if journal is not None:
        found = standing_of(journal, run_id, home.is_run_held)
        if found is not None:
            return found
    raise no_such_run(home, journal, run_id)


def no_such_run(home: StateHome, journal: SqliteJournal | None, run_id: str) -> Refusal:
    """The refusal for a run that is not there."""
    from difflib import get_close_matches

    names = [row.run_id for row in journal.runs()] if journal is not None else []
    near = get_close_matches(run_id, names, n=3)
    rows = tuple(("near", name) for name in near) or (("home", str(home.path)),)
    return Refusal(NOT_THERE, f"there is no run {run_id}", rows, ("mesoflow runs lists them",))


def report_of(journal: SqliteJournal, standing: Standing) -> Report:
    """The report of one run."""
    from mesoflow.review.building import Stand, build_report
    from mesoflow.review.report import State
    from mesoflow.runtime.machine import machine_of

    records = list(journal.read(standing.run_id))
    assert standing.state in get_args(State)
    stand = Stand(cast("State", standing.state), standing.reason, standing.words, standing.path)
    return build_report(records, machine_of(standing.started), stand)
