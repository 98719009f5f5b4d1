"""What expressions come to: typed values, strict types, exact numbers, bounds."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.expressions import ExpressionError, Scope, StepView, Unknown, evaluate
from mesoflow.expressions.functions import FILTERS, FUNCTIONS

PLAN = {
    "greeks": {"theta": Decimal("14.20"), "delta": Decimal("-3"), "rho": None},
    "legs": {"short_put": {"quantity": Decimal(-1), "quote": {"bid": Decimal("42.30")}}},
    "groups": [{"id": 1, "packages": 2}, {"id": 2, "packages": None}],
    "prepared_at": datetime(2025, 1, 17, 20, 40, tzinfo=UTC),
    "name": "x",
}


def names(**more: object) -> dict[str, object]:
    steps = Scope()
    steps.set("entry", StepView("done", PLAN))
    steps.set("calm", StepView("skipped"))
    steps.set("buy", StepView("failed"))
    return {
        "steps": steps,
        "inputs": {"lots": 2, "day": date(2025, 1, 17), "none": None},
        "run": {"id": "r-1"},
    } | more


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no expression", "no expression"),
        ("{{ steps.entry }}", PLAN),
        ("{{steps.entry.greeks.theta}}", Decimal("14.20")),
        ("{{ steps.entry.legs['short_put'].quantity }}", Decimal(-1)),
        ("{{ steps.entry.groups[0].packages }}", 2),
        ("theta {{ steps.entry.greeks.theta }} a day", "theta 14.20 a day"),
        ("{{ 1 }}{{ 2 }}", "12"),
        ("{{ 0.1 + 0.2 }}", Decimal("0.3")),
        ("{{ 1_000.50 * 2 }}", Decimal("2001.00")),
        ("{{ 7 // 2 }} {{ -7 // 2 }} {{ -7.0 // 2 }} {{ -7.5 % 2 }}", "3 -4 -4 0.5"),
        ("{{ 1 / 4 }}", Decimal("0.25")),
        ("{{ 2 ** 10 }}", 1024),
        ("{{ -3 | abs }}", 3),
        ("{{ abs(-3) + max(1, 2.5) - min([4, 3]) }}", Decimal("2.5")),
        ("{{ round(2.675, 2) }}", Decimal("2.68")),
        ("{{ round(-2.5) }}", -3),
        ("{{ 12 <= 17.4 <= 25 }}", True),
        ("{{ 1 == 1.0 and not (2 < 1) or false }}", True),
        ("{{ 'a' < 'b' }}", True),
        ("{{ 'short' in 'short_put' and 2 in [1, 2] and 'greeks' in steps.entry }}", True),
        ("{{ 1 not in ['1'] }}", True),
        ("{{ 'x' ~ 1.50 ~ true ~ none }}", "x1.50truenull"),
        ("{{ 1 if inputs.lots == 2 else 0 }}", 1),
        ("{{ [1, 'a', {'k': 2}] }}", [1, "a", {"k": 2}]),
        ("{{ (1, 2) }}", [1, 2]),
        ("{{ inputs.none | default(5) }}", 5),
        ("{{ inputs.nothing | default(5) }}", 5),
        ("{{ steps.calm.mark | default(5) }}", 5),
        ("{{ steps.calm | default('none') }}", "none"),
        ("{{ steps.never.reached.deep[3] | default(5) }}", 5),
        ("{{ steps.entry.greeks.theta | default(5) }}", Decimal("14.20")),
        ("{{ [] | first | default(7) }}", 7),
        ("{{ steps.entry is done }} {{ steps.buy is failed }} {{ steps.calm is skipped }}", "true true true"),
        ("{{ steps.never is skipped and steps.never is not done }}", True),
        ("{{ steps.entry.groups | length + (steps.entry.legs | list | length) }}", 3),
        (
            "{{ steps.entry.groups | sort(attribute='packages', reverse=true) | map(attribute='id') | list }}",
            [2, 1],
        ),
        ("{{ steps.entry.groups | selectattr('id', '>', 1) | map(attribute='id') | first }}", 2),
        ("{{ steps.entry.groups | map(attribute='packages', default=0) | sum }}", 2),
        ("{{ [3, 1, none, 2] | sort }}", [1, 2, 3, None]),
        ("{{ [1.5, 2] | map('round') | join(', ') }}", "2, 2"),
        ("{{ steps.entry.prepared_at | date }}", date(2025, 1, 17)),
        ("{{ steps.entry.prepared_at | time }}", "15:40"),
        ("{{ 1234.5 | money }} {{ -0.125 | points }}", "1,234.50 -0.13"),
        ("{{ inputs.day | days_from('2025-01-20') }}", 3),
        ("{{ inputs.day | days_from(['2025-01-10', '2025-01-29']) }}", 7),
        ("{{ inputs.day - ('2025-01-10' | date) }}", 7),
        ("{{ duration('2m') > 90 and duration('1h') == duration(3600) }}", True),
        ('{{ "}}" ~ "{{ steps }}" }}', "}}{{ steps }}"),
        ("{{ run.id }} {# kept #}", "r-1 {# kept #}"),
    ],
)
def test_an_expression_comes_to(text: str, value: object) -> None:
    assert evaluate(text, names()) == value
    assert type(evaluate(text, names())) is type(value)


@pytest.mark.parametrize(
    ("text", "position", "summary"),
    [
        ("{{ steps.calm.mark }}", 3, "step \"calm\" did not run, so it has no 'mark'"),
        ("{{ steps.buy.price }}", 3, "step \"buy\" failed, so it has no 'price'"),
        ("{{ steps.never.price }}", 3, "step \"never\" did not run, so it has no 'price'"),
        ("{{ steps.calm }}", 3, "the step is skipped and has no outputs"),
        ("{{ steps.entry.greek }}", 3, "there is no 'greek'; did you mean greeks?"),
        ("{{ steps.entry.groups.first }}", 3, "list has no 'first', only its items; their number is … | length"),
        ("{{ steps.entry.groups[9] }}", 3, "there is no item 9 in a list of 2"),
        ("{{ steps }}", 3, "steps is no value by itself; write steps.ID"),
        ("{{ loop.item }}", 3, "loop is only known inside for_each"),
        ("{{ error.code }}", 3, "error is only known inside rescue"),
        ("{{ lots }}", 3, "there is no name lots; there is inputs, steps, run, loop, error"),
        ("{{ inputs.none > 1 }}", 3, "> with null; say what it means then: … | default(…)"),
        ("{{ inputs.none == none }}", 3, "== with null; say what it means then: … | default(…)"),
        ("{{ inputs.none + 1 }}", 3, "+ needs two numbers, not null and number"),
        ("{{ (inputs.nothing + 1) | default(0) }}", 4, "there is no 'nothing'; there is day, lots, none"),
        ("{{ 1 == '1' }}", 3, "== needs two values of one type, not number and text"),
        ("{{ true == 1 }}", 3, "== needs two values of one type, not boolean and number"),
        ("{{ true + 1 }}", 3, "+ needs two numbers, not boolean and number"),
        ("{{ 'a' + 'b' }}", 3, "+ needs two numbers, not text and text; text is joined with ~"),
        ("{{ inputs.day > '2025-01-01' }}", 3, "> needs two values of one type, not date and text; a date in quotes becomes one with | date"),
        ("{{ [1] < [2] }}", 3, "< has no meaning for list"),
        ("{{ 1 and true }}", 3, "and takes true or false, not number"),
        ("{{ not 'x' }}", 3, "not takes true or false, not text"),
        ("{{ 1 if 1 else 2 }}", 3, "if takes true or false, not number"),
        ("{{ 1 if true }}", 3, "… if … needs an else: what is the value otherwise?"),
        ("{{ 1 / 0 }}", 3, "/ by zero"),
        ("{{ 1.0 % 0 }}", 3, "% by zero"),
        ("{{ inputs.day | days_from(['2025-01-10']) }}", 16, "the last date of the list, 2025-01-10, is past; the list needs new dates"),
        ("{{ duration('2 days') }}", 3, "'2 days' is no duration; write 30s, 5m or 2h"),
        ("{{ abs(1, 2) }}", 3, "abs: too many positional arguments"),
        ("{{ 'a' | shout }}", 9, "there is no filter shout; there is default, length, list, sort, first, last, sum, join, map, selectattr, date, time, money, points, days_from, abs, min, max, round, duration"),
        ("{{ steps.entry is defined }}", 15, "there is no test defined; there is is done, is failed, is skipped"),
        ("{{ inputs.lots is done }}", 15, "is done asks about a step: steps.ID is done"),
        ("{{ 'abc'[0:2] }}", 8, "slices are no part of the language; there is | first and | last"),
        ("{{ 1 + }}", 5, "the expression ends too early"),
        ("{{ 1 2 }}", 5, "unexpected '2'"),
        ("{{ 'open }}", 3, "unexpected \"'\""),
        ("{{ 1", 0, "{{ without }}"),
        ("{{ }}", 2, "{{ }} is empty"),
        ("{{- 1 }}", 0, "write {{ and }} without - or +"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_words_and_a_place(text: str, position: int, summary: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, names())
    assert (caught.value.summary, caught.value.position, caught.value.expression) == (summary, position, text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'x' * 100000000 }}",
        "{{ [1] * 100000000 }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{{ 10 ** 64 }}",
        "{{ 2 ** 0.5 }}",
        "{{ 1e999999 }}",
        "{{ 1e-999999 }}",
        "{{ " + "9" * 5000 + " }}",
        "{{ " + "(" * 200 + "1" + ")" * 200 + " }}",
        "{{ " + "not " * 2000 + "true }}",
        "{{ " + "-" * 2000 + "1 }}",
        "{{ " + "1 + " * 2000 + "1 }}",
        "{{ " + "[" * 500 + " }}",
        "{{ " + "1 if true else " * 900 + "1 }}",
        "{{ steps" + ".a" * 3000 + " }}",
        "{{ range(1000000000) | list | length }}",
        "{% for a in range(1000000000) %}x{% endfor %}",
        "{% set x = 1 %}",
        "{{ ''.__class__.__mro__ }}",
        "{{ steps['__class__'] }}",
        "{{ steps.entry._private }}",
        "{{ inputs['_' ~ 'x'] }}",
        "{{ [inputs] | map(attribute='__class__') }}",
        "{{ steps.entry.name.format(1) }}",
        "{{ steps.entry.legs.items() }}",
        "{{ lipsum() }}",
        "{{ cycler }}",
        "{{ self }}",
        "{{ [1, 2] | random }}",
        "{{ steps | attr('get') }}",
        "{{ now() }}",
        "{{ abs(*[1]) }}",
        "{{ abs(**{'a': 1}) }}",
    ],
)
def test_hostile_and_endless_expressions_end_at_once(text: str) -> None:
    before = time.perf_counter()
    with pytest.raises(ExpressionError):
        evaluate(text, names())
    assert time.perf_counter() - before < 1.0


def test_lists_and_texts_are_bounded() -> None:
    many = names(inputs={"many": list(range(6_000)), "long": "x" * 60_000})
    for text in (
        "{{ inputs.many | sum }}",
        "{{ inputs.long ~ inputs.long }}",
        "{{ inputs.long }}{{ inputs.long }}",
    ):
        with pytest.raises(ExpressionError):
            evaluate(text, many)


def test_every_level_of_a_value_is_evaluated_and_nothing_twice() -> None:
    given_names = names(inputs={"text": "{{ 1 / 0 }}"})
    written = {"a": ["{{ inputs.text }}", {"b": "{{ 1 + 1 }}"}], "c": Decimal(1), "d": None, "e": True}
    assert evaluate(written, given_names) == {
        "a": ["{{ 1 / 0 }}", {"b": 2}],
        "c": Decimal(1),
        "d": None,
        "e": True,
    }


def test_and_or_and_if_do_not_look_at_what_does_not_count() -> None:
    assert evaluate("{{ false and steps.calm.mark > 1 }}", names()) is False
    assert evaluate("{{ true or steps.calm.mark > 1 }}", names()) is True
    assert evaluate("{{ 1 if true else steps.calm.mark }}", names()) == 1


# --- what is not known yet


def preview() -> dict[str, object]:
    steps = Scope()
    known_after = 'step "entry"'
    greeks = Unknown("Greeks", known_after, {"theta": Unknown("decimal", known_after)})
    plan = Unknown("ExecPlan", known_after, {"greeks": greeks, "lots": Decimal(2)})
    steps.set("entry", StepView("done", plan))
    return {"steps": steps, "inputs": {"a": Unknown("moment", "the start")}, "run": {}}


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("{{ steps.entry }}", "ExecPlan"),
        ("{{ steps.entry.greeks.theta }}", "decimal"),
        ("{{ steps.entry.greeks.theta * 2 }}", "decimal"),
        ("{{ steps.entry.greeks.theta > 0 }}", "boolean"),
        ("{{ steps.entry.greeks.theta > 0 and true }}", "boolean"),
        ("{{ not (steps.entry.greeks.theta > 0) }}", "boolean"),
        ("{{ 1 if steps.entry.greeks.theta > 0 else 2 }}", "any"),
        ("{{ abs(steps.entry.greeks.theta) }}", "decimal"),
        ("{{ steps.entry.greeks.theta | money }}", "string"),
        ("{{ [steps.entry.greeks.theta, 1] | sum }}", "decimal"),
        ("theta {{ steps.entry.greeks.theta }}", "string"),
        ("{{ 'theta ' ~ steps.entry.greeks.theta }}", "string"),
        ("{{ steps.entry.greeks.theta | default(1) }}", "decimal"),
    ],
)
def test_what_depends_on_something_unknown_is_unknown(text: str, type: str) -> None:
    value = evaluate(text, preview())
    assert isinstance(value, Unknown)
    assert (value.type, value.until) == (type, 'step "entry"')


def test_what_is_known_of_an_unknown_is_a_value_and_what_it_will_never_have_an_error() -> None:
    assert evaluate("{{ steps.entry.lots * 2 }}", preview()) == Decimal(4)
    assert evaluate("{{ false and steps.entry.greeks.theta > 0 }}", preview()) is False
    with pytest.raises(ExpressionError, match="there is no 'thetta'; did you mean theta"):
        evaluate("{{ steps.entry.greeks.thetta }}", preview())


# --- properties

NUMBERS = st.decimals(min_value=-(10**12), max_value=10**12, places=4)


@given(NUMBERS, NUMBERS)
def test_arithmetic_is_exact(a: Decimal, b: Decimal) -> None:
    given_names = names(inputs={"a": a, "b": b})
    assert evaluate("{{ inputs.a + inputs.b - inputs.b == inputs.a }}", given_names) is True
    assert evaluate("{{ inputs.a * inputs.b }}", given_names) == Context(prec=60).multiply(a, b)


@given(st.integers(-(10**9), 10**9), st.integers(-(10**6), 10**6).filter(bool))
def test_floor_division_is_the_same_however_a_number_is_written(a: int, b: int) -> None:
    whole = names(inputs={"a": a, "b": b})
    exact = names(inputs={"a": Decimal(a), "b": Decimal(b)})
    for text in ("{{ inputs.a // inputs.b }}", "{{ inputs.a % inputs.b }}"):
        assert evaluate(text, whole) == evaluate(text, exact)


WORDS = (
    "{{ }} {% %} {# ( ) [ ] { } . , : | is not and or if else in ~ + - * / // % ** == < 1 2.5 'a' \"b\" steps inputs loop "
    "entry calm greeks theta lots done skipped default sort map abs round _x __class__ none true"
)
PIECES = st.sampled_from(WORDS.split())


@given(st.lists(PIECES, max_size=24))
def test_any_text_is_a_value_or_an_expression_error(pieces: list[str]) -> None:
    for text in (" ".join(pieces), "{{ " + " ".join(pieces) + " }}"):
        try:
            evaluate(text, names())
        except ExpressionError as error:
            assert 0 <= error.position < max(len(text), 1)


def test_the_lists_of_the_language_are_those_of_its_page() -> None:
    assert set(FUNCTIONS) == {"abs", "min", "max", "round", "duration"}
    filters = "length list sort first last sum join map selectattr date time money points days_from"
    assert set(FILTERS) - set(FUNCTIONS) == set(filters.split())
