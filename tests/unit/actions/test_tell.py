"""notify."""

from mesoflow.engine.effects import Tell
from mesoflow.expressions.unknown import Unknown
from tests.support.acting import act, foretell


def test_people_are_told() -> None:
    acted = act("notify", {"to": ["ops"], "title": "calendar on", "body": {"lots": 1}, "level": "page"})
    assert acted.effects == [Tell("tell", ("ops",), "calendar on", {"lots": 1}, "page")]
    assert acted.outputs == {"delivered": ["ops"]}


def test_a_preview_shows_a_message_that_it_cannot_finish() -> None:
    body = Unknown("string", 'step "buy"')
    told = foretell("notify", {"to": ["ops"], "title": "calendar on", "body": body})
    assert told.effects == [Tell("tell", ("ops",), "calendar on", body)]
