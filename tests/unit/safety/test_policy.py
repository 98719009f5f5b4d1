from decimal import Decimal as D

import pytest

from mesoflow.safety.limits import Limits
from mesoflow.safety.policy import DEFAULT, FLATTEN, SENTENCE, Approvals, Policy, digest_of

LIVE = {"accounts": ["U1"], "acknowledgement": SENTENCE}


def test_without_a_file_paper_only_and_the_defaults() -> None:
    assert DEFAULT.live_accounts == frozenset()
    assert not DEFAULT.acknowledged
    assert DEFAULT.over(Limits.parse({"accounts": ["A"], "max_open_orders": 9})).max_open_orders == D(2)
    assert DEFAULT.withdrawn_on_park == {"entry", "adjustment"}
    assert DEFAULT.flatten == FLATTEN


def test_a_whole_policy() -> None:
    policy = Policy.parse(
        {
            "policy": 1,
            "ceilings": {"max_order_premium": 3000},
            "live": LIVE,
            "on_exit": {"entries": "leave", "exits": "cancel"},
            "page": ["desk"],
            "approvals": {"groups": {"desk": ["ann", "bob"]}, "people": 2},
            "flatten": {"within": "5m"},
        }
    )
    assert policy.live_accounts == {"U1"}
    assert policy.acknowledged
    assert policy.withdrawn_on_park == {"exit"}
    assert policy.page == ("desk",)
    assert policy.approvals == Approvals({"desk": ("ann", "bob")}, 2)
    assert policy.flatten == {**FLATTEN, "within": "5m"}


def test_leave_with_expiry_is_leave_for_every_order_is_a_day_order() -> None:
    policy = Policy.parse(
        {"policy": 1, "on_exit": {"entries": "leave with expiry", "exits": "leave with expiry"}}
    )
    assert policy.withdrawn_on_park == frozenset()


@pytest.mark.parametrize(
    "said",
    ["yes", SENTENCE.upper(), SENTENCE + " ", SENTENCE[:-1], "", True],
    ids=lambda said: str(said)[:12],
)
def test_nothing_but_the_sentence_acknowledges(said: object) -> None:
    assert not Policy.parse({"live": {"accounts": ["U1"], "acknowledgement": said}}).acknowledged


def test_the_digest_is_of_what_it_says_and_not_of_how_it_is_written() -> None:
    one = {"policy": 1, "ceilings": {"max_open_orders": 1, "max_order_premium": D("3000")}}
    other = {"ceilings": {"max_order_premium": D("3000"), "max_open_orders": 1}, "policy": 1}
    assert digest_of(one) == digest_of(other)
    assert len(digest_of(one)) == 16
    assert digest_of(one) != DEFAULT.digest != ""


@pytest.mark.parametrize(
    ("before", "now", "names"),
    [
        ({}, {}, []),
        ({}, {"live": LIVE}, ["live.accounts", "live.acknowledgement"]),
        ({"live": LIVE}, {}, []),
        ({"live": LIVE}, {"live": {**LIVE, "accounts": ["U1", "U2"]}}, ["live.accounts"]),
        ({"ceilings": {"max_open_orders": 1}}, {}, ["ceilings.max_open_orders"]),
        ({"approvals": {"people": 2}}, {"approvals": {"people": 1}}, ["approvals.people"]),
        ({}, {"page": ["desk"], "on_exit": {"exits": "cancel"}}, []),
    ],
)
def test_what_is_looser_is_named(before: dict[str, object], now: dict[str, object], names: list[str]) -> None:
    assert Policy.parse(now).looser_than(Policy.parse(before)) == names
