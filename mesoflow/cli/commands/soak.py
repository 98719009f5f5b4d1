"""`mesoflow soak --seeds N`: worlds from seeds, their faults drawn; every invariant is checked, a failing seed replays.

`--days`: each is a whole session, six hours of market with a fault every five minutes (rehearsal/days.py).

Each command of a world is a process of its own, forked from one that has everything imported and has played once: it can
really be killed, and is left behind as a dead process is. Nothing of it touches the person's own state home.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path

from mesoflow.cli.exits import Exit
from mesoflow.rehearsal import staging
from mesoflow.rehearsal.days import play_day
from mesoflow.rehearsal.soak import Played, play
from mesoflow.rehearsal.staging import Stage

# Worlds are written and thrown away: in memory where the system has a folder for that.
_MEMORY = Path("/dev/shm")


def run(args: argparse.Namespace) -> int:
    """Play them."""
    begun, worlds = time.perf_counter(), list[Played]()
    with _ground(args.keep) as folder:
        seeds = range(args.first, args.first + args.seeds)
        for world in played(seeds, folder, keep=args.keep is not None, days=args.days):
            worlds.append(world)
            if args.format == "text":
                for line in told(world, alone=args.seeds == 1, days=args.days):
                    print(line, flush=True)
    minutes = (time.perf_counter() - begun) / 60
    print(
        summary(args.first, worlds, minutes) if args.format == "text" else _json(args.first, worlds, minutes)
    )
    return Exit.REFUSED if any(world.problems for world in worlds) else Exit.FINE


def played(
    seeds: Sequence[int],
    folder: Path,
    *,
    keep: bool = False,
    processes: int | None = None,
    days: bool = False,
) -> Iterator[Played]:
    """Each world, or whole session, as many at a time as there are cores; in the order of their seeds."""
    warm(folder)
    forked = multiprocessing.get_context("fork")
    number = min(processes or os.cpu_count() or 1, len(seeds))
    with forked.Pool(number) as pool:
        yield from pool.imap(partial(_one, folder=folder, keep=keep, days=days), seeds)


def _one(seed: int, folder: Path, keep: bool, days: bool) -> Played:
    there = folder / str(seed)
    world = (play_day if days else play)(seed, there, life)
    if not (keep and world.problems):
        shutil.rmtree(there, ignore_errors=True)
    return world


def warm(folder: Path) -> None:
    """What is made at its first use is made once, before anything is forked: models, schemas, market data."""
    import gc

    play(0, folder / "warm", _in_here)
    shutil.rmtree(folder / "warm", ignore_errors=True)
    gc.collect()
    gc.freeze()


@contextmanager
def _ground(keep: str | None) -> Iterator[Path]:
    if keep is not None:
        yield Path(keep)
        return
    folder = Path(
        tempfile.mkdtemp(prefix="mesoflow-soak-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None)
    )
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# --- one command -------------------------------------------------------------------------------------------------------


def life(home: Path, arguments: Sequence[str], stage: Stage, variables: Mapping[str, str]) -> int:
    """In a process of its own; its exit code, negative where a signal ended it."""
    child = os.fork()
    if child == 0:
        code = int(Exit.BUG)
        try:
            signal.alarm(stage.hangs_after_s)
            staging.STAGE.opened, staging.STAGE.begun = stage.opened, stage.begun
            os.environ.update(variables)
            code = _command(home, arguments)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _in_here(home: Path, arguments: Sequence[str], stage: Stage, variables: Mapping[str, str]) -> int:
    """Undisturbed, in this very process."""
    return _command(home, arguments)


def _command(home: Path, arguments: Sequence[str]) -> int:
    """What it says goes beside its home."""
    from mesoflow.cli.__main__ import main

    place = home.parent / "said.txt"
    with place.open("a", encoding="utf-8") as said, redirect_stdout(said), redirect_stderr(said):
        return int(main([*arguments, "--state", str(home)]))


# --- what came of it ----------------------------------------------------------------------------------------------------


def told(world: Played, *, alone: bool = False, days: bool = False) -> Iterator[str]:
    """What a person reads of a world in which something is wrong; one that is played alone is told whole."""
    if not world.problems and not alone:
        return
    yield f"seed {world.seed}  {world.words}"
    yield f"  exits    {' '.join(map(str, world.codes))}"
    yield from (f"  broken   {problem}" for problem in world.problems)
    if not alone:
        yield f"  replay   mesoflow soak {'--days ' if days else ''}--seeds 1 --first {world.seed} --keep DIR"


def summary(first: int, worlds: Sequence[Played], minutes: float) -> str:
    """All of them in one line."""
    ends = Counter(world.codes[-1] for world in worlds)
    shown = ", ".join(f"{count} in {code}" for code, count in sorted(ends.items()))
    broken = sum(bool(world.problems) for world in worlds)
    processes = sum(len(world.codes) for world in worlds)
    return (
        f"{len(worlds)} worlds from seed {first} on, {processes} processes, {len(worlds) / minutes:.0f} a minute: "
        f"{broken} with violations; the last process ended {shown}"
    )


def _json(first: int, worlds: Sequence[Played], minutes: float) -> str:
    from mesoflow.review.render.json import json_text

    broken = [world for world in worlds if world.problems]
    body = {
        "seeds": len(worlds),
        "first": first,
        "processes": sum(len(world.codes) for world in worlds),
        "seeds_per_minute": round(len(worlds) / minutes),
        "ends": {str(code): n for code, n in sorted(Counter(world.codes[-1] for world in worlds).items())},
        "broken": [
            {"seed": world.seed, "world": world.words, "problems": list(world.problems)} for world in broken
        ],
    }
    return json_text({"format_version": 1, "soak": body})
