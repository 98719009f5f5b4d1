"""How findings look: as in the house style, as JSON, and when there is nothing to report."""

from __future__ import annotations

import json

from mesoflow.findings import Finding, Place
from mesoflow.review.render.findings import as_json, as_text

ERROR = Finding(
    "MF204",
    "this step waits for an order that no step sends",
    Place("plans/spx-entry.yaml", 41, 15, 15, 'step "wait_fill" (fills.wait)'),
    related=((Place("plans/spx-entry.yaml", 33), 'step "send" sends one'),),
    detail=("It would wait for ever.",),
    help='did you mean "send" (line 33)?\nor remove the step',
    excerpt='      orders: "{{ steps.sned }}"',
)
WARNING = Finding("MF146", "nothing reads it", Place("a.yaml"), "warning")


def test_text() -> None:
    assert as_text([ERROR, WARNING], ["plans/spx-entry.yaml", "a.yaml"]) == (
        "error[MF204]: this step waits for an order that no step sends\n"
        '  --> plans/spx-entry.yaml:41:15, in step "wait_fill" (fills.wait)\n'
        '   41 |       orders: "{{ steps.sned }}"\n'
        "      |               ^^^^^^^^^^^^^^^\n"
        '   33 | step "send" sends one\n'
        "  It would wait for ever.\n"
        '  help: did you mean "send" (line 33)?\n'
        "        or remove the step\n"
        "\n"
        "warning[MF146]: nothing reads it\n"
        "  --> a.yaml\n"
        "\n"
        "2 playbooks checked, 1 error and 1 warning\n"
    )


def test_nothing_to_report_is_reported() -> None:
    assert as_text([], ["a.yaml"]) == "1 playbook checked, nothing to report\n"
    assert as_text([], []) == "0 playbooks checked, nothing to report\n"
    assert json.loads(as_json([], ["a.yaml"])) == {
        "format_version": 1, "checked": ["a.yaml"], "errors": 0, "warnings": 0, "findings": [],
    }  # fmt: skip


def test_json_has_everything_that_the_text_has() -> None:
    data = json.loads(as_json([ERROR], ["plans/spx-entry.yaml"]))
    place = {
        "file": "plans/spx-entry.yaml",
        "line": 41,
        "column": 15,
        "width": 15,
        "within": 'step "wait_fill" (fills.wait)',
    }
    assert (data["format_version"], data["errors"], data["warnings"]) == (1, 1, 0)
    assert data["findings"] == [
        {
            "code": "MF204",
            "level": "error",
            "summary": "this step waits for an order that no step sends",
            "place": place,
            "excerpt": '      orders: "{{ steps.sned }}"',
            "detail": ["It would wait for ever."],
            "related": [
                {
                    "place": {
                        "file": "plans/spx-entry.yaml",
                        "line": 33,
                        "column": 0,
                        "width": 1,
                        "within": "",
                    },
                    "text": 'step "send" sends one',
                }
            ],
            "help": 'did you mean "send" (line 33)?\nor remove the step',
        }
    ]


def test_a_long_line_is_cut_around_what_is_marked() -> None:
    line = "x" * 300 + "HERE" + "y" * 300
    text = as_text([Finding("MF1", "s", Place("a.yaml", 1, 301, 4), excerpt=line)], ["a.yaml"])
    shown, marks = text.split("\n")[2:4]
    assert len(shown) < 160
    assert shown[marks.index("^") : marks.rindex("^") + 1] == "HERE"


def test_a_tab_is_as_wide_as_it_is_written() -> None:
    text = as_text([Finding("MF1", "s", Place("a.yaml", 1, 2, 1), excerpt="\tb: 1")], ["a.yaml"])
    assert text.split("\n")[2:4] == ["    1 |  b: 1", "      |  ^"]
