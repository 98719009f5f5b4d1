from dataclasses import replace

from tests.unit.safety.making import HERE, closing, judged, order, refused, with_facts


def test_an_account_is_paper_by_what_the_hub_says_or_simulated_by_what_the_hub_is() -> None:
    live = with_facts(order(), is_paper=False)
    assert refused(judged(live)) == ["live_refused"]
    assert refused(judged(live, live="allowed")) == ["live_refused"]
    assert judged(live, here=replace(HERE, simulator=True)).passed


def test_exits_obey_it_too() -> None:
    assert refused(judged(with_facts(closing(), is_paper=None))) == ["live_refused"]
    assert refused(judged(closing(account="PAPER-2"))) == ["account_not_allowed"]
