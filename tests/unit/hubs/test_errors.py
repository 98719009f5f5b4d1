"""Every error and its exact text."""

from __future__ import annotations

import pytest

from mesoflow.hubs.errors import CallRefused, ConnectFailed, HubError, NotAllowed, NotSent, OutcomeUnknown

TABLE = [
    (CallRefused("GetAccount", "NotFound", "no such account"), "GetAccount: NotFound: no such account"),
    (CallRefused("GetAccount", "NotFound"), "GetAccount: NotFound"),
    (NotSent("SendOrder", "the control hub is away"), "SendOrder was not sent: the control hub is away"),
    (
        OutcomeUnknown("SendOrder", "no answer in 5 s"),
        "SendOrder was sent and its outcome is unknown: no answer in 5 s",
    ),
    (ConnectFailed("control", "negotiate", "HTTP 500"), "control: negotiate failed: HTTP 500"),
    (NotAllowed("SendOrder", "trade", ("read",)), "SendOrder is a trade call; this connection allows read"),
    (NotAllowed("SendOrder", "trade", ()), "SendOrder is a trade call; this connection allows none"),
]


@pytest.mark.parametrize(("error", "text"), TABLE)
def test_the_text_of_an_error(error: Exception, text: str) -> None:
    assert str(error) == text


def test_what_is_no_ending_of_a_call_is_no_hub_error() -> None:
    """Nobody who handles the endings of calls may swallow a programming mistake with them."""
    assert not isinstance(NotAllowed("x", "trade", ()), HubError)
