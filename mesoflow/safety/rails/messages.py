"""C10: how many messages, orders and cancels together. An order above the minute's number waits until there is room; above the
run's or the day's it is refused. Cancels are counted where they are intended, and never wait."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.limits import DEFAULT_MESSAGES
from mesoflow.safety.rails.lines import counted, line, shown
from mesoflow.safety.unlimited import Unlimited
from mesoflow.safety.verdicts import RailLine


def messages(case: Case) -> Iterator[RailLine]:
    """This one included."""
    ledger, limits = case.ledger, case.limits.max_messages or DEFAULT_MESSAGES
    run = ledger.messages(case.environment.run_id) + 1
    yield counted(Code.MESSAGES_PER_RUN, limits.run, run)
    day = ledger.messages_of_day(case.day.session) + 1
    yield counted(Code.MESSAGES_PER_DAY, limits.day, day)
    yield _minute(case, limits.minute)


def _minute(case: Case, limit: Decimal | Unlimited) -> RailLine:
    count = case.ledger.messages_in_minute(case.now) + 1
    if isinstance(limit, Unlimited) or count <= limit:
        return counted(Code.MESSAGES_PER_MINUTE, limit, count)
    numbers = {"value": count, "limit": shown(limit)}
    wait_until = case.ledger.room_for_message(int(limit))
    return line(Code.MESSAGES_PER_MINUTE, False, {**numbers, "wait_until": wait_until})
