from datetime import UTC, date, datetime

from mesoflow.journal.codec import decode, encode
from mesoflow.safety.states import ACTIVE, TradingState, TradingStates

AT = datetime(2025, 1, 17, 20, 45, tzinfo=UTC)
SESSION = date(2025, 1, 17)


def test_a_state_goes_through_the_journals_codec() -> None:
    state = TradingState("REDUCING", "C14", "the loss is 2,500", AT, "PAPER-1", SESSION)
    assert TradingState.read(decode(encode(state.value()))) == state


def test_nobody_said_anything() -> None:
    assert TradingStates().of("PAPER-1", SESSION) == ACTIVE


def test_the_homes_word_comes_before_an_accounts() -> None:
    states = TradingStates()
    mine = TradingState("REDUCING", "C14", "loss", AT, "PAPER-1", SESSION)
    states.set(mine)
    assert (states.of("PAPER-1", SESSION), states.of("PAPER-2", SESSION)) == (mine, ACTIVE)
    home = TradingState("REDUCING", "ann", "odd", AT)
    states.set(home)
    assert (states.of("PAPER-1", SESSION), states.of("PAPER-2", None)) == (home, home)
    states.set(TradingState("ACTIVE", "ann", "fine", AT))
    assert states.of("PAPER-1", SESSION) == ACTIVE


def test_one_account_may_be_released_alone() -> None:
    states = TradingStates()
    states.set(TradingState("REDUCING", "C14", "loss", AT, "PAPER-1", SESSION))
    states.set(TradingState("ACTIVE", "ann", "fine", AT, "PAPER-1"))
    assert states.of("PAPER-1", SESSION) == ACTIVE
