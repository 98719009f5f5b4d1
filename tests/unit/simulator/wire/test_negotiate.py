"""Which ids may be claimed."""

import pytest

from mesoflow.simulator.wire.negotiate import WAITING_MAX, IdInUse, Negotiations, UnknownId


def test_a_token_is_claimed_once_at_its_own_hub_and_dies_with_its_connection() -> None:
    ids = Negotiations()
    answer = ids.negotiate("/a", "1")
    token = answer["connectionToken"]
    with pytest.raises(UnknownId):
        ids.claim("/b", token)
    assert ids.claim("/a", token) == (token, answer["connectionId"])
    with pytest.raises(IdInUse):
        ids.claim("/a", token)
    ids.release(token)
    with pytest.raises(UnknownId):
        ids.claim("/a", token)


def test_in_version_0_the_public_id_is_the_token() -> None:
    ids = Negotiations()
    public = ids.negotiate("/a", None)["connectionId"]
    assert ids.claim("/a", public) == (public, public)


def test_without_a_token_there_are_new_ids() -> None:
    ids = Negotiations()
    assert len({*ids.claim("/a", None), *ids.claim("/a", None)}) == 4


def test_unclaimed_ids_are_bounded_and_claimed_ones_are_kept() -> None:
    ids = Negotiations()
    first = ids.negotiate("/a", "1")["connectionToken"]
    ids.claim("/a", first)
    second = ids.negotiate("/a", "1")["connectionToken"]
    for _ in range(WAITING_MAX):
        last = ids.negotiate("/a", "1")["connectionToken"]
    with pytest.raises(IdInUse):
        ids.claim("/a", first)
    with pytest.raises(UnknownId):
        ids.claim("/a", second)
    assert ids.claim("/a", last)[0] == last
