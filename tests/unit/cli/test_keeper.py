"""The gate as the command puts it together: each condition of a live account from where it really comes, and a policy that is
edited while a run lives."""

from __future__ import annotations

import os
from decimal import Decimal as D
from pathlib import Path

import pytest

from mesoflow.cli.in_force import InForce, policy_now
from mesoflow.cli.keeper import Keeper
from mesoflow.journal.records import HOME, Entry
from mesoflow.runtime.home import StateHome
from mesoflow.safety.policy import SENTENCE
from mesoflow.safety.states import TradingState
from tests.support.stories import started
from tests.unit.safety.making import NOW, RISK, closing, order, with_facts

LISTED = "live: {accounts: [PAPER-1], acknowledgement: '%s'}"
LIVE = LISTED % SENTENCE


class Desk:
    """A home with a policy, and the gate of a run in it."""

    def __init__(self, folder: Path) -> None:
        self.home = StateHome.open(folder)
        self.journal = self.home.journal()
        self.told: list[str] = []
        self.edits = 0

    def write(self, policy: str) -> Desk:
        self.home.policy_path.write_text(f"policy: 1\n{policy}\n", encoding="utf-8")
        self.home.policy_path.chmod(0o600)
        self.edits += 1  # an edit within one tick of the file system's clock is an edit, too
        os.utime(self.home.policy_path, ns=(self.edits, self.edits))
        return self

    def keeper(self, *, live: str = "allowed", allow_live: bool = True, simulator: bool = False) -> Keeper:
        body = started("me", risk={**RISK, "live": live}, session_date=NOW.date())
        self.journal.commit([Entry("me", "started", body)])
        under = InForce(policy_now(self.home))
        return Keeper.of(
            self.home, self.journal, body, under, simulator=simulator, allow_live=allow_live, now=NOW, new=True,
            say=self.told.append,
        )  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path):
    made = Desk(tmp_path / "home")
    yield made
    made.journal.close()


def codes(keeper: Keeper, made=None) -> list[str]:
    """The codes of C01 that refuse an order on an account that is not paper."""
    live = with_facts(order() if made is None else made, is_paper=False)
    refused = keeper.gate.judge("buy/fill", live, NOW)
    assert refused is not None
    return [
        line["code"]
        for line in refused.details["verdict"]["lines"]
        if line["held"] == "refused" and line["control"] == "C01"
    ]


def test_paper_needs_none_of_it(desk):
    assert desk.keeper(live="never", allow_live=False).gate.judge("buy/fill", order(), NOW) is None


def test_an_account_of_a_simulator_counts_as_paper(desk):
    live = with_facts(order(), is_paper=False)
    keeper = desk.keeper(live="never", allow_live=False, simulator=True)
    assert keeper.gate.judge("buy/fill", live, NOW) is None


@pytest.mark.parametrize(
    ("policy", "words", "missing"),
    [
        ("page: []", {}, ["live_not_listed", "live_not_acknowledged"]),
        (LIVE.replace("PAPER-1", "U1"), {}, ["live_not_listed"]),
        (LIVE, {"allow_live": False}, ["live_not_asked_for"]),
        (LIVE, {"live": "never"}, ["live_not_in_playbook"]),
        (LIVE, {}, []),
    ],
)
def test_each_condition_of_a_live_account_and_that_all_are_not_enough_yet(desk, policy, words, missing):
    keeper = desk.write(policy).keeper(**words)
    assert codes(keeper) == [*missing, "live_refused"]
    assert codes(keeper, closing()) == [*missing, "live_refused"]


def test_another_sentence_does_not_even_start(desk):
    from mesoflow.runtime.refusal import Refusal

    desk.write(LISTED % "I agree.")
    with pytest.raises(Refusal, match="is not the sentence, word for word"):
        desk.keeper()


# --- while a run lives


def test_a_stricter_policy_counts_at_once_and_its_digest_is_in_the_next_verdict(desk):
    keeper = desk.write("ceilings: {max_open_orders: 9}").keeper()
    before = keeper.gate.environment.policy
    desk.write("ceilings: {max_open_orders: 9, max_order_premium: 10}")
    keeper.hear()
    refused = keeper.gate.judge("buy/fill", order(), NOW)
    assert refused is not None
    assert refused.details["rules"] == ["C04"]
    assert refused.details["verdict"]["policy"] not in ("", before)
    assert desk.told == ["the policy is stricter now, and counts"]


def test_a_looser_one_changes_nothing(desk):
    keeper = desk.write("ceilings: {max_order_premium: 10}").keeper()
    desk.write("ceilings: {max_order_premium: 99999}")
    keeper.hear()
    refused = keeper.gate.judge("buy/fill", order(), NOW)
    assert refused is not None
    assert desk.told == [
        "the policy is looser now (ceilings.max_order_premium): it counts for a run that is resumed with --accept-policy"
    ]


def test_nor_does_one_that_cannot_be_read_or_says_the_same(desk):
    keeper = desk.write("ceilings: {max_order_premium: 10}").keeper()
    desk.write("ceilings: {max_order_premium: [")
    keeper.hear()
    assert [text.endswith("; the run goes on under the one it has") for text in desk.told] == [True]
    desk.write("# the same\nceilings:\n  max_order_premium: 10")
    keeper.hear()
    keeper.hear()
    assert len(desk.told) == 1
    assert keeper.gate.limits.max_order_premium.value == D(10)


def test_what_people_say_of_the_home_is_heard(desk):
    keeper = desk.keeper()
    desk.journal.commit([Entry(HOME, "state", TradingState("REDUCING", "ann", "odd", NOW).value())])
    assert keeper.gate.judge("buy/fill", order(), NOW) is None
    keeper.hear()
    refused = keeper.gate.judge("buy~2/fill", order(), NOW)
    assert refused is not None
    assert refused.details["rules"] == ["C18"]
