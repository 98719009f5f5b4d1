"""The generated pages: every action, every code, every rail of the language; fresh by tests/unit/cli/test_schemas.py."""

import re
from pathlib import Path

from mesoflow.actions.catalogue import ACTIONS
from mesoflow.cli.reference import actions, codes
from mesoflow.playbook.lint.codes import Code as FindingCode
from mesoflow.runtime import refusal
from mesoflow.safety.codes import Code
from mesoflow.safety.limits import JUDGED

ROOT = Path(__file__).parents[3]
PAGE = actions(sorted(ROOT.glob("plans/*.yaml")))


def test_every_action_has_its_section_and_every_rail_its_line():
    assert set(re.findall(r"^## ([a-z_.]+\.[a-z_]+|assert|set|notify|fail)$", PAGE, re.MULTILINE)) == set(
        ACTIONS
    )
    assert set(re.findall(r"^\| `(\w+)` \|.*$", PAGE[PAGE.index("## risk") :], re.MULTILINE)) == JUDGED - {
        "accounts",
        "live",
    }


def test_an_example_is_a_step_as_it_stands_in_a_playbook():
    section = PAGE[PAGE.index("## wait.until") :]
    example = section[section.index("```yaml") : section.index("```\n", section.index("```yaml") + 7)]
    written = example.splitlines()[1:]
    assert any("action: wait.until" in line for line in written)
    assert sum("action:" in line for line in written) == 1


def test_every_code_is_there_once():
    page = codes()
    for code in [*(code.code for code in Code), *(str(code.value) for code in FindingCode)]:
        assert len(re.findall(rf"^\| `?{code}`? \|", page, re.MULTILINE)) == 1, code


def test_every_refusal_has_its_line():
    named = {value for name, value in vars(refusal).items() if name.isupper() and str(value).startswith("MF")}
    assert named <= set(re.findall(r"^\| (MF\d+) \|", codes(), re.MULTILINE))
