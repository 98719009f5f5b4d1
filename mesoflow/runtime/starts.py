"""The key of a start, the id of a run, and what a second start with the same key comes to (LANGUAGE.md §2, Start).

    the first run is active, or can be resumed      refused, and told so
    it ended after an order was intended            skipped
    it ended before any                             a new run, `-2`
    `--again --reason …`                            a new run in any case; not while an outcome is unknown

The answer is a function of the home's journal; nothing is stored for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mesoflow.engine.effects import Value
from mesoflow.journal.store import Journal
from mesoflow.runtime.bodies import Intent
from mesoflow.runtime.refusal import ID_TAKEN, RUN_EXISTS, Refusal
from mesoflow.runtime.standing import DIED, TRADES, Standing, has_traded, open_intents

EXCHANGE = ZoneInfo("America/New_York")
ONCE_PER = ("session", "week", "never")


@dataclass(frozen=True, slots=True)
class StartKey:
    """`period` is the session date, or the Monday of its week. None in place of a key: `once_per: never`."""

    playbook: str
    accounts: tuple[str, ...]
    once_per: str
    period: date

    def value(self) -> dict[str, Value]:
        """As the first record holds it."""
        return {
            "playbook": self.playbook,
            "accounts": list(self.accounts),
            "once_per": self.once_per,
            "period": self.period,
        }

    def __str__(self) -> str:
        day = f"{self.period:%a} {self.period.day} {self.period:%b %Y}"
        when = day if self.once_per == "session" else f"the week of {day}"
        return f"{self.playbook} · {', '.join(self.accounts)} · {when}"


@dataclass(frozen=True, slots=True)
class NewRun:
    """Start a run of this id. `key` is None for `once_per: never`."""

    run_id: str
    key: StartKey | None


@dataclass(frozen=True, slots=True)
class Skipped:
    """Nothing runs, and that is right: `earlier` has done the session's work."""

    earlier: Standing
    text: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person asked for: options of `run`."""

    playbook: str
    accounts: tuple[str, ...]
    once_per: str
    session_date: date
    run_id: str | None = None
    again: bool = False


def period_of(once_per: str, session_date: date) -> date:
    """The date in a run's id and in its key."""
    return session_date - timedelta(days=session_date.weekday()) if once_per == "week" else session_date


def key_of(wish: Wish) -> StartKey | None:
    """The start key, None where a playbook may run as often as somebody likes."""
    if wish.once_per == "never":
        return None
    period = period_of(wish.once_per, wish.session_date)
    return StartKey(wish.playbook, tuple(sorted(wish.accounts)), wish.once_per, period)


def decide_start(wish: Wish, journal: Journal, runs: Sequence[Standing]) -> NewRun | Skipped:
    """What this start comes to. `runs` newest first. Raises Refusal."""
    key = key_of(wish)
    taken = {run.run_id for run in runs}
    if wish.run_id is not None and wish.run_id in taken:
        raise _id_taken(next(run for run in runs if run.run_id == wish.run_id))
    mine = [] if key is None else [run for run in runs if run.started.get("start_key") == key.value()]
    if wish.again:
        _none_unknown(journal, mine, key)
    else:
        skipped = _held_back(journal, mine, key)
        if skipped is not None:
            return skipped
    return NewRun(wish.run_id or _free_id(wish, taken), key)


def run_of(wish: Wish, runs: Sequence[Standing]) -> Standing | None:
    """`--or-resume`: the run of `--run-id`, else the newest of the start key."""
    if wish.run_id is not None:
        return next((run for run in runs if run.run_id == wish.run_id), None)
    key = key_of(wish)
    if key is None:
        return None
    return next((run for run in runs if run.started.get("start_key") == key.value()), None)


def _held_back(journal: Journal, mine: Sequence[Standing], key: StartKey | None) -> Skipped | None:
    assert key is not None or not mine
    for run in mine:
        if not run.over:
            raise _exists(journal, run, str(key), key.once_per if key else "")
    for run in mine:
        if has_traded(journal, run.run_id):
            when = "this week" if key and key.once_per == "week" else "this session"
            return Skipped(run, f"{run.run_id} has traded in {when} and is {run.state}; nothing is started")
    return None


def _none_unknown(journal: Journal, mine: Sequence[Standing], key: StartKey | None) -> None:
    for run in mine:
        unknown = [] if run.over else open_intents(journal, run.run_id)
        if any(intent.method in TRADES for intent in unknown):
            raise _exists(journal, run, str(key), key.once_per if key else "")


def _free_id(wish: Wish, taken: set[str]) -> str:
    base = f"{wish.playbook}-{period_of(wish.once_per, wish.session_date).isoformat()}"
    if base not in taken:
        return base
    number = 2
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"


# --- texts -------------------------------------------------------------------------------------------------------------


def _exists(journal: Journal, run: Standing, key: str, once_per: str) -> Refusal:
    period = "this week" if once_per == "week" else "this session"
    verb = "is running" if run.state == "running" else "has already run"
    return Refusal(
        RUN_EXISTS,
        f"{run.started['playbook']} {verb} in {period}",
        (
            ("key", f"{key}        (start: {{once_per: {once_per}}})"),
            ("run", told(run, open_intents(journal, run.run_id))),
        ),
        _instead(run),
    )


def _instead(run: Standing) -> tuple[str, ...]:
    if run.state == "running":
        return (
            f"mesoflow show {run.run_id}         how it goes",
            f"mesoflow cancel {run.run_id}       ends it",
        )
    return (
        f"mesoflow resume {run.run_id}         settles what is open first, then goes on",
        '(`--again --reason "…"` starts a second run on purpose; not while an outcome is unknown)',
    )


def _id_taken(run: Standing) -> Refusal:
    return Refusal(
        ID_TAKEN,
        f"there is a run {run.run_id} already",
        (("run", told(run, [])),),
        (f"mesoflow show {run.run_id}", "or choose another --run-id; --or-resume goes on with this one"),
    )


def told(run: Standing, unknown: Sequence[Intent]) -> str:
    """A run in one line: since when, and where it stands."""
    since = f"{run.run_id}, since {clock_time(run.started['at'])}"
    if run.state == "running":
        return f"{since}, running"
    if run.over:
        return f"{since}, {run.state} at {clock_time(run.at)}"
    step = run.path or (unknown[0].path if unknown else "")
    where = f' in step "{step.split("/")[0]}"' if step else ""
    why = _open(unknown) or (run.words if run.reason != DIED else "its runner is gone")
    return f"{since}, stopped at {clock_time(run.at).removesuffix(' ET')}{where}: {why}"


def _open(unknown: Sequence[Intent]) -> str:
    if not unknown:
        return ""
    orders = sum(intent.method in TRADES for intent in unknown)
    what = f"{_many(orders, 'order')}" if orders else _many(len(unknown), "call")
    return f"{what}, outcome unknown"


def _many(number: int, thing: str) -> str:
    return f"one {thing}" if number == 1 else f"{number} {thing}s"


def clock_time(at: datetime | None, zone: ZoneInfo = EXCHANGE) -> str:
    """A time of the exchange's day, as people read it."""
    return f"{at.astimezone(zone):%H:%M:%S} ET" if at is not None else "an unknown time"
