"""The codec's laws, as checkers over any codec, each with a mutant that it catches."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoflow.journal import codec
from mesoflow.journal.errors import CodecError

texts = st.text() | st.sampled_from(
    ["=", "==", "=n1", "=t2026-11-25T00:00:00Z", "=d2026-11-25", "=b" + "0" * 64, '"=n', "'"]
)
decimals = st.decimals(allow_nan=False, allow_infinity=False)
instants = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.just(UTC))
leaves = st.none() | st.booleans() | st.integers(-(10**99), 10**99) | texts | decimals | instants | st.dates()
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


def exact(value: Any) -> Any:
    """A form in which only what is the same in every respect is equal: 5.0 is not 5.00, 1 is not True, order counts."""
    match value:
        case dict():
            return ("dict", [(key, exact(item)) for key, item in value.items()])
        case list():
            return ("list", [exact(item) for item in value])
        case Decimal():
            return ("Decimal", value.as_tuple())
    return (type(value).__name__, value)


@dataclass(frozen=True)
class Codec:
    """What the laws speak about."""

    encode: Callable[[Any], str] = codec.encode
    decode: Callable[[Any], Any] = codec.decode
    canonical: Callable[[Any], bytes] = codec.canonical


SAMPLES: tuple[Any, ...] = (
    {"b": Decimal("5.00"), "a": [Decimal("5.0"), Decimal("-0"), Decimal("5E+3"), 5, True, None]},
    {"at": datetime(2026, 11, 25, 15, 45, 0, 123456, UTC), "on": date(2026, 11, 25)},
    {"=n1": "=n1", "=": "==", "text": ["=t2026-11-25T00:00:00Z", "é\u0000\u2028😀"]},
    [],
    "=b" + "0" * 64,
)


def law_comes_back(under_test: Codec) -> None:
    for value in SAMPLES:
        assert exact(under_test.decode(under_test.encode(value))) == exact(value)


def law_text_is_compact_json(under_test: Codec) -> None:
    for value in SAMPLES:
        text = under_test.encode(value)
        assert text == json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))


def law_canonical_ignores_the_order_of_keys(under_test: Codec) -> None:
    assert under_test.canonical({"a": {"y": 1, "x": 2}, "b": 3}) == under_test.canonical(
        {"b": 3, "a": {"x": 2, "y": 1}}
    )


def law_canonical_tells_values_apart(under_test: Codec) -> None:
    pairs = [
        (Decimal("5.0"), Decimal("5.00")),
        (1, True),
        ("=n1", Decimal(1)),
        (5, Decimal(5)),
        ([1, 2], [2, 1]),
    ]
    for one, other in pairs:
        assert under_test.canonical(one) != under_test.canonical(other)


def law_equal_instants_are_equal(under_test: Codec) -> None:
    chicago = datetime(2026, 11, 25, 9, 45, tzinfo=timezone(timedelta(hours=-6)))
    assert under_test.canonical(chicago) == under_test.canonical(datetime(2026, 11, 25, 15, 45, tzinfo=UTC))


def law_refuses_what_cannot_come_back(under_test: Codec) -> None:
    refused: list[Any] = [
        1.5,
        {"a": float("nan")},
        datetime(2026, 1, 1),
        Decimal("NaN"),
        {1: 2},
        {"a": {1, 2}},
        "\ud800",
        10**100,
    ]
    for value in refused:
        with pytest.raises(CodecError):
            under_test.encode(value)


LAWS = [law for name, law in sorted(globals().items()) if name.startswith("law_")]


@pytest.mark.parametrize("law", LAWS)
def test_the_codec_keeps_the_law(law: Callable[[Codec], None]) -> None:
    law(Codec())


def _loose(value: Any) -> str:
    """A codec as one would write it first: json with a default for what json does not know."""
    return json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":"))


def _normal(value: Any) -> Any:
    return value.normalize() if isinstance(value, Decimal) else value


def _instead(change: Callable[[Any], Any]) -> Callable[[Any], str]:
    """The codec, with every leaf changed first."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: changed(item) for key, item in value.items()}
        return [changed(item) for item in value] if isinstance(value, list) else change(value)

    return lambda value: codec.encode(changed(value))


MUTANTS: list[tuple[Callable[[Codec], None], Codec]] = [
    (law_comes_back, Codec(encode=_loose)),
    (
        law_comes_back,
        Codec(encode=_instead(_normal)),
    ),
    (
        law_comes_back,
        Codec(
            encode=_instead(lambda leaf: leaf.replace(microsecond=0) if isinstance(leaf, datetime) else leaf)
        ),
    ),
    (law_comes_back, Codec(encode=lambda value: codec.canonical(value).decode())),
    (law_comes_back, Codec(encode=lambda value: codec.encode(value).replace('"==', '"='))),
    (law_text_is_compact_json, Codec(encode=lambda value: json.dumps(json.loads(codec.encode(value))))),
    (law_canonical_ignores_the_order_of_keys, Codec(canonical=lambda value: codec.encode(value).encode())),
    (law_canonical_tells_values_apart, Codec(canonical=lambda value: codec.canonical(_normal(value)))),
    (law_equal_instants_are_equal, Codec(canonical=lambda value: _loose(value).encode())),
    (
        law_refuses_what_cannot_come_back,
        Codec(encode=_instead(lambda leaf: str(leaf) if isinstance(leaf, float) else leaf)),
    ),
    (law_refuses_what_cannot_come_back, Codec(encode=_loose)),
]


@pytest.mark.parametrize(("law", "mutant"), MUTANTS)
def test_the_law_catches_the_mutant(law: Callable[[Codec], None], mutant: Codec) -> None:
    with pytest.raises((AssertionError, CodecError, pytest.fail.Exception)):
        law(mutant)


@given(values)
def test_every_value_comes_back_exactly(value: Any) -> None:
    text = codec.encode(value)
    assert exact(codec.decode(text)) == exact(value)
    assert exact(codec.decode(text.encode())) == exact(value)
    assert codec.encode(codec.decode(text)) == text


@given(values, st.dictionaries(texts, values, max_size=3))
def test_a_fragment_stands_for_its_value(value: Any, beside: dict[str, Any]) -> None:
    """A mutant that leaves the tags out of either half is caught by both lines."""
    stored, back = codec.fragment(value)
    assert exact(back) == exact(codec.decode(codec.encode(value)))
    assert codec.encode({**beside, "outcome": stored}) == codec.encode({**beside, "outcome": value})


def test_no_digest_covers_a_fragment() -> None:
    """Its keys stand in the order in which they were put in, and equal values would have different digests."""
    stored, _ = codec.fragment({"b": 1, "a": 2})
    with pytest.raises(TypeError):
        codec.digest({"outcome": stored})


@given(values)
def test_the_canonical_form_is_the_value_with_sorted_keys(value: Any) -> None:
    assert codec.decode(codec.canonical(value)) == value
    assert (
        codec.canonical(value)
        == json.dumps(
            json.loads(codec.encode(value)), sort_keys=True, ensure_ascii=False, separators=(",", ":")
        ).encode()
    )
    assert codec.digest(value) == sha256(codec.canonical(value)).hexdigest()


@given(values, values)
def test_different_values_have_different_digests(one: Any, other: Any) -> None:
    same = exact(codec.decode(codec.canonical(one))) == exact(codec.decode(codec.canonical(other)))
    assert (codec.digest(one) == codec.digest(other)) == same


@given(st.binary(max_size=40) | st.text(max_size=40))
def test_any_text_is_a_value_or_refused(text: str | bytes) -> None:
    try:
        value = codec.decode(text)
    except CodecError:
        return
    assert exact(codec.decode(codec.encode(value))) == exact(value)


def test_the_stored_form_is_what_a_person_can_read() -> None:
    value = {
        "price": Decimal("4.350"),
        "at": datetime(2026, 11, 25, 15, 45, tzinfo=UTC),
        "on": date(2026, 11, 25),
        "note": "=5",
    }
    assert (
        codec.encode(value)
        == '{"price":"=n4.350","at":"=t2026-11-25T15:45:00Z","on":"=d2026-11-25","note":"==5"}'
    )


class Side(StrEnum):
    BUY = "Buy"


def test_members_tuples_and_subclasses_come_back_plain() -> None:
    assert exact(codec.decode(codec.encode({"side": Side.BUY, "legs": (1, 2)}))) == exact(
        {"side": "Buy", "legs": [1, 2]}
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "the value: the float 1.5 is not exact; use a Decimal"),
        ({"legs": [{"delta": 0.3}]}, "legs[0].delta: the float 0.3 is not exact; use a Decimal"),
        ({"at": datetime(2026, 1, 1)}, "at: the time 2026-01-01T00:00:00 has no time zone"),
        ({"at": datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))}, "at: the time 0001-01-01T00:00:00+01:00 does not exist in UTC"),
        ([Decimal("sNaN")], "[0]: the decimal sNaN is not a finite number"),
        ({7: 1}, "the value: a key must be a text, not 7"),
        ({"a": {7: 1}}, "a: a key must be a text, not 7"),
        ({"a": b"x"}, "a: a value of type bytes has no form in the journal; make it text, a number, a list or a dict"),
        (10**100, "the value: a whole number of more than 100 digits"),
        ("\ud800", "the value: a text holds half a surrogate pair, which is not UTF-8"),
    ],
)  # fmt: skip
def test_a_refusal_says_where_and_why(value: Any, text: str) -> None:
    with pytest.raises(CodecError) as refused:
        codec.encode(value)
    assert str(refused.value) == text


def test_depth_is_bounded() -> None:
    value: Any = 1
    for _ in range(codec.DEPTH_MAX):
        value = [value]
    assert codec.decode(codec.encode(value)) == value
    with pytest.raises(CodecError, match="nested deeper than 100"):
        codec.encode([value])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "1.5",
        '{"a":1e3}',
        '"=x1"',
        '"="',
        '"=n"',
        '"=nfour"',
        '"=t2026-11-25"',
        '"=dyesterday"',
        "[" * 5000,
    ],
)
def test_text_that_is_no_value_is_refused(text: str) -> None:
    with pytest.raises(CodecError):
        codec.decode(text)
