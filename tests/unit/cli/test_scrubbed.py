"""Answers, refusals and events of a hub, without our secrets, before the journal sees them."""

import asyncio
from datetime import timedelta

import pytest

from mesoflow import logs
from mesoflow.cli.scrubbed import Scrubbed
from mesoflow.hubs.errors import CallRefused, OutcomeUnknown

SECRET = "sesame-123"
WITHIN = timedelta(seconds=1)


class Echo:
    """A hub that repeats our key."""

    encoding, cursor = "json", 7

    def __init__(self, answer):
        self.answer = answer

    def encode(self, method, args):
        return b"{}"

    async def invoke(self, method, argument, *, within):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def listen(self, heard):
        heard("OnAgentStatus", {"message": f"key {SECRET}"})


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    monkeypatch.setattr(logs, "_secrets", {SECRET})


def invoke(answer):
    return asyncio.run(Scrubbed(Echo(answer)).invoke("GetAccount", b"{}", within=WITHIN))


def test_an_answer_keeps_everything_but_the_secret():
    assert invoke({"note": f"Bearer {SECRET}", "n": [1, None]}) == {"note": "Bearer ********", "n": [1, None]}


def test_a_refusal_and_an_unknown_say_nothing_of_it():
    with pytest.raises(CallRefused) as refused:
        invoke(CallRefused("GetAccount", "Unauthorized", f"{SECRET} is not known", fields={"key": [SECRET]}))
    assert (refused.value.message, refused.value.fields) == ("******** is not known", {"key": ["********"]})
    with pytest.raises(OutcomeUnknown) as unknown:
        invoke(OutcomeUnknown("GetAccount", f"the hub said {SECRET}"))
    assert unknown.value.reason == "the hub said ********"


def test_events_too():
    heard = []
    Scrubbed(Echo(None)).listen(lambda name, event: heard.append((name, event)))
    assert heard == [("OnAgentStatus", {"message": "key ********"})]
