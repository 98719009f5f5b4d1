"""No secret is written, however it got into a text."""

import io
import logging

import pytest

from mesoflow import logs


@pytest.fixture(autouse=True)
def _no_secrets(monkeypatch):
    monkeypatch.setattr(logs, "_secrets", set())


def test_a_secret_is_hidden_once_it_has_been_told():
    assert logs.redact("key sesame-123") == "key sesame-123"
    logs.hide("sesame-123")
    assert logs.redact("key sesame-123, twice: sesame-123") == "key ********, twice: ********"


def test_the_longer_of_two_secrets_leaves_no_rest():
    logs.hide("sesame")
    logs.hide("sesame-123")
    assert logs.redact("sesame-123") == "********"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Authorization: Bearer abc.def", "Authorization: Bearer ********"),
        (
            "wss://host/hubs/control?id=1&access_token=abc",
            "wss://host/hubs/control?id=1&access_token=********",
        ),
        ("api_key: abc", "api_key: ********"),
    ],
)
def test_what_looks_like_a_token_is_hidden_untold(text, hidden):
    assert logs.redact(text) == hidden


def test_values_are_hidden_at_any_depth():
    logs.hide("sesame-123")
    assert logs.scrub_value({"a": ["sesame-123", 1, None], "sesame-123": {"b": "x"}}) == {
        "a": ["********", 1, None],
        "********": {"b": "x"},
    }


def test_a_log_line_hides_arguments_and_tracebacks():
    logs.hide("sesame-123")
    stream = io.StringIO()
    logs.configure(stream)
    try:
        raise ValueError("sesame-123")
    except ValueError:
        logging.getLogger("mesoflow.hubs").exception("refused with %s", "sesame-123")
    assert "sesame" not in stream.getvalue()
    assert stream.getvalue().startswith("ERROR mesoflow.hubs: refused with ********\n")


def test_a_short_text_is_no_secret():
    logs.hide("a")
    assert logs.redact("a cat") == "a cat"
