"""assert and set."""

from decimal import Decimal

from mesoflow.engine.errors import StopRun
from mesoflow.expressions.unknown import Unknown
from tests.support.acting import act, foretell

HOLDS = {"that": True, "message": "theta is not positive"}
BROKEN = {"that": False, "message": "VIX 30 is outside 12 to 25"}
ALSO = {"that": False, "message": "4 calendars are open"}


def test_what_holds_goes_on() -> None:
    acted = act("assert", {"all": [HOLDS]})
    assert (acted.asked, acted.error) == ([], None)


def test_what_does_not_hold_fails_with_every_message() -> None:
    acted = act("assert", {"all": [HOLDS, BROKEN, ALSO]})
    assert str(acted.error) == "assertion_failed: VIX 30 is outside 12 to 25; 4 calendars are open"
    assert acted.error.details == {"messages": ["VIX 30 is outside 12 to 25", "4 calendars are open"]}


def test_or_ends_the_run_as_skipped() -> None:
    acted = act("assert", {"all": [BROKEN], "otherwise": "skip"})
    assert acted.error == StopRun("skipped", "VIX 30 is outside 12 to 25")


def test_a_preview_judges_what_it_knows() -> None:
    assert foretell("assert", {"all": [BROKEN]}).code == "assertion_failed"
    assert foretell("assert", {"all": [BROKEN, {"that": Unknown("boolean"), "message": "m"}]}).error is None


def test_set_gives_its_values_back() -> None:
    values = {"lots": 2, "limit": Decimal("1.50"), "names": ["a"]}
    assert act("set", values).outputs == values


def test_a_preview_of_set_keeps_what_it_does_not_know() -> None:
    unknown = Unknown("decimal", 'step "entry"')
    assert foretell("set", {"a": 1, "b": unknown}).outputs == {"a": 1, "b": unknown}
