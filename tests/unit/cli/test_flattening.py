"""The built-in playbook as `kill --flatten` compiles it: for these accounts, and priced as the policy says."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from mesoflow.cli.flat import Open
from mesoflow.cli.flattening import NAME, PLAYBOOK, Flattened, compiled_for, shown_by
from mesoflow.playbook.compile import load
from mesoflow.runtime.refusal import Refusal
from mesoflow.safety.policy import DEFAULT, Policy

LEGS = {"short_put": D(-1)}
OPEN = [
    Open("sim", "IB-1", 7, None, LEGS),
    Open("sim", "PAPER-1", 8, None, LEGS),
    Open("sim", "IB-1", None, 601, LEGS),
]


def policy(**flatten: object) -> Policy:
    return Policy.parse({"policy": 1, "flatten": flatten})


def test_as_shipped_it_exits_at_the_prices_that_are_documented() -> None:
    compiled = compiled_for(OPEN, DEFAULT)
    assert compiled.inputs == {
        "accounts": ["IB-1", "PAPER-1"],
        "plans": [601],
        "price": {"start": "mid", "step": "2 ticks", "every": "10s", "worst": {"from_natural": 0}},
        "within": "3m",
        "max_distance_from_mid": "50% of quote_width",
    }
    assert compiled.risk == {
        "accounts": ["IB-1", "PAPER-1"],
        "live": "allowed",
        "max_contracts_per_order": "unlimited",
        "max_distance_from_mid": "50% of quote_width",
    }


def test_the_playbook_itself_has_no_findings_and_the_same_defaults() -> None:
    compiled = load(PLAYBOOK, {"accounts": "[IB-1]"})
    assert (compiled.findings, compiled.inputs) == (
        [],
        {**compiled_for(OPEN[:1], DEFAULT).inputs, "plans": []},
    )
    assert compiled.program is not None and compiled.program.name == NAME


def test_the_policy_prices_the_exits_and_no_digit_is_lost() -> None:
    price = {"start": "natural", "step": D("0.050"), "every": "5s", "worst": {"debit": D("12.30")}}
    compiled = compiled_for(OPEN, policy(price=price, within="30s", max_distance_from_mid=D("1.25")))
    assert compiled.inputs["price"] == price
    assert (compiled.inputs["within"], compiled.risk["max_distance_from_mid"]) == ("30s", "1.25")


def test_what_the_policy_gets_wrong_is_a_refusal_and_no_bug() -> None:
    with pytest.raises(Refusal, match="nothing can be exited as the policy's `flatten` says"):
        compiled_for(OPEN, policy(within="soon"))


def test_the_last_word_on_an_account_counts() -> None:
    first = Flattened("a", "done", shown={("sim", "IB-1"): [7, 8], ("sim", "PAPER-1"): [9]})
    again = Flattened("b", "done", shown={("sim", "IB-1"): [8]})
    assert shown_by([first, again]) == {("sim", "IB-1"): [8], ("sim", "PAPER-1"): [9]}


@pytest.mark.parametrize(
    ("state", "over"),
    [("done", True), ("failed", True), ("cancelled", True), ("parked", False), ("failed to run", False)],
)
def test_only_after_a_run_that_is_over_another_is_begun(state: str, over: bool) -> None:
    assert Flattened("a", state).is_over is over
