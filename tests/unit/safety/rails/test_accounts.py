"""Paper by default (SAFETY.md §1): every condition of a live account by itself, and that all of them are not yet enough."""

from dataclasses import replace

import pytest

from mesoflow.safety.environment import Environment
from tests.unit.safety.making import HERE, closing, judged, order, refused, with_facts

LIVE = replace(HERE, live_accounts=frozenset({"PAPER-1"}), acknowledged=True, allow_live=True)


def test_an_account_is_paper_by_what_the_hub_says_or_simulated_by_what_the_hub_is() -> None:
    live = with_facts(order(), is_paper=False)
    assert judged(order()).passed
    assert judged(live, here=replace(HERE, simulator=True)).passed


def test_a_refusal_says_everything_that_is_missing() -> None:
    live = with_facts(order(), is_paper=False)
    assert refused(judged(live)) == [
        "live_not_listed", "live_not_acknowledged", "live_not_asked_for", "live_not_in_playbook", "live_refused",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("here", "live", "code"),
    [
        (replace(LIVE, live_accounts=frozenset({"U1"})), "allowed", "live_not_listed"),
        (replace(LIVE, acknowledged=False), "allowed", "live_not_acknowledged"),
        (replace(LIVE, allow_live=False), "allowed", "live_not_asked_for"),
        (LIVE, "never", "live_not_in_playbook"),
    ],
)
@pytest.mark.parametrize("paper", [False, None])
def test_each_condition_alone_refuses(here: Environment, live: str, code: str, paper: bool | None) -> None:
    made = with_facts(order(), is_paper=paper)
    assert refused(judged(made, here=here, live=live)) == [code, "live_refused"]


def test_all_conditions_are_not_enough_without_approvals() -> None:
    assert refused(judged(with_facts(order(), is_paper=False), here=LIVE, live="allowed")) == ["live_refused"]
    assert refused(judged(with_facts(closing(), is_paper=False), here=LIVE, live="allowed")) == [
        "live_refused"
    ]


def test_exits_obey_it_too() -> None:
    assert refused(judged(with_facts(closing(), is_paper=None)))[-1] == "live_refused"
    assert refused(judged(closing(account="PAPER-2"))) == ["account_not_allowed"]
