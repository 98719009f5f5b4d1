"""Dials count calls, and know simulated time."""

from datetime import UTC, datetime, timedelta

from mesoflow.simulator.faults import Away, Faults, Loss, Mishap

START = datetime(2025, 1, 16, 15, tzinfo=UTC)


def test_dials_at_rest_change_nothing() -> None:
    faults = Faults()
    assert faults.request_lost("SendOrder") is None
    assert faults.reply_lost("SendOrder") is None
    assert faults.delay_of("SendOrder") is None
    assert faults.processing_of("SendOrder") is None
    assert not faults.gone("SendOrder")
    assert not faults.is_away(START)
    assert faults.record_retention == timedelta(minutes=10)


def test_the_nth_call_of_a_method_is_lost_once() -> None:
    faults = Faults(lose_reply=[Loss("SendOrder", nth=2), Loss("*", nth=4)])
    calls = ["GetOrder", "SendOrder", "SendOrder", "SendOrder", "SendOrder", "GetOrder"]
    assert [call for call in enumerate(calls) if faults.reply_lost(call[1])] == [
        (2, "SendOrder"),
        (3, "SendOrder"),
    ]
    assert faults.lose_reply == []


def test_a_star_stands_for_all_methods_that_have_no_dial_of_their_own() -> None:
    second, minute = timedelta(seconds=1), timedelta(minutes=1)
    faults = Faults(
        delay={"GetOrder": second, "*": minute}, record_processing={"*": second}, record_gone={"*"}
    )
    assert (faults.delay_of("GetOrder"), faults.delay_of("SendOrder")) == (second, minute)
    assert faults.processing_of("SendOrder") == second
    assert faults.gone("SendOrder")


def test_an_absence_has_a_beginning_and_an_end_and_is_told() -> None:
    faults, told = Faults(), list[Away]()
    faults.hub_away(START, timedelta(seconds=30))
    faults.listen(told.append)
    faults.hub_away(START + timedelta(minutes=1), timedelta(seconds=5))
    faults.unlisten(told.append)
    faults.hub_away(START + timedelta(minutes=2), timedelta(seconds=5))
    assert [away.start - START for away in told] == [timedelta(), timedelta(minutes=1)]
    seconds = [-1, 0, 29, 30, 59, 60, 64, 65]
    assert [n for n in seconds if faults.is_away(START + timedelta(seconds=n))] == [0, 29, 60, 64]


def test_mishaps_count_the_accepted_orders() -> None:
    faults = Faults(orders=[Mishap("frozen", nth=2), Mishap("reject"), Mishap("id_late", nth=2)])
    assert [[m.what for m in faults.mishaps_of_next_order()] for _ in range(3)] == [
        ["reject"],
        ["frozen", "id_late"],
        [],
    ]


def test_absences_of_agents_and_brokers_and_silences() -> None:
    faults, start, second = Faults(), datetime(2025, 1, 16, 15, tzinfo=UTC), timedelta(seconds=1)
    faults.agent_away("IBKR", start, second)
    faults.broker_restart("TastyTrade", start, 2 * second)
    faults.silence(start, second)
    assert faults.agent_back("IBKR", start) == start + second
    assert faults.agent_back("IBKR", start + second) is faults.agent_back("TastyTrade", start) is None
    assert faults.broker_back("TastyTrade", start + second) == start + 2 * second
    assert (faults.is_silent(start), faults.is_silent(start + second)) == (True, False)
