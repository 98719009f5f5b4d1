"""The small written forms of the language as patterns: what an editor checks by the schema, and what an author is told.

What a moment or an amount is, is trading's to say; a test holds the patterns here to that. Trading is asked only when a text
has not matched, for its sentence: `check` starts faster without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

# One {{ … }} and nothing around it: the value keeps its type.
EXPRESSION = r"^\s*\{\{[\s\S]*\}\}\s*$"
SLUG = r"^[a-z0-9][a-z0-9-]*$"
STEP_ID = r"^[a-z][a-z0-9_]*$"

_DAY = r"(?:today|next|\+[0-9]{1,4} sessions?|mon|tue|wed|thu|fri|[0-9]{4}-[0-9]{2}-[0-9]{2})"
_TIME = r"(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|(?:open|close)(?:\s*[+-]\s*[0-9]{1,9}[smh])?)"
MOMENT = rf"^(?:{_DAY}\s+)?{_TIME}$"
AMOUNT = r"^-?[0-9]{1,12}(?:\.[0-9]{1,9})?(?: ticks?|% of (?:mid|quote_width|strike_width|net_liquidation))?$"
PERCENT = r"^[0-9]{1,3}(?:\.[0-9]{1,6})?%$"
DURATION = r"^[0-9]{1,9}[smh]$"
DATE = r"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$"


def moment(text: object) -> str:
    """A moment, as written."""
    from mesoflow.trading.moments import Moment

    Moment.parse(text)
    return str(text)


def amount(text: object) -> str:
    """An amount that is written as text."""
    from mesoflow.trading.amounts import Amount

    Amount.parse(text)
    return str(text)


def duration(text: object) -> str:
    """A duration, as written."""
    from mesoflow.trading.durations import Duration

    Duration.parse(text)
    return str(text)


def day(text: object) -> str:
    """A date, as written."""
    try:
        date.fromisoformat(text if isinstance(text, str) else "")
    except ValueError:
        raise ValueError(f"{text!r} is no date; write 2025-03-19") from None
    return str(text)


def percent(text: object) -> str:
    """A percentage that stands alone."""
    if not isinstance(text, str) or re.match(PERCENT, text) is None:
        raise ValueError(f"{text!r} is no percentage; write 10%")
    return text


# By the name that the schema gives a form: who says what is wrong with a text.
FORMS: Mapping[str, Callable[[object], str]] = {
    "moment": moment,
    "amount": amount,
    "duration": duration,
    "day": day,
    "percent": percent,
}


def wrong(form: str, value: object) -> str:
    """The sentence that says why a value is not of this form; empty if it is."""
    try:
        FORMS[form](value)
    except ValueError as error:
        return str(error)
    return ""
