"""From a request to a conclusion: the ground, the start's key and id, the locks, the run, and what is said at its end.

run, resume and cancel differ in how they come to a run; from there on they are one.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from mesoflow.cli.config import Config, read_config
from mesoflow.cli.embedded import EmbeddedWish, embedded_ground
from mesoflow.cli.exits import Exit, exit_of
from mesoflow.cli.ground import Ground, remote_ground
from mesoflow.cli.hubs import Choice, choose
from mesoflow.cli.in_force import in_force, pinned, policy_now, require_runs_left
from mesoflow.cli.reading import all_standings, one_standing, report_of
from mesoflow.cli.running import Conduct, Quiet, View, standing
from mesoflow.cli.version import VERSION
from mesoflow.cli.views.out import put
from mesoflow.engine.control import Machine
from mesoflow.engine.semantics import SEMANTICS
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.playbook.compile import Compiled
from mesoflow.runtime.halting import require_released
from mesoflow.runtime.holdings import at_same_hub, holdings
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.idle_loop import new_idle_loop
from mesoflow.runtime.programs import program_digest, program_value, read_program
from mesoflow.runtime.refusal import OTHER_HUB, OTHER_VERSION, Refusal
from mesoflow.runtime.standing import Standing, standing_of
from mesoflow.runtime.starts import NewRun, Skipped, Wish, decide_start, run_of
from mesoflow.trading.sessions import Calendar

# A lock that somebody only looks at is free again in an instant; one that is held stays held.
LOCK_TRIES = 5
LOCK_PAUSE_S = 0.04


@contextmanager
def writing(state: str | None) -> Iterator[tuple[StateHome, SqliteJournal]]:
    """The home, and its journal to write."""
    home = StateHome.open(state)
    journal = home.journal()
    try:
        yield home, journal
    finally:
        journal.close()


def on_loop(choice: Choice, speed: float | None, main: Coroutine[Any, Any, int]) -> int:
    """Run on the loop that the hub needs: in simulated time where the simulator is ours."""
    factory = None if choice.url is not None else lambda: new_idle_loop(speed)
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


# --- run ---------------------------------------------------------------------------------------------------------------


def start(args: argparse.Namespace, compiled: Compiled, faults: Mapping[str, Any] | None = None) -> int:
    """`mesoflow run`. `faults`: the value of a faults file, for a new embedded world."""
    with writing(args.state) as (home, journal):
        require_released(home)
        config = read_config(home.path)
        choice = choose(args.hub, config)
        return on_loop(choice, args.speed, _start(args, compiled, home, journal, config, choice, faults))


async def _start(
    args: argparse.Namespace,
    compiled: Compiled,
    home: StateHome,
    journal: SqliteJournal,
    config: Config,
    choice: Choice,
    faults: Mapping[str, Any] | None,
) -> int:
    runs = all_standings(home, journal)
    wish_ = EmbeddedWish(
        seed=args.seed,
        profile=args.profile,
        faults=faults,
        since=lambda world: last_in_world(journal, runs, world),
    )
    async with ground_of(home, choice, wish_, None) as ground:
        wish = wish_of(args, compiled, ground.clock.now())
        if args.or_resume and (there := run_of(wish, runs)) is not None:
            return await go_on(args, home, journal, config, ground, there)
        decided = decide_start(wish, journal, runs)
        if isinstance(decided, Skipped):
            return _skipped(args, decided)
        with run_lock(home, decided.run_id):
            # Somebody may have begun in the meantime; under the lock of the id what is there stays there.
            runs = all_standings(home, journal)
            decided = decide_start(wish, journal, runs)
            if isinstance(decided, Skipped):
                return _skipped(args, decided)
            policy = policy_now(home)
            require_runs_left(journal, runs, ground.where, wish, compiled.risk, policy)
            started = first_record(args, compiled, ground, wish, decided, journal, runs)
            started["policy"] = pinned(policy)
            return await _conducted(args, home, journal, config, ground, started, new=True)


def wish_of(args: argparse.Namespace, compiled: Compiled, now: datetime) -> Wish:
    """What the person asked for, at this time of the hub."""
    program = compiled.program
    assert program is not None
    return Wish(
        playbook=program.name,
        accounts=tuple(str(account) for account in compiled.risk.get("accounts", [])),
        once_per=str(program.start.get("once_per", "session")),
        session_date=Calendar.load(program.session).session_of(now),
        run_id=args.run_id,
        again=args.again,
    )


def first_record(
    args: argparse.Namespace,
    compiled: Compiled,
    ground: Ground,
    wish: Wish,
    decided: NewRun,
    journal: SqliteJournal,
    runs: Sequence[Standing],
) -> dict[str, Any]:
    """The body of `started`: everything that the run pins."""
    program = compiled.program
    assert program is not None
    accounts = list(wish.accounts)
    return {
        "run_id": decided.run_id,
        "playbook": program.name,
        "nonce": ground.nonce_of(decided.run_id),
        "program": program_value(program),
        "digest": program_digest(program),
        "semantics": SEMANTICS,
        "version": VERSION,
        "sources": dict(compiled.sources),
        "files": dict(compiled.files),
        "inputs": dict(compiled.inputs),
        "risk": dict(compiled.risk),
        "accounts": accounts,
        "session_date": wish.session_date,
        "hub": {**ground.where, "account": ", ".join(accounts) or None},
        "habits": dict(ground.habits),
        "encoding": "json",
        "start_key": decided.key.value() if decided.key is not None else None,
        "first_net_liquidation": first_net_liquidation(journal, ground.where, wish, runs),
        "ledger": holdings(journal, ground.where, runs),
        "options": {
            "playbook": str(Path(args.playbook).resolve()),
            "hub": args.hub,
            "environment": args.env,
            "set": dict(args.sets),
            "again": args.reason,
        },
        "at": ground.clock.now(),
    }


def first_net_liquidation(
    journal: SqliteJournal, where: Mapping[str, Any], wish: Wish, runs: Sequence[Standing]
) -> dict[str, Any]:
    """Per account, this home's first read of it in the session at this hub: what `day_pnl` is measured from."""
    found: dict[str, Any] = {}
    for run in reversed(runs):
        if run.started["session_date"] != wish.session_date or not at_same_hub(run.started, where):
            continue
        for record in journal.read(run.run_id):
            if record.kind == "settled":
                _note_account(found, record.body["outcome"].get("done"))
    return {account: value for account, value in found.items() if account in wish.accounts}


def _note_account(found: dict[str, Any], answer: Any) -> None:  # noqa: ANN401 - any answer of the hub
    account = answer.get("account") if isinstance(answer, Mapping) else None
    if isinstance(account, Mapping) and account.get("net_liquidation_value") is not None:
        found.setdefault(str(account["broker_account_id"]), account["net_liquidation_value"])


def last_in_world(journal: SqliteJournal, runs: Sequence[Standing], world: str) -> datetime | None:
    """The last time that the journal knows of in an embedded world: its clock does not start before that."""
    here = [
        run
        for run in runs
        if run.started["hub"]["kind"] == "embedded" and run.started["hub"]["world"] == world
    ]
    times = [run.at for run in here if run.at is not None]
    # A run that said no last word has done something since the time that its standing knows of.
    newest = [journal.last(run.run_id) for run in here if not run.over]
    times += [record.body["at"] for record in newest if record is not None and "at" in record.body]
    return max(times, default=None)


# --- resume, cancel ----------------------------------------------------------------------------------------------------


def resume(args: argparse.Namespace, cancel: str | None = None) -> int:
    """`mesoflow resume`, and `cancel` of a run that nobody runs."""
    with writing(args.state) as (home, journal):
        there = one_standing(home, journal, args.run)
        return resumed(args, home, journal, there, cancel)


def resumed(
    args: argparse.Namespace, home: StateHome, journal: SqliteJournal, there: Standing, cancel: str | None
) -> int:
    """Go on with a run, if it is not over."""
    if there.over:
        return _over(args, journal, there)
    if cancel is None and args.command != "cancel":
        require_released(home)
    config = read_config(home.path)
    choice = choice_of(there.started, config)
    return on_loop(
        choice, getattr(args, "speed", None), _resume(args, home, journal, config, choice, there, cancel)
    )


async def _resume(
    args: argparse.Namespace,
    home: StateHome,
    journal: SqliteJournal,
    config: Config,
    choice: Choice,
    there: Standing,
    cancel: str | None,
) -> int:
    wish = EmbeddedWish(
        world=there.started["hub"]["world"],
        since=lambda world: last_in_world(journal, all_standings(home, journal), world),
    )
    async with ground_of(home, choice, wish, there.at) as ground:
        return await go_on(args, home, journal, config, ground, there, cancel)


async def go_on(
    args: argparse.Namespace,
    home: StateHome,
    journal: SqliteJournal,
    config: Config,
    ground: Ground,
    there: Standing,
    cancel: str | None = None,
) -> int:
    """Resume a run on its ground. What does not fit is refused with both sides shown."""
    if there.over:
        return _over(args, journal, there)
    with run_lock(home, there.run_id):
        journal.check(there.run_id)
        now = standing_of(journal, there.run_id, lambda _: False)
        assert now is not None
        if now.over:
            return _over(args, journal, now)
        require_same(there.started, ground)
        return await _conducted(args, home, journal, config, ground, there.started, new=False, cancel=cancel)


def choice_of(started: Mapping[str, Any], config: Config) -> Choice:
    """The hub that a run began with: by the name it was given then, if that still means the same, else by its URL."""
    hub = started["hub"]
    if hub["kind"] == "embedded":
        return Choice("sim")
    named = started["options"].get("hub")
    if named in config.hubs:
        return choose(named, config)
    return choose(hub["url"], config)


def require_same(started: Mapping[str, Any], ground: Ground) -> None:
    """The hub, the semantics and the program are those that the run began with. Raises Refusal."""
    was = {name: started["hub"].get(name) for name in ("kind", "url", "world", "identity")}
    now = {name: ground.where.get(name) for name in was}
    if was != now:
        raise Refusal(
            OTHER_HUB,
            f"{started['run_id']} began at another hub",
            (("then", _hub_words(was)), ("now", _hub_words(now))),
            ("resume it where it began: an unknown outcome can only be asked for there",),
        )
    if started["semantics"] != SEMANTICS:
        raise Refusal(
            OTHER_VERSION,
            f"{started['run_id']} was begun by mesoflow {started['version']}, whose engine replays otherwise",
            (
                ("then", f"semantics {started['semantics']}"),
                ("now", f"semantics {SEMANTICS}, mesoflow {VERSION}"),
            ),
            (f"install mesoflow {started['version']} and resume it with that",),
        )
    digest = program_digest(read_program(started["program"]))
    if digest != started["digest"]:
        raise Refusal(
            OTHER_VERSION,
            f"the program of {started['run_id']} is not the one that its first record pins",
            (("pinned", started["digest"]), ("stored", digest)),
            ("mesoflow journal --verify", "nothing was sent"),
        )


def _hub_words(hub: Mapping[str, Any]) -> str:
    return ", ".join(str(value) for value in hub.values() if value is not None)


# --- both --------------------------------------------------------------------------------------------------------------


@contextmanager
def run_lock(home: StateHome, run_id: str) -> Iterator[None]:
    """Be the run's runner. Raises RunHeld; a lock that somebody only looked at is tried again."""
    for _ in range(LOCK_TRIES - 1):
        if not home.is_run_held(run_id):
            break
        time.sleep(LOCK_PAUSE_S)
    with home.run_lock(run_id):
        yield


def ground_of(home: StateHome, choice: Choice, wish: EmbeddedWish, since: datetime | None) -> Any:  # noqa: ANN401 - a context manager
    """Where the run stands: the embedded simulator, or a hub by its address."""
    return embedded_ground(home, wish) if choice.url is None else remote_ground(choice, since)


async def _conducted(
    args: argparse.Namespace,
    home: StateHome,
    journal: SqliteJournal,
    config: Config,
    ground: Ground,
    started: Mapping[str, Any],
    *,
    new: bool,
    cancel: str | None = None,
) -> int:
    here = in_force(args, home, journal, started, new=new, cancel=cancel is not None)
    conduct = Conduct(
        home=home,
        journal=journal,
        ground=ground,
        targets=config.targets(),
        started=started,
        epoch=journal.claim(started["run_id"]),
        new=new,
        view_of=lambda machine, now: view_of(args, started, machine, now),
        cancel=cancel,
        under=here,
        allow_live=getattr(args, "allow_live", False),
    )
    _note_changed_file(args, started, new=new)
    conclusion = await conduct.go()
    state, reason = standing(conclusion)
    _said(args, journal, started["run_id"])
    return exit_of(state, reason, detailed=getattr(args, "detailed_exit_code", False))


def view_of(
    args: argparse.Namespace, started: Mapping[str, Any], machine: Machine, now: Callable[[], datetime]
) -> View:
    """Drawn on a terminal, lines in a pipe, nothing where JSON is wanted."""
    if args.format == "json":
        return Quiet()
    if sys.stdout.isatty():
        from mesoflow.cli.views.live import Live

        return Live(f"{started['run_id']}  {', '.join(started['accounts'])}", machine.program, now)
    from mesoflow.cli.views.lines import Lines

    put(f"{started['run_id']}  {', '.join(started['accounts'])}  {started['hub']['kind']}")
    return Lines(machine.program, put, now)


def _note_changed_file(args: argparse.Namespace, started: Mapping[str, Any], *, new: bool) -> None:
    """A run goes on with what it began with, and says when the file says something else by now."""
    path = Path(started["options"].get("playbook") or "")
    if new or args.format == "json" or not path.is_file():
        return
    if path.read_text(encoding="utf-8-sig", errors="replace") != next(
        iter(started["sources"].values()), None
    ):
        put(
            f"note: {path} has changed since the run began; the run goes on with what it began with",
        )


def _said(args: argparse.Namespace, journal: SqliteJournal, run_id: str) -> None:
    """How it stands now, in the caller's format."""
    there = standing_of(journal, run_id, lambda _: False)
    assert there is not None
    report = report_of(journal, there)
    if args.format == "json":
        from mesoflow.review.render.json import report_json

        put(report_json(report))
    else:
        from mesoflow.review.render.text import ending_text

        put(ending_text(report))


def _over(args: argparse.Namespace, journal: SqliteJournal, there: Standing) -> int:
    """Nothing runs; the exit code is that with which the run ended."""
    _said(args, journal, there.run_id)
    return exit_of(there.state, detailed=getattr(args, "detailed_exit_code", False))


def _skipped(args: argparse.Namespace, skipped: Skipped) -> int:
    if args.format == "json":
        from mesoflow.review.render.json import json_text

        body = {"run_id": skipped.earlier.run_id, "state": skipped.earlier.state, "text": skipped.text}
        put(json_text({"format_version": 1, "skipped": body}))
    else:
        put(f'skipped: {skipped.text}\n  help     `--again --reason "…"` starts a second run on purpose')
    return Exit.SKIPPED if args.detailed_exit_code else Exit.FINE
