"""The ledger of a state home at one hub: a fold over its journal, of all runs, and what the fold makes of each record.

A run's own records are told to its gate by whoever replays them; here are the others', once at the start and then whenever
the journal has moved (gate.catch_up). Runs at another hub, or in another simulated world, say nothing here: their accounts
may be called the same, and their clocks tell another time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from mesoflow.engine.effects import Outcome, Refused, Value
from mesoflow.journal.records import Record
from mesoflow.journal.store import Journal
from mesoflow.runtime.bodies import read_outcome
from mesoflow.runtime.holdings import at_same_hub
from mesoflow.runtime.standing import Standing
from mesoflow.safety.ledger import DUPLICATE_WITHIN, Ledger
from mesoflow.safety.sent import Sent
from mesoflow.safety.states import DAILY_LOSS_OWNER, TradingState
from mesoflow.trading.order_values import order_from_value
from mesoflow.trading.orders import Order
from mesoflow.trading.sessions import Calendar

# The home's own words: few, indexed, of every hub.
_HOME_KINDS: Final = ("mark", "cleared", "state", "released")


@dataclass(slots=True)
class HomeFold:
    """`is_here(run_id)`: whether a run is at this hub. `positions_after`: what was traded up to this home_seq is in the
    positions that the ledger was given already."""

    ledger: Ledger
    is_here: Callable[[str], bool]
    positions_after: int = 0
    orders: dict[tuple[str, str], Order] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)

    def take(self, record: Record) -> None:
        """Fold one record in; told twice it counts once, for several look for news."""
        if record.home_seq in self.taken:
            return
        self.taken.add(record.home_seq)
        if record.kind in _HOME_KINDS:
            self._home(record)
        elif self.is_here(record.run_id):
            self._run(record)

    def _home(self, record: Record) -> None:
        body = record.body
        match record.kind:
            case "mark":
                position = body["position_id"]
                self.ledger.mark(body["account"], body["summary"], position_id=position, run_id=record.run_id)
            case "cleared":
                self.ledger.clear(body["account"], body["position_id"])
                if record.home_seq > self.positions_after:
                    self._cleared(body)
            case "state":
                self.ledger.states.set(TradingState.read(body))
            case "released":
                self.ledger.playbooks.released(body["playbook"])

    def _cleared(self, body: Mapping[str, Value]) -> None:
        for position, legs in body.get("legs", {}).items():
            held = {leg["name"]: leg["quantity"] for leg in legs}
            self.ledger.positions.know({position: {"account": body["account"], "legs": held}})

    def _run(self, record: Record) -> None:
        body = record.body
        match record.kind:
            case "started":
                self.ledger.playbooks.began(body["playbook"], body["session_date"])
            case "intended":
                self._intended(record.run_id, body)
            case "settled":
                self._settled(record, body)
            case "event" if body.get("order") is not None:
                self._observed(record, body["order"])
            case "input":
                told = body.get("withdrawn") or body.get("late_fill")
                if told is not None:
                    state = told.get("state") or "Cancelled"
                    fact = {"order_id": told["order"], "state": state, "cum_qty": told["filled"]}
                    self._observed(record, fact)
            case "ended" if body["state"] == "failed":
                self.ledger.failed(body["at"])

    def _intended(self, run_id: str, body: Mapping[str, Value]) -> None:
        if body.get("order") is not None:
            order = order_from_value(body["order"])
            self.orders[run_id, body["path"]] = order
            self.ledger.apply_intent(run_id, order, body["at"], body["path"])
        elif body["method"] == "CancelOrder":
            self.ledger.message(run_id, body["at"])

    def _settled(self, record: Record, body: Mapping[str, Value]) -> None:
        outcome = read_outcome(body)
        order = self.orders.pop((record.run_id, body["path"]), None)
        if order is not None:
            trades = record.home_seq > self.positions_after
            end_order(self.ledger, record.run_id, body["path"], order, outcome, body["at"], positions=trades)
        elif isinstance(outcome, Refused):
            state = daily_loss_state(outcome.details)
            if state is not None:
                self.ledger.states.set(state)
        elif (shown := _order_in(outcome.value)) is not None:
            self._observed(record, shown)

    def _observed(self, record: Record, order: Mapping[str, Value]) -> None:
        sent = self.ledger.observe(order, record.body["at"])
        if sent is None:
            return
        if record.home_seq <= self.positions_after:
            sent.told = max(sent.told, sent.filled(abs(Decimal(order["cum_qty"]))))
        elif not sent.is_open:
            observe_positions(self.ledger, sent, record.body["at"])


def end_order(
    ledger: Ledger,
    run_id: str,
    path: str,
    order: Order,
    outcome: Outcome,
    at: datetime,
    *,
    positions: bool = True,
) -> None:
    """An intended order has an outcome. One that a broker has taken lives on, possibly filled whole, until it is observed in
    a terminal state; a paper fill is whole at once; a refusal proves that nothing came of it."""
    if isinstance(outcome, Refused):
        left = outcome.code not in ("not_sent", "halted")
        ledger.settle(run_id, order, at, traded=Decimal(0), path=path, left=left, accepted=False)
        return
    answer = outcome.value if isinstance(outcome.value, Mapping) else {}
    if order.method == "SendOrder":
        live = _live_order(answer)
        if live is not None:
            ledger.accepted(run_id, path, order.account, live, at)
        return
    ledger.settle(run_id, order, at, path=path)
    if positions:
        ledger.positions.traded(answer.get("position_id") or order.position_id, order, order.contracts, at)


def observe_positions(ledger: Ledger, sent: Sent, at: datetime) -> None:
    """What has filled of an order that is over, told to the positions: each contract once."""
    news = (sent.traded or Decimal(0)) - sent.told
    if news:
        sent.told += news
        ledger.positions.traded(sent.order.position_id, sent.order, news, at)


def daily_loss_state(details: Mapping[str, Value]) -> TradingState | None:
    """The state that a refusal of C14 puts its account in, for the rest of its session."""
    said = details.get("reducing")
    if said is None:
        return None
    return TradingState(
        "REDUCING", DAILY_LOSS_OWNER, said["reason"], said["at"], said["account"], said["session"]
    )


def _live_order(answer: Mapping[str, Value]) -> int | None:
    found = answer.get("live_order_id")
    if found is None and len(answer.get("live_order_ids") or ()) == 1:
        found = answer["live_order_ids"][0]
    return found if isinstance(found, int) else None


def _order_in(value: Any) -> Mapping[str, Value] | None:  # noqa: ANN401 - any answer of the hub
    """The order in an answer of GetOrder."""
    order = value.get("order") if isinstance(value, Mapping) else None
    if not isinstance(order, Mapping) or not {"order_id", "state", "cum_qty"} <= order.keys():
        return None
    return order


# --- whole ledgers -----------------------------------------------------------------------------------------------------


def home_ledger(records: Iterable[Record]) -> Ledger:
    """The ledger with the home's own words only: marks, clears, states."""
    fold = HomeFold(Ledger(), lambda _: False)
    for record in records:
        if record.kind in _HOME_KINDS:
            fold.take(record)
    return fold.ledger


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a run's ledger begins with. `versions`: of each account, up to where it is folded (runtime/commits.py). `heard`: the
    home's own words are folded up to this home_seq; `hear` takes what comes after it."""

    fold: HomeFold
    versions: Mapping[str, int]
    run_number: int
    heard: int


def grounds(
    journal: Journal,
    started: Mapping[str, Any],
    runs: Sequence[Standing],
    now: datetime,
    *,
    new: bool,
) -> Grounds:
    """The ledger of the run that `started` describes, of everything but its own records. `runs` newest first."""
    versions = {str(account): journal.ledger_version(str(account)) for account in started["accounts"]}
    run_id, where = started["run_id"], started["hub"]
    here = {run.run_id: run for run in runs if at_same_hub(run.started, where)}
    ledger = Ledger(Calendar.load(started["program"]["session"]))
    ledger.positions.know(started.get("ledger", {}).get("positions", {}))
    rows = {row.run_id: row for row in journal.runs()}
    began = _last_seq(journal) if new else rows[run_id].started
    known = _Here(journal, where, dict.fromkeys(here, True))
    fold = HomeFold(ledger, known, began)
    heard = _last_seq(journal)
    number = _home_and_starts(journal, fold, here, rows, started)
    since = ledger.days.of(now).begins - DUPLICATE_WITHIN
    records: list[Record] = []
    for run in here.values():
        if run.run_id != run_id and (not run.over or run.at is None or run.at >= since):
            records += (record for record in journal.read(run.run_id) if record.kind != "started")
    for record in sorted(records, key=lambda record: record.home_seq):
        if record.kind not in _HOME_KINDS:
            fold.take(record)
    return Grounds(fold, versions, number, heard)


class News:
    """What other runs have done on an account since it was last asked: a refusal is never made on what is over by now."""

    def __init__(self, journal: Journal, run_id: str, versions: Mapping[str, int]) -> None:
        self._journal = journal
        self._run_id = run_id
        self._after = dict(versions)

    def __call__(self, account: str) -> list[Record]:
        """In the journal's order, our own left out: those are told to the gate as they happen."""
        found = list(self._journal.ledger(account, self._after.get(account, 0)))
        if found:
            self._after[account] = found[-1].home_seq
        return [record for record in found if record.run_id != self._run_id]


def hear(journal: Journal, fold: HomeFold, heard: int) -> int:
    """Marks, clears, states and releases that others have written since; answers up to where."""
    for record in journal.home(after=heard, kinds=_HOME_KINDS):
        fold.take(record)
        heard = record.home_seq
    return heard


@dataclass(slots=True)
class _Here:
    """Whether a run is at this hub; one that began meanwhile is looked up once."""

    journal: Journal
    where: Mapping[str, Any]
    known: dict[str, bool]

    def __call__(self, run_id: str) -> bool:
        if run_id not in self.known:
            first = next(iter(self.journal.read(run_id)), None)
            self.known[run_id] = (
                first is not None and first.kind == "started" and at_same_hub(first.body, self.where)
            )
        return self.known[run_id]


def _home_and_starts(
    journal: Journal,
    fold: HomeFold,
    here: Mapping[str, Standing],
    rows: Mapping[str, Any],
    started: Mapping[str, Any],
) -> int:
    """The home's own words and the starts at this hub, in home order; answers which run of its playbook this is."""
    said: list[tuple[int, Record | Standing]] = [
        (record.home_seq, record) for record in journal.home(kinds=_HOME_KINDS)
    ]
    said += [(rows[run_id].started, run) for run_id, run in here.items()]
    playbook, session = started["playbook"], started["session_date"]
    number = 0
    for _, one in sorted(said, key=lambda pair: pair[0]):
        if isinstance(one, Record):
            fold.take(one)
        else:
            count = fold.ledger.playbooks.began(one.started["playbook"], one.started["session_date"])
            if one.run_id == started["run_id"]:
                number = count
    return number or fold.ledger.playbooks.count(playbook, session) + 1


def _last_seq(journal: Journal) -> int:
    """The newest record of any run: a new run's positions are known up to it."""
    return max((row.last for row in journal.runs()), default=0)


def runs_in_session(
    journal: Journal, runs: Sequence[Standing], where: Mapping[str, Any], playbook: str, session: date
) -> int:
    """How many runs of a playbook began at this hub in a session, since somebody released it (C11)."""
    rows = {row.run_id: row.started for row in journal.runs()}
    released = max(
        (
            record.home_seq
            for record in journal.home(kinds=("released",))
            if record.body["playbook"] == playbook
        ),
        default=0,
    )
    return sum(
        at_same_hub(run.started, where)
        and run.started["playbook"] == playbook
        and run.started["session_date"] == session
        and rows[run.run_id] > released
        for run in runs
    )


__all__ = [
    "Grounds",
    "HomeFold",
    "News",
    "daily_loss_state",
    "end_order",
    "grounds",
    "hear",
    "home_ledger",
    "observe_positions",
    "runs_in_session",
]
