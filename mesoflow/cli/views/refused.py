"""A refusal as people see it, and as JSON."""

from __future__ import annotations

import json
import sys
import textwrap

from mesoflow.logs import redact
from mesoflow.runtime.refusal import Refusal

WIDTH = 118
LABEL = 10


def refusal_text(refusal: Refusal) -> str:
    """The summary, what it is about, what to do."""
    lines = [f"refused[{refusal.code}]: {refusal.summary}"]
    for label, text in refusal.rows:
        lines += _row(label, text)
    for number, text in enumerate(refusal.help):
        lines += _row("help" if number == 0 else "", text)
    return redact("\n".join(lines))


def _row(label: str, text: str) -> list[str]:
    first = f"  {label}".ljust(LABEL)
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=" " * LABEL, drop_whitespace=True,
                         replace_whitespace=False, break_on_hyphens=False) or [first.rstrip()]  # fmt: skip


def refusal_json(refusal: Refusal) -> str:
    """The same, for programs."""
    body = {
        "code": refusal.code,
        "summary": refusal.summary,
        "rows": [{"label": label, "text": text} for label, text in refusal.rows],
        "help": list(refusal.help),
    }
    return redact(json.dumps({"format_version": 1, "refused": body}, ensure_ascii=False))


def show_refusal(refusal: Refusal, form: str) -> None:
    """Text goes to standard error, JSON to where the caller reads."""
    if form == "json":
        print(refusal_json(refusal))
    else:
        print(refusal_text(refusal), file=sys.stderr)
