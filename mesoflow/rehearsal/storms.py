"""Faults of seeded worlds: the simulator's dials (SIMULATOR.md S10), drawn with their figures and times.

A fault is a word and what it sets; each is drawn as often as any other. What breaks a promise that the hub's profile makes
(the sign of a credit, the multiplier) is no weather and not drawn here: the tests of hubs/inferred.py make each guess wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast, get_args

from mesoflow.rehearsal.drawing import Draw
from mesoflow.simulator.faults import Faults
from mesoflow.simulator.troubles import (
    Away,
    Held,
    Loss,
    Mishap,
    MishapKind,
    Misquote,
    QuoteFault,
    Twice,
)

_S = timedelta(seconds=1)
_TRADES = ("SendOrder", "SendOrder", "CancelOrder", "ApplyPaperFills")
_CALLS = (
    *_TRADES,
    "GetOrder",
    "GetContractSnapshot",
    "StartPreparePositionEntry",
    "StartPreparePositionExit",
)
_BROKERS = ("IBKR", "TastyTrade")
# Within this of the run's begin most walks are over.
_UNTIL_S = 90.0


@dataclass(frozen=True, slots=True)
class Fault:
    """`words` tell it in a report; `sets` changes dials: its times count from a moment."""

    words: str
    sets: Callable[[Faults, datetime], None]


def storm(draw: Draw) -> tuple[Fault, ...]:
    """None to four faults."""
    number = draw.choice("faults", (0, 1, 1, 2, 2, 3, 4))
    return tuple(_fault(draw.of("fault", index)) for index in range(number))


def _fault(draw: Draw) -> Fault:
    return draw.choice("kind", KINDS)(draw)


def _befalls(what: MishapKind) -> Callable[[Draw], Fault]:
    def drawn(draw: Draw) -> Fault:
        nth, after = draw.choice("nth", (1, 1, 2, 3)), draw.seconds("after", 0.5, 2, 9, 25)
        limbo = what == "frozen" and draw.choice("for ever", (True, False))
        mishap = Mishap(
            what,
            nth=nth,
            after=None if limbo else after,
            packages=draw.choice("packages", (1, None)) if what in ("fills", "fill_after_cancel") else None,
            reason=draw.choice("reason", ("margin", "account", "off_tick", "overlap")),
        )
        return Fault(
            f"{what} order {nth} {'' if limbo else after}", lambda faults, _: faults.orders.append(mishap)
        )

    return drawn


def _request_lost(draw: Draw) -> Fault:
    loss = _loss(draw)
    return Fault(
        f"request lost: {loss.method} {loss.nth}", lambda faults, _: faults.lose_request.append(loss)
    )


def _reply_lost(draw: Draw) -> Fault:
    loss = _loss(draw)
    return Fault(f"reply lost: {loss.method} {loss.nth}", lambda faults, _: faults.lose_reply.append(loss))


def _loss(draw: Draw) -> Loss:
    return Loss(
        draw.choice("method", _CALLS), draw.choice("nth", (1, 1, 2, 3)), draw.choice("cut", (True, False))
    )


def _delayed(draw: Draw) -> Fault:
    method, delay = draw.choice("method", _CALLS), draw.seconds("delay", 0.2, 2, 20)
    return Fault(f"{method} delayed {delay}", lambda faults, _: faults.delay.update({method: delay}))


def _processing(draw: Draw) -> Fault:
    method, long = draw.choice("method", _TRADES), draw.seconds("long", 20, 20, 90)

    def change(faults: Faults, since: datetime) -> None:
        faults.lose_reply.append(Loss(method))
        faults.record_processing[method] = long

    return Fault(f"reply of {method} lost, its record Processing for {long}", change)


def _record_gone(draw: Draw) -> Fault:
    method = draw.choice("method", _TRADES)

    def change(faults: Faults, since: datetime) -> None:
        faults.lose_reply.append(Loss(method))
        faults.record_gone.add(method)

    return Fault(f"reply of {method} lost, its record gone", change)


def _hub_away(draw: Draw) -> Fault:
    start, long = draw.between("start", 1, _UNTIL_S) * _S, draw.seconds("long", 5, 40, 40, 200)
    return Fault(
        f"hub away {long} after {start}",
        lambda faults, since: faults.hub_away(since + start, long),
    )


def _agent_away(draw: Draw) -> Fault:
    broker = draw.choice("broker", _BROKERS)
    start, long = draw.between("start", 1, _UNTIL_S) * _S, draw.seconds("long", 5, 30, 120)
    return Fault(
        f"agent {broker} away {long} after {start}",
        lambda faults, since: faults.agent_away(broker, since + start, long),
    )


def _silent(draw: Draw) -> Fault:
    start, long = draw.between("start", 0, _UNTIL_S) * _S, draw.seconds("long", 30, 300)
    return Fault(
        f"callbacks lost {long} after {start}",
        lambda faults, since: faults.silence(since + start, long),
    )


def _broker_restart(draw: Draw) -> Fault:
    broker, new = draw.choice("broker", _BROKERS), draw.choice("new ids", (True, False))
    start, long = draw.between("start", 1, _UNTIL_S) * _S, draw.seconds("long", 3, 8, 60)
    return Fault(
        f"{broker} restarts after {start}, away {long}, {'new' if new else 'same'} ids",
        lambda faults, since: faults.broker_restart(broker, since + start, long, new_ids=new),
    )


KINDS: tuple[Callable[[Draw], Fault], ...] = (
    *(_befalls(cast("MishapKind", what)) for what in get_args(MishapKind)),
    _request_lost,
    _request_lost,
    _reply_lost,
    _reply_lost,
    _delayed,
    _processing,
    _record_gone,
    _hub_away,
    _hub_away,
    _agent_away,
    _silent,
    _broker_restart,
)


# --- what lasts a while, and comes in days only (days.py): drawn for worlds it would change what their numbers stand for ------


def _reply_twice(draw: Draw) -> Fault:
    method = draw.choice("method", _CALLS)
    return Fault(f"reply of {method} twice", lambda faults, _: faults.duplicate_reply.append(Twice(method)))


def _reordered(draw: Draw) -> Fault:
    method, after = draw.choice("method", _CALLS), draw.seconds("after", 1, 3)
    return Fault(
        f"{method} overtaken for {after}",
        lambda faults, _: faults.reorder.append(Held(method, after=after)),
    )


def _exchange_halts(draw: Draw) -> Fault:
    start, long = draw.between("start", 1, _UNTIL_S) * _S, draw.seconds("long", 30, 300)
    return Fault(
        f"the exchange halts {long} after {start}",
        lambda faults, since: faults.halt(since + start, long),
    )


def _misquoted(what: QuoteFault) -> Callable[[Draw], Fault]:
    def drawn(draw: Draw) -> Fault:
        start, long = draw.between("start", 1, _UNTIL_S) * _S, draw.seconds("long", 20, 90)

        def change(faults: Faults, since: datetime) -> None:
            faults.quotes.append(Misquote(what, Away(since + start, since + start + long)))

        return Fault(f"quotes {what} {long} after {start}", change)

    return drawn


def _history(draw: Draw) -> Fault:
    jumps, overlap = draw.choice("jumps", (0, 1, 7)), draw.choice("overlap", (0, 1, 3))

    def change(faults: Faults, since: datetime) -> None:
        faults.callbacks_twice, faults.seq_jumps, faults.pages_overlap = True, jumps, overlap

    return Fault(f"callbacks twice, numbers jump {jumps}, pages overlap {overlap}", change)


DAY_KINDS: tuple[Callable[[Draw], Fault], ...] = (
    *dict.fromkeys(KINDS),
    *(_misquoted(what) for what in get_args(QuoteFault)),
    _reply_twice,
    _reordered,
    _exchange_halts,
    _history,
)


def clear(faults: Faults) -> None:
    """What would last for ever ends here; what is counted or has its own end goes on."""
    faults.delay.clear()
    faults.record_processing.clear()
    faults.record_gone.clear()
    faults.callbacks_twice, faults.seq_jumps, faults.pages_overlap = False, 0, 0
