"""Large values leave the body and come back; small ones stay where a person reads them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mesoflow.journal import blobs
from mesoflow.journal.codec import encode_bytes

sizes = st.sampled_from([0, 10, blobs.BLOB_MIN - 3, blobs.BLOB_MIN, 3 * blobs.BLOB_MIN])
bodies = st.dictionaries(
    st.text(max_size=4) | st.just("=b"),
    sizes.map("x".__mul__) | st.just(Decimal("5.00")) | st.just("=b" + "0" * 64),
    max_size=4,
)


@settings(deadline=None)
@given(bodies)
def test_every_body_comes_back_in_its_order(body: dict[str, Any]) -> None:
    text, large = blobs.split(body)
    joined = blobs.join(text, large.__getitem__)
    assert list(joined.items()) == list(body.items())
    assert len(text) < 5 * blobs.BLOB_MIN
    assert all(blobs.matches(name, blob) for name, blob in large.items())
    assert blobs.refers(text) or not large


def test_what_fits_a_page_stays() -> None:
    body = {"path": "a/x", "outcome": "x" * 3000}
    assert blobs.split(body) == (encode_bytes(body), {})


def test_equal_values_are_kept_once() -> None:
    value = [{"id": number} for number in range(1000)]
    _, one = blobs.split({"path": "a", "outcome": value, "again": value})
    _, other = blobs.split({"path": "b", "outcome": value})
    assert one == other
    assert len(one) == 1
