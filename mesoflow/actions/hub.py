"""How actions ask the hub: typed helpers around effects (`account = yield from read(…)`), and nothing else.

Answers come back as Values in snake_case and are read by the contract's models. A refused call arrives as StepError
`hub_refused` with the hub's status in its details; `refused` gives statuses that have a meaning here a code of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, TypeVar, cast

from mesoflow.actions.base import Acting
from mesoflow.engine.effects import Call, Effect, Note, Place, Sleep, Value, Watch, Withdraw
from mesoflow.engine.errors import StepError
from mesoflow.engine.tasks import Enter, Gather
from mesoflow.hubs.contract import METHODS
from mesoflow.hubs.models.base import Page, Wire
from mesoflow.trading.orders import Order

# What the end of a watch's time means (engine/effects.py, Watch).
Overdue: TypeAlias = Literal["refuse", "park", "nothing"]

# Status of the hub → the step's code and summary.
Refusals: TypeAlias = Mapping[str, tuple[str, str]]

_T = TypeVar("_T")
_W = TypeVar("_W", bound=Wire)
_P = TypeVar("_P", bound=Page)

# How long what may pass by itself (no quote, agent away) is asked for again: LANGUAGE.md §2, `retry`.
PATIENCE = timedelta(minutes=2)

# The size of a page that the vendor's own examples use.
PAGE_SIZE = 50

# 10,000 rows: an account with more of anything than that is no account of a person.
PAGES_MAX = 200


def read(
    name: str, method: str, args: Mapping[str, Value], model: type[_W], *, refused: Refusals | None = None
) -> Acting[_W]:
    """Ask for something once."""
    answer = yield from call(name, method, args, refused=refused)
    return model.read(answer)


def call(
    name: str,
    method: str,
    args: Mapping[str, Value],
    *,
    hints: Mapping[str, Value] | None = None,
    refused: Refusals | None = None,
) -> Acting[Value]:
    """Ask the hub once, for something to know or something to change."""
    try:
        return (yield Call(name, method, args, hints or {}))
    except StepError as error:
        raise _translated(error, refused) from error


def pages(
    name: str,
    method: str,
    args: Mapping[str, Value],
    model: type[_P],
    *,
    limit: int | None = None,
    refused: Refusals | None = None,
) -> Acting[list[_P]]:
    """All pages of an answer, `NAME`, `NAME/page-2` …; no further page once `limit` rows are there."""
    items = METHODS[method].items
    assert items is not None, f"{method} has no pages"
    size = PAGE_SIZE if limit is None else min(limit, PAGE_SIZE)
    asked: dict[str, Value] = {**args, "limit": size}
    found: list[_P] = []
    rows = 0
    for number in range(1, PAGES_MAX + 1):
        page_name = name if number == 1 else f"{name}/page-{number}"
        page = yield from read(page_name, method, asked, model, refused=refused)
        found.append(page)
        rows += len(getattr(page, items))
        if not page.continuation_token or (limit is not None and rows >= limit):
            return found
        asked = {**asked, "continuation_token": page.continuation_token}
    raise StepError("hub_refused", f"{method} gave more than {PAGES_MAX} pages", {"method": method})


def watch(
    name: str,
    method: str,
    args: Mapping[str, Value],
    model: type[_W],
    *,
    ready: str,
    until: datetime,
    params: Mapping[str, Value] | None = None,
    refused: Refusals | None = None,
) -> Acting[_W | None]:
    """Look until the answer is `ready`, or until `until`: then None."""
    try:
        answer = yield Watch(name, method, args, ready, until, params or {})
    except StepError as error:
        raise _translated(error, refused) from error
    return None if answer is None else model.read(answer)


def insist(
    name: str,
    method: str,
    args: Mapping[str, Value],
    model: type[_W],
    *,
    ready: str,
    until: datetime,
    code: str,
    summary: str,
    params: Mapping[str, Value] | None = None,
    overdue: Overdue = "refuse",
    refused: Refusals | None = None,
) -> Acting[_W]:
    """Look until the answer is `ready`; at `until` it is the error `code`, or the run parks with it. With "nothing" the
    error is the action's own affair: it is raised here, and nobody parks the run for it."""
    try:
        answer = yield Watch(name, method, args, ready, until, params or {}, overdue, code, summary)
    except StepError as error:
        raise _translated(error, refused) from error
    if answer is None and overdue == "nothing":
        raise StepError(code, summary, {}, retryable=True)
    return model.read(answer)


def place(name: str, order: Order) -> Acting[Value]:
    """An order: judged, intended, sent."""
    return (yield Place(name, order))


def withdraw(name: str, method: str, args: Mapping[str, Value]) -> Acting[Value]:
    """Stop something of ours."""
    return (yield Withdraw(name, method, args))


def sleep(name: str, until: datetime) -> Acting[datetime]:
    """Let time pass; gives the instant at which it ended."""
    return cast("datetime", (yield Sleep(name, until)))


def note(name: str, value: _T) -> Acting[_T]:
    """Journal a value that must never be computed again."""
    return cast("_T", (yield Note(name, value)))


def below(name: str, body: Acting[_T]) -> Acting[_T]:
    """Work whose effects stand below `name`."""
    return cast("_T", (yield cast("Effect", Enter(name, body))))


def side_by_side(bodies: Sequence[Acting[_T]]) -> Acting[list[_T]]:
    """Work that is done at once; the first that fails stops the others."""
    endings = yield cast("Effect", Gather(tuple(bodies), len(bodies)))
    return [ending.value for ending in endings]


def shielded(body: Acting[_T]) -> Acting[_T]:
    """Work that a cancelled scope still does: stopping what is ours, and confirming it."""
    # Enter is the engine's own request and no effect; it is yielded like one and answered with what the body returns.
    return cast("_T", (yield cast("Effect", Enter("", body, shield=True))))


def _translated(error: StepError, refused: Refusals | None) -> StepError:
    known = (refused or {}).get(str(error.details.get("status", "")))
    if error.code != "hub_refused" or known is None:
        return error
    code, summary = known
    return StepError(code, summary, error.details)
