"""The simulator's server is killed and started anew under a living run: at the same port, from the same state.

The run stands still at a crash point while that happens, so it is certain what the server had seen. Afterwards the run ends
done by itself, or it parks with its reason and a resume ends it done: the position is closed, and no key was executed twice.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.lab import QUICKSTART, RUN, Lab, Stopping

EXIT_HUB_AWAY = 8


def restart(lab: Lab, run: Stopping) -> None:
    lab.kill()
    lab.serve()


def restart_once_sent(lab: Lab, run: Stopping) -> None:
    """The request leaves for a server that reads nothing any more, and dies before it could."""
    lab.freeze()
    run.go_on()
    run.stopped()
    restart(lab, run)


# Where the run stands still while the server dies, and how it dies.
CASES: dict[str, tuple[list[str], Callable[[Lab, Stopping], None]]] = {
    "during the prepare": (["committed:entry/start#settled"], restart),
    "between commit and send": (["committed:buy/fill#intended"], restart),
    "sent and never read": (["committed:buy/fill#intended", "sent:buy/fill"], restart_once_sent),
    "sent, perhaps executed": (["sent:sell/fill"], restart),
    "during the wait": (["committed:window/at#settled"], restart),
}


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is wrong in each case, side by side: most of the time they wait for a clock."""
    folders = {name: tmp_path_factory.mktemp(name.replace(" ", "-")) for name in CASES}
    with ThreadPoolExecutor(len(CASES)) as pool:
        return dict(
            zip(CASES, pool.map(lambda name: struck(folders[name], *CASES[name]), CASES), strict=True)
        )


def struck(folder: Path, stop_at: list[str], strike: Callable[[Lab, Stopping], None]) -> str:
    """What is wrong after it, "" if nothing."""
    with Lab(folder) as lab:
        with lab.start("run", *QUICKSTART, stop_at=stop_at) as run:
            run.stopped()
            strike(lab, run)
            code, said = run.to_its_end()
        if code == EXIT_HUB_AWAY and "parked (hub_unavailable)" in said:
            resumed = lab.mesoflow("resume", RUN)
            code, said = resumed.returncode, resumed.stdout + resumed.stderr
        if code != 0:
            return f"exit {code}: {said}"
        lab.stop()
        executed, flat = lab.executed(), lab.is_flat()
    if len(executed) != 2 or len(set(executed)) != 2:
        return f"executed {executed}"
    return "" if flat else "the position is not closed"


@pytest.mark.parametrize("case", CASES)
def test_the_server_is_killed_and_started_anew(problems: dict[str, str], case: str) -> None:
    assert problems[case] == ""
