"""Findings about the language's own rules: ids, error codes, clauses, loops, `always`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mesoflow.findings import Finding
from mesoflow.playbook.language import Language
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.lint.near import did_you_mean
from mesoflow.playbook.outline import ClauseOutline, Outline, StepOutline
from mesoflow.playbook.tree import Scalar, Sequence

# What any step can end with, whatever its action (ACTIONS.md).
COMMON_ERRORS = ("hub_unavailable", "hub_refused", "bad_value")
# The engine's own checks before the first step (actions/preflight.py, to which a test holds this: importing the actions
# would cost `check` most of a second); only the playbook's `rescue` sees them.
PREFLIGHT_ERRORS = ("account_not_found", "agent_offline", "agent_stale")


def rules(shape: Outline, language: Language) -> Iterator[Finding]:
    """All of them."""
    yield from _ids(shape)
    yield from _errors(shape, language)
    yield from _always(shape, language)
    yield from _loops(shape)


# --- ids


def _ids(shape: Outline) -> Iterator[Finding]:
    seen: dict[str, StepOutline] = {}
    for step in shape.every:
        if not step.id:
            if "steps" in step.node.entries:
                help = "a group has no action to take its id from"
                yield Finding(Code.ID_NEEDED, "a group needs an `id`", step.node.place(), help=help)
            continue
        first = seen.setdefault(step.id, step)
        if first is step:
            continue
        related = ((first.node.place(), f'the other step "{step.id}"'),)
        if step.id_node is not None:
            summary = f'two steps are called "{step.id}"'
            yield Finding(Code.REPEATED_ID, summary, step.id_node.place(step.label), related=related)
        else:
            summary = f'this step needs an `id`: "{step.id}", the last word of its action, is taken'
            place = (step.node.get("action") or step.node).place(step.label)
            yield Finding(Code.ID_NEEDED, summary, place, related=related, help="add `id: …`")


# --- error codes


@dataclass(frozen=True, slots=True)
class _Codes:
    """Which error codes there are. `unknowable`: a step of a later version stands here, so nobody knows its errors."""

    every: frozenset[str]
    never_rescued: frozenset[str]
    unknowable: bool


def _errors(shape: Outline, language: Language) -> Iterator[Finding]:
    of_actions = {code for action in language.actions.values() for code in action.errors}
    unknowable = any(step.action in language.not_yet for step in shape.every)
    codes = _Codes(ALL_ERRORS | of_actions | set(COMMON_ERRORS), language.never_rescued, unknowable)
    for step in shape.every:
        possible = _possible([step], language)
        for code in [*(code for clause in step.clauses for code in clause.errors), *_retried(step)]:
            yield from _code(code, step.label, codes, possible)
        yield from _order(step.clauses, step.label)
    possible = _possible(shape.steps, language) | set(PREFLIGHT_ERRORS)
    for clause in shape.last:
        for code in clause.errors:
            yield from _code(code, "in rescue", codes, possible)
    yield from _order(shape.last, "in rescue")


# Error codes that only actions of later versions, or other playbooks' actions, end with: known, and no typing error.
ALL_ERRORS = frozenset(
    (
        "account_not_found",
        "account_not_allowed",
        "requirement_not_met",
        "agent_offline",
        "agent_stale",
        "strategy_not_found",
        "strategy_ambiguous",
        "definition_changed",
        "strategy_exists",
        "definition_invalid",
        "strategy_in_use",
        "entry_not_allowed",
        "prepare_failed",
        "prepare_too_slow",
        "nothing_to_trade",
        "no_quote",
        "position_not_found",
        "adjustment_not_allowed",
        "no_such_condition",
        "not_filled",
        "incomplete",
        "rejected",
        "combo_not_supported",
        "plan_too_old",
        "rail_refused",
        "approval_denied",
        "approval_expired",
        "fill_implausible",
        "fills_incomplete",
        "not_a_paper_account",
        "position_closed",
        "window_missed",
        "no_signal",
        "no_answer",
        "assertion_failed",
        "credit_sign_unknown",
    )
)


def _own_errors(step: StepOutline, language: Language) -> tuple[str, ...]:
    action = language.actions.get(step.action or "")
    return action.errors if action is not None else ()


def _possible(steps: list[StepOutline], language: Language) -> set[str]:
    """What these steps can end with, their clauses' steps included."""
    found = set(COMMON_ERRORS)
    for step in steps:
        found |= set(_own_errors(step, language))
        for inner in (step.steps, *(clause.steps for clause in step.clauses)):
            found |= _possible(inner, language) if inner else set()
    return found


def _retried(step: StepOutline) -> list[Scalar]:
    retry = step.node.get("retry")
    errors = retry.get("errors") if retry is not None and hasattr(retry, "get") else None
    return [code for code in errors.items if isinstance(code, Scalar)] if isinstance(errors, Sequence) else []


def _code(node: Scalar, within: str, codes: _Codes, possible: set[str]) -> Iterator[Finding]:
    code = node.value
    if not isinstance(code, str):
        return
    if code in codes.never_rescued:
        help = "what is not known is never rescued: the run parks, and a person looks"
        yield Finding(
            Code.NEVER_RESCUED, f"{code} matches no clause, not even `any`", node.place(within), help=help
        )
    elif code not in codes.every:
        help = did_you_mean(code, possible, "the errors here are")
        yield Finding(Code.UNKNOWN_ERROR, f"there is no error {code}", node.place(within), help=help)
    elif code not in possible and not codes.unknowable:
        help = f"the errors here are {', '.join(sorted(possible))}"
        yield Finding(
            Code.ERROR_CANNOT_HAPPEN,
            f"nothing here ends with {code}",
            node.place(within),
            "warning",
            help=help,
        )


def _order(clauses: list[ClauseOutline], within: str) -> Iterator[Finding]:
    taken: dict[str, ClauseOutline] = {}
    everything: ClauseOutline | None = None
    for clause in clauses:
        first = everything
        if first is None and clause.errors and all(str(code.value) in taken for code in clause.errors):
            first = taken[str(clause.errors[0].value)]
        if first is not None:
            related = ((first.node.place(), "this clause takes its errors"),)
            summary = "this clause is never reached: the first that matches runs"
            yield Finding(
                Code.CLAUSE_UNREACHABLE, summary, clause.node.place(within), "warning", related=related
            )
        everything = everything or (clause if clause.any else None)
        for code in clause.errors:
            taken.setdefault(str(code.value), clause)


# --- always, loops


def _always(shape: Outline, language: Language) -> Iterator[Finding]:
    for step in shape.every:
        if not any(outer.slot == "always" and outer.parent is None for outer in step.ancestors()):
            continue
        action = language.actions.get(step.action or "")
        if action is not None and action.effect == "trade":
            node = step.node.get("action") or step.node
            help = "it runs after a cancel, too, when nobody may trade any more; trade in `steps` or in a `rescue`"
            yield Finding(
                Code.ALWAYS_TRADES,
                f"`always` may not trade, and {step.action} does",
                node.place(step.label),
                help=help,
            )


def _loops(shape: Outline) -> Iterator[Finding]:
    for step in shape.every:
        loop = step.for_each
        if loop is None:
            continue
        key = loop.get("key")
        if (
            isinstance(key, Scalar)
            and isinstance(key.value, str)
            and "{{" in key.value
            and "loop." not in key.value
        ):
            help = "for instance {{ loop.item.position_id }}"
            yield Finding(
                Code.LOOP_RULE,
                "this key is the same for every item; a repeated key is an error",
                key.place(step.label),
                help=help,
            )
