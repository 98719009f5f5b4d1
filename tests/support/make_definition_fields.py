"""Makes tests/cases/definitions/survey.tsv, in development: `python tests/support/make_definition_fields.py SURVEY.yaml`.

SURVEY.yaml is the survey of the vendor's public documentation of strategy definitions. Kept of it are facts: each field's path
and what MesoLive makes of it. `[]` is an element of a list, `{}` a value of a map.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

FILE = Path(__file__).parents[1] / "cases" / "definitions" / "survey.tsv"
SUPPORT = {
    "Supported": "supported",
    "Ignored": "ignored",
    "Not supported": "not supported",
    "Supported (different)": "different",
}


def main(survey: str) -> None:
    fields = yaml.safe_load(Path(survey).read_text(encoding="utf-8"))["fields"]
    lines = (f"{field['path']}\t{SUPPORT[field['mesolive']['support']]}\n" for field in fields)
    FILE.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
