"""I14: each condition of a live account, left out, is found."""

from typing import Any

import pytest

from mesoflow.rehearsal.checkers.i14_live_needs_the_sentence import check
from mesoflow.safety.policy import SENTENCE
from tests.support.testimony import STARTED, HandMade

PUT = "SPX SPXW 2025-02-14 put 5900 100"
JUDGED = (
    "live_not_listed account IB-1; live_not_acknowledged account IB-1; live_not_asked_for account IB-1; "
    "live_not_in_playbook account IB-1; live_refused account IB-1 paper False simulator False"
)
LIVE: dict[str, Any] = {
    **STARTED,
    "hub": {"kind": "live"},
    "risk": {"live": "allowed"},
    "policy": {"value": {"live": {"acknowledgement": SENTENCE, "accounts": ["IB-1"]}}},
}


def words(lines: str, **started: Any) -> str:
    home = HandMade({**LIVE, **started})
    home.order("entry", {PUT: -1}, lines=lines)
    return "".join(found.words for found in check(home.evidence()))


def test_with_all_of_them_it_may_trade() -> None:
    assert words(JUDGED) == ""


def test_paper_and_simulated_accounts_need_none() -> None:
    paper = "live_refused account PAPER-1 paper True simulator False"
    assert words(paper, risk={}, policy=None) == ""
    simulated = "live_refused account IB-1 paper False simulator True"
    for kind in ("embedded", "simulator"):
        assert words(simulated, hub={"kind": kind}, risk={}, policy=None) == ""


@pytest.mark.parametrize(
    ("started", "lines", "missing"),
    [
        ({}, "account_not_allowed", "nobody has asked whether it is live"),
        ({}, "live_refused account IB-1 paper False simulator True", "it passed as simulated, and the hub is live"),
        ({"policy": {"value": {}}}, JUDGED, "it is live, and the policy does not hold the sentence"),
        ({"policy": {"value": {"live": {"acknowledgement": True, "accounts": ["IB-1"]}}}}, JUDGED, "it is live, and the policy does not hold the sentence"),
        ({"policy": {"value": {"live": {"acknowledgement": SENTENCE, "accounts": []}}}}, JUDGED, "it is live, and the policy does not list it"),
        ({"risk": {}}, JUDGED, "it is live, and the playbook does not allow it"),
        ({}, JUDGED.replace("live_not_asked_for", "x"), "it is live, and nobody has judged live_not_asked_for"),
    ],
)  # fmt: skip
def test_without_one_of_them_it_is_found(started: dict[str, Any], lines: str, missing: str) -> None:
    assert words(lines, **started) == f"an order for IB-1: {missing}"
