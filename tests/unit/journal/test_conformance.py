"""What every journal does, whoever keeps it. A further store is added to `stores` and to nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesoflow.journal.blobs import BLOB_MIN
from mesoflow.journal.errors import CodecError, JournalUnusable, LedgerMoved, LockLost
from mesoflow.journal.memory import MemoryJournal
from mesoflow.journal.records import HOME, Entry, Record, Request, RunRow
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.journal.store import Journal

AT = datetime(2026, 11, 25, 15, 45, tzinfo=UTC)
Open = Callable[[], Journal]


@pytest.fixture(params=["memory", "sqlite"])
def open_new(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Each call opens another new journal."""
    opened: list[Journal] = []

    def new() -> Journal:
        if request.param == "memory":
            opened.append(MemoryJournal())
        else:
            folder = tmp_path / str(len(opened))
            folder.mkdir(mode=0o700)
            opened.append(SqliteJournal.open(folder / "journal.db"))
        return opened[-1]

    yield new
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(open_new: Open) -> Journal:
    return open_new()


def settled(run_id: str, path: str, **more: Any) -> Entry:
    return Entry(run_id, "settled", {"path": path, "at": AT, **more})


def brief(records: Iterator[Record]) -> list[tuple[int, str, int, str, Any]]:
    return [
        (record.home_seq, record.run_id, record.run_seq, record.kind, record.body.get("path"))
        for record in records
    ]


def test_a_new_journal_is_empty(journal: Journal) -> None:
    assert (list(journal.home()), list(journal.read("a-1")), journal.runs(), journal.last("a-1")) == (
        [],
        [],
        [],
        None,
    )
    assert (journal.open_requests(None), journal.verify()) == ([], [])
    journal.check("a-1")


def test_records_come_back_in_the_order_of_their_run_and_of_the_home(journal: Journal) -> None:
    journal.commit([Entry("a-1", "started", {"path": "a"}), Entry("b-1", "started", {"path": "b"})])
    journal.commit([settled("b-1", "b/x"), settled("a-1", "a/x"), settled("b-1", "b/y")])
    home = [
        (1, "a-1", 1, "started", "a"), (2, "b-1", 1, "started", "b"),
        (3, "b-1", 2, "settled", "b/x"), (4, "a-1", 2, "settled", "a/x"), (5, "b-1", 3, "settled", "b/y"),
    ]  # fmt: skip
    assert brief(journal.home()) == home
    assert brief(journal.home(after=3)) == home[3:]
    assert brief(journal.home(kinds=["settled"])) == home[2:]
    assert brief(journal.home(kinds=["started"])) == home[:2]
    assert brief(journal.home(after=1, kinds=("started", "ended"))) == home[1:2]
    assert brief(journal.home(kinds=[])) == []
    assert brief(journal.read("b-1")) == [home[1], home[2], home[4]]
    assert brief(journal.read("b-1", after=2)) == [home[4]]
    assert brief(journal.read("b-1", after=3)) == brief(journal.read("nobody")) == []
    assert journal.runs() == [RunRow("a-1", 1, 4, 2, "settled"), RunRow("b-1", 2, 5, 3, "settled")]
    assert journal.verify() == []


def test_last_is_the_newest_or_the_newest_of_some_kinds(journal: Journal) -> None:
    for kind, path in (
        ("started", "s"),
        ("parked", "p"),
        ("settled", "x"),
        ("parked", "q"),
        ("settled", "y"),
    ):
        journal.commit([Entry("a-1", kind, {"path": path})])  # type: ignore[arg-type]
    newest, parked = journal.last("a-1"), journal.last("a-1", ("parked", "ended"))
    assert newest is not None and newest.body == {"path": "y"}
    assert parked is not None and parked.body == {"path": "q"}
    assert journal.last("a-1", ["ended"]) is None


def test_a_commit_answers_what_is_then_read(journal: Journal) -> None:
    commit = journal.commit([settled("a-1", "x", limit=Decimal("4.350"), legs=(1, 2)), settled("a-1", "y")])
    assert commit.number == 1
    assert commit.records == tuple(journal.read("a-1")) == tuple(journal.home())
    assert commit.records[0].body == {"path": "x", "at": AT, "limit": Decimal("4.350"), "legs": [1, 2]}
    assert list(commit.records[0].body) == ["path", "at", "limit", "legs"]


def test_a_commit_of_nothing_is_no_commit(journal: Journal) -> None:
    first = journal.commit([settled("a-1", "x")])
    nothing = journal.commit([])
    assert (nothing.number, nothing.hash, nothing.records) == (1, first.hash, ())


def test_what_is_kept_is_not_shared_with_the_caller(journal: Journal) -> None:
    body: dict[str, Any] = {"path": "x", "legs": [1]}
    journal.commit([Entry("a-1", "settled", body)])
    body["legs"].append(2)
    next(journal.read("a-1")).body["legs"].append(3)
    assert next(journal.read("a-1")).body == {"path": "x", "legs": [1]}


def test_records_of_the_home_itself_are_no_run(journal: Journal) -> None:
    journal.commit([Entry(HOME, "mark", {"path": "position/7"}), settled("a-1", "x")])
    assert brief(journal.home(kinds=["mark"])) == [(1, HOME, 1, "mark", "position/7")]
    assert [row.run_id for row in journal.runs()] == ["a-1"]
    assert journal.verify() == []


@pytest.mark.parametrize("times", [1, 3])
def test_large_values_come_back_whole(journal: Journal, times: int) -> None:
    strategies = [{"id": number, "name": "=x", "delta": Decimal("0.30")} for number in range(BLOB_MIN // 20)]
    body = {"path": "x", "=odd": 1, "outcome": {"done": strategies}, "note": "=b" + "0" * 64, "at": AT}
    for _ in range(times):
        journal.commit([Entry("a-1", "settled", body)])
    assert [(list(record.body), record.body) for record in journal.read("a-1")] == [
        (list(body), body)
    ] * times
    assert journal.verify() == []


def test_equal_histories_have_equal_hashes_and_others_have_not(open_new: Open) -> None:
    def ends(*entries: Entry) -> tuple[str, str]:
        commit = open_new().commit(entries)
        return commit.hash, commit.records[-1].hash

    known = ends(settled("a-1", "x"), settled("a-1", "y"))
    assert ends(settled("a-1", "x"), settled("a-1", "y")) == known
    for other in (
        [settled("a-1", "y"), settled("a-1", "x")],
        [settled("a-2", "x"), settled("a-2", "y")],
        [settled("a-1", "x"), Entry("a-1", "intended", {"path": "y", "at": AT})],
        [settled("a-1", "x"), settled("a-1", "y", more=None)],
    ):
        assert not set(ends(*other)) & set(known)


def test_an_epoch_that_is_over_loses(journal: Journal) -> None:
    first, other = journal.claim("a-1"), journal.claim("b-1")
    journal.commit([settled("a-1", "x")], epochs={"a-1": first, "b-1": other})
    second = journal.claim("a-1")
    assert (first, second) == (1, 2)
    with pytest.raises(LockLost) as lost:
        journal.commit([settled("b-1", "y"), settled("a-1", "y")], epochs={"a-1": first, "b-1": other})
    assert (lost.value.run_id, lost.value.mine, lost.value.now) == ("a-1", 1, 2)
    assert brief(journal.home()) == [(1, "a-1", 1, "settled", "x")]
    journal.commit([settled("b-1", "y")], epochs={"a-1": first, "b-1": other})
    journal.commit([settled("a-1", "z")], epochs={"a-1": second})
    journal.commit([settled("a-1", "unchecked")])
    assert [row[4] for row in brief(journal.home())] == ["x", "y", "z", "unchecked"]
    assert journal.verify() == []


def test_an_epoch_that_nobody_claimed_loses(journal: Journal) -> None:
    with pytest.raises(LockLost):
        journal.commit([settled("a-1", "x")], epochs={"a-1": 1})
    assert list(journal.home()) == []


# -- ledgers ----------------------------------------------------------------------------------------------------------


def trade(run_id: str, path: str, account: str = "PAPER-1") -> Entry:
    return Entry(run_id, "intended", {"path": path, "at": AT}, account)


def test_each_record_that_moves_an_accounts_ledger_is_its_version(journal: Journal) -> None:
    assert (journal.ledger_version("PAPER-1"), list(journal.ledger("PAPER-1"))) == (0, [])
    commit = journal.commit([settled("a-1", "quotes"), trade("a-1", "buy"), trade("a-1", "other", "IB-1")])
    assert commit.ledgers == {"PAPER-1": (0, 2), "IB-1": (0, 3)}
    assert journal.commit([trade("b-1", "buy"), trade("b-1", "sell")]).ledgers == {"PAPER-1": (2, 5)}
    assert journal.commit([settled("b-1", "quotes")]).ledgers == {}
    assert (journal.ledger_version("PAPER-1"), journal.ledger_version("IB-1")) == (5, 3)
    assert [record.body["path"] for record in journal.ledger("PAPER-1")] == ["buy", "buy", "sell"]
    assert [record.home_seq for record in journal.ledger("PAPER-1", after=2)] == [4, 5]


def test_a_verdict_on_another_ledger_writes_nothing_and_the_journal_goes_on(journal: Journal) -> None:
    journal.commit([trade("a-1", "buy")])
    with pytest.raises(LedgerMoved) as moved:
        journal.commit([settled("b-1", "quotes"), trade("b-1", "buy")], ledgers={"PAPER-1": 0})
    assert (moved.value.account, moved.value.mine, moved.value.now) == ("PAPER-1", 0, 1)
    assert [record.run_id for record in journal.home()] == ["a-1"]
    assert journal.commit([trade("b-1", "buy")], ledgers={"PAPER-1": 1}).ledgers == {"PAPER-1": (1, 2)}
    assert journal.verify() == []


def test_the_ledger_of_another_account_stands_in_nobodys_way(journal: Journal) -> None:
    journal.commit([trade("a-1", "buy", "IB-1")])
    journal.commit([trade("b-1", "buy")], ledgers={"PAPER-1": 0})
    assert [record.run_id for record in journal.home()] == ["a-1", "b-1"]


def test_a_value_without_a_form_writes_nothing_and_the_journal_goes_on(journal: Journal) -> None:
    with pytest.raises(CodecError):
        journal.commit([settled("a-1", "x"), settled("a-1", "y", price=4.35)])
    assert list(journal.home()) == []
    assert journal.commit([settled("a-1", "x")]).number == 1


def test_requests_are_numbered_and_answered_once(journal: Journal) -> None:
    cancel = journal.post("a-1", "cancel", {"by": "ann", "at": AT})
    kill = journal.post(None, "kill", {})
    again = journal.post("a-1", "cancel", {"by": "bob"})
    assert (cancel, kill, again) == (1, 2, 3)
    assert journal.open_requests("a-1") == [
        Request(1, "a-1", "cancel", {"by": "ann", "at": AT}), Request(3, "a-1", "cancel", {"by": "bob"}),
    ]  # fmt: skip
    assert journal.open_requests(None) == [Request(2, None, "kill", {})]
    assert journal.open_requests("b-1") == []
    assert journal.answer_of(1) is None
    assert journal.answer(1, {"state": "cancelled"})
    assert not journal.answer(1, {"state": "done"})
    assert journal.answer_of(1) == {"state": "cancelled"}
    assert [request.id for request in journal.open_requests("a-1")] == [3]
    with pytest.raises(KeyError):
        journal.answer(4, {})
    assert journal.post(None, "kill", {}) == 4
    assert journal.verify() == []


def test_claims_requests_and_answers_are_commits_too(journal: Journal) -> None:
    journal.claim("a-1")
    journal.post(None, "kill", {})
    journal.answer(1, {})
    assert journal.commit([settled("a-1", "x")]).number == 4


def test_a_closed_journal_takes_nothing_more(journal: Journal) -> None:
    journal.close()
    journal.close()
    for write in (
        lambda: journal.commit([settled("a-1", "x")]),
        lambda: journal.claim("a-1"),
        lambda: journal.post(None, "kill", {}),
    ):
        with pytest.raises(JournalUnusable):
            write()


def test_a_reader_that_stops_half_way_does_not_stand_in_the_way(journal: Journal) -> None:
    journal.commit([settled("a-1", str(number)) for number in range(2500)])
    reader, home = journal.read("a-1"), journal.home()
    next(reader)
    next(home)
    journal.commit([settled("a-1", "more")])
    assert len(list(journal.read("a-1"))) == len(list(journal.home())) == 2501


entries = st.builds(
    Entry,
    st.sampled_from(["a-1", "b-1", "c-1", HOME]),
    st.sampled_from(["started", "settled", "mark", "parked"]),
    st.fixed_dictionaries(
        {"path": st.text(max_size=5), "value": st.decimals(allow_nan=False, allow_infinity=False)}
    ),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(entries, min_size=1, max_size=4), max_size=8))
def test_whatever_is_committed_is_read(open_new: Open, commits: list[list[Entry]]) -> None:
    journal = open_new()
    committed = [record for some in commits for record in journal.commit(some).records]
    told = [entry for some in commits for entry in some]
    assert [(record.run_id, record.kind, record.body) for record in committed] == [
        (e.run_id, e.kind, e.body) for e in told
    ]
    assert list(journal.home()) == committed
    for run_id in ("a-1", "b-1", "c-1", HOME):
        assert list(journal.read(run_id)) == [record for record in committed if record.run_id == run_id]
        journal.check(run_id)
    assert journal.verify() == []
    twin = MemoryJournal()
    assert [record.hash for some in commits for record in twin.commit(some).records] == [
        record.hash for record in committed
    ]
