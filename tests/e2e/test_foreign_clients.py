"""Clients written by others, unmodified, against the server end with a hand-written hub."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest

from tests.support.echo_hub import PATH

BOTH = pytest.mark.parametrize("protocol", ["json", "messagepack"])
AT = "2025-01-16T15:00:00Z"
NOT_A_STREAM = "The client attempted to invoke the non-streaming 'Echo' method with a streaming invocation."
IS_A_STREAM = "The client attempted to invoke the streaming 'Count' method with a non-streaming invocation."
UNEXPECTED = "An unexpected error occurred invoking '{}' on the server."


# --- the official JavaScript client ------------------------------------------------------------------------------------------


@BOTH
def test_javascript_calls(javascript: Callable[..., Any], echo_url: str, protocol: str) -> None:
    text = protocol == "messagepack"
    assert javascript(echo_url, protocol, "echo.calls") == [
        ("text", "héllo \u001f"),
        ("tree", {"A": [1, -7, None, True], "B": {"C": "x"}}),
        ("null", None),
        ("void", "undefined"),
        # MessagePack has a type for times, which JavaScript shows with milliseconds, and decimals as text.
        (
            "money",
            {"Price": "12.50", "At": "2025-01-16T15:00:00.000Z"} if text else {"Price": 12.5, "At": AT},
        ),
        ("by leg", {"7": "-0.05" if text else -0.05}),
        ("refused", "Order 7 is not yours."),
        ("crashed", UNEXPECTED.format("Crash")),
        ("unknown", "Unknown hub method 'NoSuchMethod'"),
        ("not a stream", NOT_A_STREAM),
        ("is a stream", IS_A_STREAM),
        ("200 KB", True),
        ("in order", [1, 2, 3, 4, 5]),
        ("remembered", "sent without an answer"),
        ("stopped", "Disconnected"),
    ]


@BOTH
def test_javascript_callbacks(javascript: Callable[..., Any], echo_url: str, protocol: str) -> None:
    assert javascript(echo_url, protocol, "echo.callbacks") == [
        ("answer", 3),
        ("seen", [[0, "tick"], [1, "tick"], [2, "tick"]]),
        ("many", 2000),
        ("in order", True),
        ("count", 2003),
    ]


@BOTH
def test_javascript_streams(javascript: Callable[..., Any], echo_url: str, protocol: str) -> None:
    assert javascript(echo_url, protocol, "echo.streams") == [
        ("complete", {"items": [{"N": 0}, {"N": 1}, {"N": 2}], "end": "complete"}),
        ("error", {"items": [{"N": 0}, {"N": 1}], "end": "The market is closed."}),
        ("crash", {"items": [{"N": 0}], "end": UNEXPECTED.format("CountThenCrash")}),
        ("unknown", {"items": [], "end": "Unknown hub method 'NoSuchStream'"}),
        ("cancelled", {"items": [{"N": 0}, {"N": 1}], "end": "cancelled"}),
        ("closed at the hub", True),
        ("side by side", [2, 4]),
        ("upload", "Upload streams are not taken here ('Upload' announced one)."),
        ("still alive", 1),
    ]


@BOTH
def test_javascript_reconnects_when_cut_off_or_told_that_it_may(
    javascript: Callable[..., Any], echo_url: str, protocol: str
) -> None:
    assert javascript(echo_url, protocol, "echo.reconnects") == [
        ("cut", "reconnected"),
        ("the call", "failed"),
        ("a new id", True),
        ("works again", "again"),
        ("close, may reconnect", "reconnected"),
        ("the call", "failed"),
        ("a new id", True),
        ("works again", "again"),
        ("close", "closed: Server returned an error on close: The hub closes."),
        ("the call", "failed"),
        ("a new id", True),
    ]


@BOTH
def test_javascript_at_the_entrance(javascript: Callable[..., Any], echo_url: str, protocol: str) -> None:
    assert javascript(echo_url, protocol, "echo.entrance") == [
        ("without negotiation", 1),
        ("without a token", True),
        ("no such hub", True),
    ]


# --- stock Python clients ------------------------------------------------------------------------------------------------------


def test_signalrcore(python_client: Callable[..., Any], echo_url: str) -> None:
    assert python_client("use_signalrcore.py", echo_url + PATH) == [
        ("opened", True),
        ("text", "héllo"),
        ("tree", {"A": [1, None, True]}),
        ("money", {"Price": 12.5, "At": AT}),
        ("answer", 3),
        ("ticks", [[0, "tick"], [1, "tick"], [2, "tick"]]),
        ("streamed", [True, [{"N": 0}, {"N": 1}]]),
    ]


@pytest.mark.skipif(find_spec("pysignalr") is None, reason="pysignalr is not installed: it was not tried")
@BOTH
def test_pysignalr(python_client: Callable[..., Any], echo_url: str, protocol: str) -> None:
    assert python_client("use_pysignalr.py", echo_url + PATH, protocol) == [
        ("opened", True),
        ("text", "héllo"),
        ("tree", {"A": [1, None, True]}),
        ("price", "12.50" if protocol == "messagepack" else 12.5),
        ("answer", 3),
        ("ticks", [[0, "tick"], [1, "tick"], [2, "tick"]]),
        ("streamed", [{"N": 0}, {"N": 1}]),
    ]
