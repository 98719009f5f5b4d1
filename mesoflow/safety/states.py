"""The trading state: ACTIVE, REDUCING or HALTED, with whose word it is, why and since when (C18).

HALTED is the file HALT of the state home and nothing else, so it never stands in a ledger; runtime/send.py looks at it right
before the first byte. REDUCING refuses what opens risk. A person's word holds until a person takes it back; the day's loss
(C14) puts an account there until its session is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, TypeAlias

State: TypeAlias = Literal["ACTIVE", "REDUCING", "HALTED"]

# The whole state home, in the place of an account.
EVERYWHERE: Final = ""
# Who sets an account to REDUCING when the day's loss is reached.
DAILY_LOSS_OWNER: Final = "C14"


@dataclass(frozen=True, slots=True)
class TradingState:
    """`account`: "" for all of them. `session`: the only day on which it holds, None: until it is taken back."""

    state: State = "ACTIVE"
    owner: str = ""
    reason: str = ""
    at: datetime | None = None
    account: str = EVERYWHERE
    session: date | None = None

    def value(self) -> dict[str, Any]:
        """As a record of the journal holds it."""
        return {
            "state": self.state,
            "owner": self.owner,
            "reason": self.reason,
            "at": self.at,
            "account": self.account,
            "session": self.session,
        }

    @classmethod
    def read(cls, body: Any) -> TradingState:  # noqa: ANN401 - a record's body
        """From a record."""
        return cls(**{name: body[name] for name in ("state", "owner", "reason", "at", "account", "session")})


ACTIVE: Final = TradingState()


class TradingStates:
    """The state of the home and of its accounts."""

    __slots__ = ("_by_account",)

    def __init__(self) -> None:
        self._by_account: dict[str, TradingState] = {}

    def set(self, state: TradingState) -> None:
        """A new word. ACTIVE everywhere takes back what was said of single accounts too; that somebody halted is history, for
        HALTED is the file."""
        if state.state == "HALTED":
            return
        if state.state == "ACTIVE" and state.account == EVERYWHERE:
            self._by_account.clear()
        else:
            self._by_account[state.account] = state

    def of(self, account: str, day: date | None) -> TradingState:
        """What holds for an account on a day: the home's word before its own."""
        if not self._by_account:
            return ACTIVE
        for key in (EVERYWHERE, account):
            found = self._by_account.get(key)
            if found is not None and found.state != "ACTIVE" and found.session in (None, day):
                return found
        return ACTIVE
