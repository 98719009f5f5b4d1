"""What a person decides: settle and clear, on a run whose outcome is really unknown, or whose legs really differ."""

import json
from decimal import Decimal as D

import pytest

from mesoflow.cli import embedded
from mesoflow.simulator.faults import Loss
from tests.unit.cli.test_running import QUICKSTART, RUN, command, home  # noqa: F401 - fixtures

PATH = "buy/fill"


@pytest.fixture
def dial(monkeypatch):
    """Set dials of the next worlds that are opened."""

    def turn(patched, change):
        original = embedded.opened

        def opened(world, clock):
            simulator = original(world, clock)
            change(simulator)
            return simulator

        patched.setattr(embedded, "opened", opened)

    return turn


def lost(simulator, *, request=False):
    """The reply of the booking is lost, and its record is gone: the variant that breaks the hub's promise."""
    faults = simulator.world.faults
    (faults.lose_request if request else faults.lose_reply).append(Loss("ApplyPaperFills"))
    faults.record_gone.add("ApplyPaperFills")


@pytest.fixture
def unknown(command, monkeypatch, dial):  # noqa: F811
    """A run that is parked on an unknown: it was executed, and the hub has no record of it."""
    with monkeypatch.context() as patched:
        dial(patched, lost)
        code, out, _ = command("run", QUICKSTART)
    assert code == 4
    assert f"{RUN}  parked (outcome_unknown)" in out
    assert f"mesoflow settle {RUN} {PATH}" in out


def test_an_unknown_is_shown_and_nothing_is_sent_again(command, unknown):  # noqa: F811
    report = json.loads(command("show", RUN, "--format", "json")[1])
    assert [(u["path"], u["method"], u["in_flight"]) for u in report["unknowns"]] == [
        (PATH, "ApplyPaperFills", False)
    ]
    assert [order["ended"] for order in report["orders"]] == ["unknown"]


def test_happened_adopts_the_position_that_the_hub_shows_and_the_run_goes_on(command, unknown):  # noqa: F811
    code, out, err = command("settle", RUN, PATH, "--happened", "1001", "--reason", "seen at the hub")
    assert (code, err) == (0, "")
    assert out == f"{RUN}  {PATH} (ApplyPaperFills): settled, it happened\n  next     mesoflow resume {RUN}\n"
    code, out, _ = command("resume", RUN)
    assert code == 0
    assert "output   position_id = 1001" in out


def test_what_does_not_belong_to_the_exec_plan_is_refused(command, unknown):  # noqa: F811
    code, _, err = command("settle", RUN, PATH, "--happened", "7", "--reason", "a guess")
    assert code == 1
    assert err.startswith("refused[MF506]: the hub has no position 7\n")


def test_did_not_happen_settles_it_as_refused_for_good(command, monkeypatch, dial, home):  # noqa: F811
    with monkeypatch.context() as patched:
        dial(patched, lambda simulator: lost(simulator, request=True))
        patched.setattr("mesoflow.runtime.unknowns.SETTLINGS_MAX", 0)
        assert command("run", QUICKSTART)[0] == 4
    assert command("settle", RUN, PATH, "--did-not-happen", "--reason", "the hub shows nothing")[0] == 0
    code, out, _ = command("resume", RUN)
    assert code == 1
    assert f"{RUN}  failed: rejected" in out
    journal = home().journal()
    decided = [record.body for record in journal.read(RUN) if record.kind == "decided"]
    journal.close()
    assert [(d["path"], d["happened"], d["by"], d["reason"]) for d in decided] == [
        (PATH, False, "anna", "the hub shows nothing")
    ]


def test_only_what_is_unknown_can_be_settled(command, unknown):  # noqa: F811
    code, _, err = command("settle", RUN, "sell/fill", "--did-not-happen", "--reason", "x")
    assert code == 1
    assert err == (
        f"refused[MF506]: {RUN} has no unknown outcome at sell/fill\n"
        f"  unknown {PATH}  (ApplyPaperFills)\n"
        f"  help    mesoflow show {RUN}\n"
    )


def test_a_run_that_is_over_is_not_settled(command):  # noqa: F811
    command("run", QUICKSTART)
    assert command("settle", RUN, PATH, "--did-not-happen", "--reason", "x")[2] == (
        f"refused[MF511]: {RUN} is over: done\n  help    mesoflow show {RUN}\n"
    )


def test_legs_that_differ_park_the_run_and_clear_lets_it_go_on(command, monkeypatch, home):  # noqa: F811
    with monkeypatch.context() as patched:
        patched.setitem(_ready(), "legs_agree", lambda *args: False)
        code, out, _ = command("run", QUICKSTART)
    assert code == 4
    assert f"{RUN}  parked (legs_differ)" in out
    code, out, _ = command("clear", "1001", "--reason", "looked at the broker")
    assert code == 0
    assert out == (
        "cleared  position 1001 on PAPER-1\n"
        "  legs     position 1001 holds -1 short_put, +1 long_put\n"
        f"  next     mesoflow resume {RUN}\n"
    )
    journal = home().journal()
    cleared = [record.body for record in journal.home(kinds=("cleared",))]
    journal.close()
    assert cleared[0]["legs"] == {
        "1001": [{"name": "short_put", "quantity": D(-1)}, {"name": "long_put", "quantity": D(1)}]
    }
    assert command("resume", RUN)[0] == 0
    assert command("clear", "1001")[0] == 1


def _ready():
    """The table of predicates, behind its read-only face."""
    import gc

    from mesoflow.actions.ready import READY

    return next(found for found in gc.get_referents(READY) if isinstance(found, dict))
