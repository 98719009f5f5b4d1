"""The hubs by hand: read anything, change with --yes, trade never; embedded worlds stand still."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import WITHIN_S, Command, process, served

KEY = {"MESOLIVE_API_KEY": "a-key-of-ours"}
SPX = ("underlying.symbol=SPX", "provider=IBKR")


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path / "home", capsys)


def result(answer: tuple[int, str, str]) -> Any:
    code, out, err = answer
    assert code == 0, err
    return json.loads(out)["result"]


def test_the_list_needs_no_hub_and_is_json_through_a_pipe(command: Command) -> None:
    code, out, _ = command("hub", "list")
    assert (code, json.loads(out)["format_version"]) == (0, 1)
    code, out, _ = command("hub", "list", "sendorder", "--format", "text")
    assert (code, out.splitlines()[:2]) == (
        0,
        [
            "SendOrder  control hub, trade, documented (signalr-reference/models/send-order-args)",
            "  by hand  only through a run",
        ],
    )
    assert command("hub", "list", "SendOrdr")[0] == 2


def test_text_on_a_terminal(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    code, out, _ = command("hub", "call", "ListAgents")
    assert (code, out.splitlines()[0].split()) == (
        0,
        ["provider", "connector", "is_connected", "last_snapshot_at"],
    )


def test_all_pages_or_one(command: Command) -> None:
    names = [row["id"] for row in result(command("hub", "call", "ListStrategies", "limit=2"))["strategies"]]
    assert names == [101, 102, 103, 104, 105, 106, 107, 108]
    page = result(command("hub", "call", "ListStrategies", "--one-page", "limit=4"))
    assert [row["id"] for row in page["strategies"]] == [101, 102, 103, 104]
    rest = result(
        command(
            "hub", "call", "ListStrategies", f"continuation_token={page['continuation_token']}", "limit=4"
        )
    )
    assert [row["id"] for row in rest["strategies"]] == [105, 106, 107, 108]


def test_what_trades_is_refused_whatever_is_said(command: Command) -> None:
    for method in ("SendOrder", "ApplyPaperFills", "CancelOrder"):
        code, out, _ = command("hub", "call", method, "--yes", "--format", "json")
        refused = json.loads(out)["refused"]
        assert (code, refused["code"], refused["summary"]) == (
            1,
            "MF515",
            f"{method} trades, and orders leave only through a run",
        )


def test_a_change_needs_yes_and_is_kept(command: Command) -> None:
    rename = ("hub", "call", "RenameStrategy", "strategy_id=101", "name=mine")
    assert command(*rename, "--format", "text") == (
        1,
        "",
        "refused[MF515]: RenameStrategy changes what the hub keeps, and --yes is not given\n"
        "  help    add --yes if that is what you want; it has no effect on the market\n",
    )
    assert result(command(*rename, "--yes")) == {"strategy_id": 101}
    assert result(command("hub", "call", "GetStrategy", "strategy_id=101"))["strategy"]["name"] == "mine"


def test_a_clone_is_made_and_deleted_from_the_shell(command: Command) -> None:
    made = result(command("hub", "call", "CreateStrategy", "--yes", "clone_strategy_id=101", "name=copy"))[
        "strategy_id"
    ]
    one = result(command("hub", "call", "GetStrategy", f"strategy_id={made}"))["strategy"]
    other = result(command("hub", "call", "GetStrategy", "strategy_id=101"))["strategy"]
    assert (one["name"], one["strategy_definition"]) == ("copy", other["strategy_definition"])
    assert result(command("hub", "call", "DeleteStrategy", "--yes", f"strategy_id={made}")) == {
        "strategy_id": made
    }
    code, out, _ = command("hub", "call", "GetStrategy", f"strategy_id={made}")
    assert (code, json.loads(out)["refused"]["rows"][0]) == (1, {"label": "status", "text": "NotFound"})


def test_an_embedded_world_stands_still(command: Command) -> None:
    first = result(command("hub", "call", "GetUnderlyingSnapshot", *SPX))
    code, out, err = command(
        "hub", "call", "StartPreparePositionEntry", "--yes", "position_name=a", "strategy_id=101",
        "broker_account_id=PAPER-1", "leg_selection_constraint=None", "idempotency_key=k1",
    )  # fmt: skip
    job = json.loads(out)["result"]["job_id"]
    assert (code, err) == (0, "idempotency key: k1\n")
    status = result(command("hub", "call", "GetPreparePositionEntryStatus", f"job_id={job}"))["status"]
    assert status == "Running"
    assert result(command("hub", "call", "GetUnderlyingSnapshot", *SPX)) == first


def test_the_key_of_a_call_is_told_before_it_is_sent(command: Command) -> None:
    prepare = ("hub", "call", "StartPreparePositionExit", "--yes", "position_id=1001")
    code, out, err = command(*prepare)
    assert (code, json.loads(out)["refused"]["code"]) == (1, "MF516")
    assert err.startswith("idempotency key: hand-")


def test_wrong_values_are_exit_2_with_every_finding(command: Command) -> None:
    code, out, err = command("hub", "call", "GetPosition", "positon_id=x")
    assert (code, out) == (2, "")
    assert err == (
        "mesoflow hub: GetPosition cannot be called so\n"
        "  positon_id: there is no such argument; did you mean position_id?\n"
        "  position_id: it is missing; int\n"
        "  `mesoflow hub list GetPosition` shows its arguments\n"
    )
    assert command("hub", "call", "StreamLegData")[0] == 2
    assert command("hub", "stream", "GetLeg")[0] == 2


def test_watch_and_stream_need_a_hub_of_their_own(command: Command) -> None:
    for arguments in (("watch",), ("stream", "StreamUnderlyingData", *SPX)):
        code, out, _ = command("hub", *arguments)
        assert (code, json.loads(out)["refused"]["summary"]) == (
            1,
            f"`hub {arguments[0]}` needs a hub that lives by itself: in an embedded world no time passes without a run",
        )


def test_streams_events_and_calls_of_a_served_world(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with served(home, "--speed", "30") as url:

        def ran(*arguments: str) -> tuple[int, list[Any], str]:
            """Its lines as JSON; a call's answer is one."""
            done = process(home, "hub", *arguments, "--hub", url, **KEY)
            out, err = done.communicate(timeout=WITHIN_S)
            texts = [out] if arguments[0] == "call" else out.splitlines()
            return done.returncode, [json.loads(text) for text in texts], err

        code, prices, _ = ran("stream", "StreamUnderlyingData", *SPX, "--count", "3")
        assert code == 0 and len({item["prices"]["mark"] for item in prices}) == 3
        code, _, err = ran(
            "call", "StartPreparePositionEntry", "--yes", "position_name=a", "strategy_id=101",
            "broker_account_id=PAPER-1", "leg_selection_constraint=None",
        )  # fmt: skip
        assert code == 0, err
        code, events, _ = ran("watch", "--since", "0", "--strategy", "101", "--count", "1")
        assert (code, events[0]["callback"]) == (0, "OnPositionEntryPreparationCompleted")
        number = events[0]["event"]["event_seq_id"]
        code, later, _ = ran("watch", "--since", str(number - 1), "--count", "1")
        assert (code, later[0]["event"]["event_seq_id"]) == (0, number)
        plan = events[0]["event"]["result"]
        assert plan["strategy_id"] == 101
        watching = process(home, "hub", "watch", "--hub", url, "--since", "0", "--strategy", "101", **KEY)
        assert watching.stdout is not None
        assert json.loads(watching.stdout.readline())["event"]["event_id"] == events[0]["event"]["event_id"]
        watching.send_signal(signal.SIGINT)
        assert (watching.communicate(timeout=WITHIN_S), watching.returncode) == (("", ""), 0)
        code, answer, _ = ran(
            "call", "GetComboContractsSnapshot", "include=Prices", "provider=IBKR", "contracts=[]"
        )
        assert (code, answer[0]["refused"]["summary"]) == (
            1,
            "the hub refused GetComboContractsSnapshot: a package has 1 to 1000 contracts",
        )
        code, _, err = ran("stream", "StreamLegData", "leg_id=9", "include=All", "--format", "text")
        assert (code, err.splitlines()[0]) == (
            1,
            "refused[MF516]: the hub refused StreamLegData: NotFound: there is no leg 9",
        )
