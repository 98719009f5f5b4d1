"""Values and reports as JSON: exact decimals as text, times in UTC, keys in the order of the report."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mesoflow.logs import redact
from mesoflow.review.report import Report


def report_json(report: Report) -> str:
    """The canonical form."""
    return json_text(report.model_dump(mode="python"))


def json_text(value: Any, indent: int | None = 2) -> str:  # noqa: ANN401 - a Value
    """Any Value; what is no Value is a bug of ours."""
    return redact(json.dumps(value, default=_plain, ensure_ascii=False, indent=indent))


def _plain(value: object) -> str:
    match value:
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
    raise TypeError(f"a {type(value).__name__} is no Value")
