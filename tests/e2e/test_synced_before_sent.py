"""The sync of each intent precedes its send, as the kernel saw it: the installed command under strace, its hub another process."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.support.lab import MESOFLOW, QUICKSTART, ROOT, Lab
from tests.support.traced import STRACE, Event, Sent, Synced, early_sends, events, why_not

# entry/start, buy/fill, exit/start, sell/fill: the calls of the quickstart that carry a key.
KEYED = 4


@pytest.fixture(scope="module")
def happened(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    reason = why_not()
    if reason is not None:
        pytest.skip(f"{reason}: that a sync precedes each send was shown through the file system only")
    folder = tmp_path_factory.mktemp("traced")
    trace = folder / "trace"
    with Lab(folder / "lab") as lab:
        command = [*STRACE, "-o", str(trace), MESOFLOW, "run", *QUICKSTART]
        environment = {**os.environ, "MESOFLOW_HOME": str(lab.home)}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stdout + done.stderr
    return events(trace)


def test_the_sync_of_each_intent_precedes_its_send(happened: list[Event]) -> None:
    assert len({event.key for event in happened if isinstance(event, Sent)}) == KEYED
    assert early_sends(happened) == []


def test_a_journal_that_does_not_sync_is_caught(happened: list[Event]) -> None:
    """The mutant of the checker: the same trace as `synchronous = OFF` would leave it."""
    never = [event for event in happened if not isinstance(event, Synced)]
    assert len(early_sends(never)) == KEYED


def test_a_sync_that_comes_after_the_send_is_caught(happened: list[Event]) -> None:
    """Another one: each sync happens only once the frame has left."""
    late: list[Event] = []
    waiting = 0
    for event in happened:
        if isinstance(event, Synced):
            waiting += 1
            continue
        late.append(event)
        if isinstance(event, Sent):
            late += [Synced()] * waiting
            waiting = 0
    assert len(early_sends(late)) == KEYED
