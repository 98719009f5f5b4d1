"""C15: whoever carries the order has been heard of: the agent, and the market behind it. On an exit it pauses and pages.

A booking on a paper account goes through no agent, so there the agent's age may be unknown; an order at a broker whose
agent's age nobody read is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.limits import HEARTBEAT
from mesoflow.safety.rails.lines import fact_missing, held, line
from mesoflow.safety.unlimited import Unlimited
from mesoflow.safety.verdicts import RailLine

_MILLISECOND = timedelta(milliseconds=1)


def heartbeat(case: Case) -> Iterator[RailLine]:
    """Ages as they were read, and what has passed since."""
    limit, facts = case.limits.heartbeat or HEARTBEAT, case.order.facts
    if isinstance(limit, Unlimited):
        yield held(Code.HEARTBEAT)
        return
    if facts.as_of is None or (facts.agent_age_ms is None and case.order.method == "SendOrder"):
        yield fact_missing("C15", "as_of" if facts.as_of is None else "agent_age_ms")
        return
    since, allowed = (case.now - facts.as_of) // _MILLISECOND, limit // _MILLISECOND
    agent = None if facts.agent_age_ms is None else facts.agent_age_ms + since
    quotes = since + max(
        [_age(leg.quote.bid_age_ms, leg.quote.ask_age_ms) for leg in case.order.legs], default=0
    )
    numbers = {"agent_age_ms": agent, "quotes_age_ms": quotes, "limit_ms": allowed}
    yield line(Code.HEARTBEAT, (agent is None or 0 <= agent <= allowed) and quotes <= allowed, numbers)


def _age(bid: int | None, ask: int | None) -> int:
    """A quote without an age is refused by C07."""
    return max(bid or 0, ask or 0)
