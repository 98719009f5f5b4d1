"""The guesses, and that their readings send nothing when in doubt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from mesoflow.hubs.inferred import (
    GUESSES,
    agent_of,
    error_proves_refusal,
    expiration_date,
    status_proves_refusal,
)
from mesoflow.hubs.models.enums import StatusCode

AT = datetime(2025, 1, 16, 15, tzinfo=UTC)


def test_every_guess_says_what_a_wrong_one_costs() -> None:
    assert all(guess.about and guess.reading and guess.wrong for guess in GUESSES.values())
    assert all(name == guess.name for name, guess in GUESSES.items())


def test_which_statuses_prove_that_an_order_was_not_accepted() -> None:
    proofs = {status for status in StatusCode if status_proves_refusal("trade", status)}
    assert proofs == {
        StatusCode.BAD_REQUEST,
        StatusCode.NOT_FOUND,
        StatusCode.UNAUTHORIZED,
        StatusCode.FORBIDDEN,
    }
    assert not any(
        status_proves_refusal("trade", status) for status in ("0", "4", "", "badrequest", "Rejected")
    )


def test_a_read_has_no_effect_whatever_its_status() -> None:
    assert all(status_proves_refusal("read", status) for status in ("0", "Conflict", "Whatever"))


@pytest.mark.parametrize(
    ("text", "proof"),
    [
        ("Unknown hub method 'SendOrder'", True),
        ("Failed to invoke 'SendOrder' because user is unauthorized", True),
        ("An unexpected error occurred invoking 'SendOrder' on the server.", False),
        ("Failed to invoke 'SendOrder' due to an error on the server.", False),
        ("order refused: Unknown hub method", False),
        ("", False),
    ],
)
def test_which_error_texts_prove_it(text: str, proof: bool) -> None:
    assert error_proves_refusal("trade", text) is proof
    assert error_proves_refusal("read", text)


def agent(name: str, minutes: int | None, connected: bool = True) -> dict[str, Any]:
    at = None if minutes is None else AT + timedelta(minutes=minutes)
    return {"connector": name, "provider": name, "is_connected": connected, "last_snapshot_at": at}


PAPER = {"is_paper_account": True, "broker_type": "Paper"}
IB = {"is_paper_account": False, "broker_type": "IBKR"}


@pytest.mark.parametrize(
    ("account", "agents", "serves"),
    [
        (PAPER, [agent("IBKR", 1), agent("TastyTrade", 2)], "TastyTrade"),
        (PAPER, [agent("TastyTrade", 2), agent("IBKR", 2)], "IBKR"),
        (PAPER, [agent("IBKR", 1), agent("TastyTrade", 2, connected=False)], "IBKR"),
        (PAPER, [agent("IBKR", None), agent("TastyTrade", 2)], "TastyTrade"),
        (PAPER, [agent("IBKR", None)], "IBKR"),
        (PAPER, [agent("IBKR", 1, connected=False)], None),
        (IB, [agent("IBKR", 1), agent("TastyTrade", 2)], "IBKR"),
        (IB, [agent("TastyTrade", 2)], None),
        (IB, [], None),
    ],
)
def test_which_agent_serves_an_account(account: Any, agents: Any, serves: str | None) -> None:
    found = agent_of(account, agents)
    assert (found and found["connector"]) == serves
    assert agent_of(account, list(reversed(agents))) == found


def test_an_expiration_s_day() -> None:
    new_york = timezone(timedelta(hours=-5))
    for at in (
        datetime(2025, 2, 14, tzinfo=UTC),
        datetime(2025, 2, 14, 21, tzinfo=UTC),
        datetime(2025, 2, 14, 16, tzinfo=new_york),
    ):
        assert str(expiration_date(at)) == "2025-02-14"
