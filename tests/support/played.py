"""A playbook played by the command in this process, with dials set on its embedded world, and the evidence of both sides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mesoflow.cli.__main__ import main
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.rehearsal.evidence import Evidence, gather
from mesoflow.simulator.clock import EmbeddedClock
from mesoflow.simulator.faults import Faults
from mesoflow.simulator.simulator import Simulator
from tests.support.virtual_loop import VirtualLoop

Dial = Callable[[Simulator], None]


def undisturbed(simulator: Simulator) -> None:
    """No dial."""


def played(
    playbook: Path, home: Path, monkeypatch: pytest.MonkeyPatch, dial: Dial = undisturbed
) -> tuple[int, Evidence]:
    """Exit code, and what journal and world hold afterwards."""
    honest = Simulator.open.__func__  # type: ignore[attr-defined]

    def opened(cls: type[Simulator], *arguments: Any, **named: Any) -> Simulator:
        simulator: Simulator = honest(cls, *arguments, **named)
        dial(simulator)
        return simulator

    with monkeypatch.context() as patched:
        patched.setenv("MESOFLOW_HOME", str(home))
        patched.setattr(Simulator, "open", classmethod(opened))
        code = main(["run", str(playbook)])
    return code, evidence_of(home)


def evidence_of(home: Path, world: Path | None = None) -> Evidence:
    """Of a home and its world, the home's own or one that was served, which nobody holds any more."""
    loop = VirtualLoop()
    journal = SqliteJournal.open(home / "journal.db", read_only=True)
    folder = world or home / "worlds" / "default"
    simulator = Simulator.open(folder, lambda at: EmbeddedClock(loop, at), faults=Faults())
    try:
        return gather(journal, simulator.world.ledger)
    finally:
        simulator.close()
        loop.close()
        journal.close()
