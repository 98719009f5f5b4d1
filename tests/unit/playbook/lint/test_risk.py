"""Rails that a version does not judge, and which steps can open risk."""

from __future__ import annotations

from typing import Any

from mesoflow.playbook.language import shipped
from mesoflow.playbook.lint.risk import risk
from mesoflow.playbook.load import load
from mesoflow.playbook.outline import outline
from mesoflow.playbook.tree import Mapping
from mesoflow.safety.limits import JUDGED, Limits

STEPS = """
steps:
  - {id: exit, action: exit.prepare, with: {position_id: 1}}
  - {id: close, action: orders.work, with: {exec_plan: "{{ PLAN }}", price: {start: mid}, within: 1m}}
"""


def found(
    risk_block: str,
    plan: str = "steps.exit",
    judged: frozenset[str] = JUDGED,
    ceilings: dict[str, Any] | None = None,
) -> list[tuple[str, str]]:
    loaded = load(f"risk: {risk_block}{STEPS.replace('PLAN', plan)}", "x.yaml")
    assert isinstance(loaded.root, Mapping)
    policy = None if ceilings is None else Limits.ceilings(ceilings)
    findings = risk(outline(loaded.source, loaded.root), shipped(), judged, policy)
    return [(str(finding.code), finding.summary) for finding in findings]


EXITS = "{accounts: [PAPER-1], max_contracts_per_order: 4, max_distance_from_mid: 1.00}"


def test_a_plan_that_comes_from_an_exit_needs_the_rails_of_exits_only() -> None:
    assert found(EXITS) == []


def test_a_plan_that_is_not_known_to_come_from_an_exit_needs_all() -> None:
    assert found(EXITS, plan="steps.other | default(1)") == [
        (
            "MF301",
            "these rails are not set: `max_order_premium`, `max_order_loss`, `max_open_loss`, `max_daily_loss`",
        )
    ]


def test_a_rail_that_is_set_and_not_judged_is_a_finding_unless_it_says_unlimited() -> None:
    less = JUDGED - {"max_open_loss", "max_order_premium"}
    block = EXITS.replace("}", ", max_open_loss: 100, max_order_premium: unlimited}")
    assert found(block, judged=less) == [
        ("MF302", "`max_open_loss` is set, and this version does not judge it")
    ]
    assert found(block) == []


def test_every_rail_of_the_language_is_judged() -> None:
    assert set(shipped().defs["Risk"]["properties"]) == JUDGED


def test_what_a_policy_sets_need_not_be_set_again() -> None:
    sets_all = {
        "max_order_premium": 9, "max_order_loss": 9, "max_open_loss": 9, "max_daily_loss": 9,
        "max_contracts_per_order": 9, "max_distance_from_mid": 1,
    }  # fmt: skip
    assert found("{accounts: [PAPER-1]}", plan="steps.other", ceilings=sets_all) == []
    assert [code for code, _ in found("{accounts: [PAPER-1]}", plan="steps.other", ceilings={})] == ["MF301"]


def test_a_rail_that_is_looser_than_the_policy_is_told_and_one_that_is_not_known_yet_is_not() -> None:
    block = (
        "{accounts: [A], max_contracts_per_order: 4, max_distance_from_mid: unlimited, max_open_orders: 3}"
    )
    assert found(block, ceilings={"max_contracts_per_order": 3, "max_distance_from_mid": 2}) == [
        ("MF312", "`max_contracts_per_order` is looser than the policy allows, and the policy counts"),
        ("MF312", "`max_distance_from_mid` is looser than the policy allows, and the policy counts"),
        ("MF312", "`max_open_orders` is looser than the policy allows, and the policy counts"),
    ]
    unknown = '{accounts: [A], max_contracts_per_order: "{{ inputs.n }}", max_distance_from_mid: 1}'
    assert found(unknown, ceilings={"max_contracts_per_order": 3}) == []
    assert found(block) == []
