"""What a visit came to, for people and for programs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from mesoflow.cli.doctor.report import report_of, report_text
from mesoflow.cli.doctor.visit import Visit
from mesoflow.review.render.json import json_text
from tests.support.meddled import MeddledHub, silence
from tests.support.worlds import Desk


def report(desk: Desk, *meddle: Any) -> dict[str, Any]:
    visit = Visit(MeddledHub(desk, *meddle))  # type: ignore[arg-type]
    asyncio.run(visit.make())
    return report_of(visit, "desk")


def test_a_hub_as_we_believe_it(tmp_path: Path) -> None:
    seen = report(Desk(tmp_path / "w"))
    assert (seen["differs"], seen["differences"], seen["proposal"]) == (False, [], {"credit_sign": None})
    assert [row["broker_account_id"] for row in seen["accounts"]] == ["PAPER-1", "IB-1", "TT-1"]
    assert [row["provider"] for row in seen["agents"]] == ["IBKR", "TastyTrade"]
    assert json.loads(json_text(seen))["format_version"] == 1
    text = report_text(seen, 118)
    assert text.startswith("desk: agrees with our contract, as far as it can be read\n")
    assert "differences" not in text and "  GetLeg: there is no leg\n" in text


def test_a_hub_that_differs_says_where(tmp_path: Path) -> None:
    def meddle(method: str, envelope: Any) -> Any:
        if method == "ListAgents":
            for agent in envelope["Data"]["Agents"]:
                agent["Mood"] = "bright"
        return silence(method) if method == "ListLegs" else envelope

    seen = report(Desk(tmp_path / "w"), meddle)
    assert seen["differs"] is True
    assert seen["differences"] == [
        {
            "kind": "unknown",
            "model": "AgentInfo",
            "name": "Mood",
            "expected": None,
            "found": "text",
            "documented": False,
            "text": "AgentInfo.Mood (text) is unknown to the contract",
        }
    ]
    assert report_text(seen, 118).splitlines()[:7] == [
        "desk: differs from our contract, as far as it can be read",
        "",
        "differences",
        "  AgentInfo.Mood (text) is unknown to the contract",
        "",
        "not answered",
        "  ListLegs: ListLegs was sent and its outcome is unknown: no answer in 15 s",
    ]


def test_no_value_of_an_answer_is_told(tmp_path: Path) -> None:
    """Names and kinds are enough to mend a contract; what an account holds is nobody's business."""

    def meddle(method: str, envelope: Any) -> Any:
        if method == "ListAccounts":
            for account in envelope["Data"]["Accounts"]:
                account["Cash"] = account["Secret"] = "a-private-matter"
        return envelope

    assert "a-private-matter" not in json_text(report(Desk(tmp_path / "w"), meddle))
