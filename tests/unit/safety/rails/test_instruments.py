from dataclasses import replace

import pytest

from tests.unit.safety.making import CONDOR, closing, contract, judged, order, quote, refused


def test_without_a_list_the_plans_own_symbol_counts() -> None:
    assert judged(order()).passed
    made = order()
    strange = replace(made.legs[0].contract, underlying="XSP")
    mixed = replace(made, legs=(replace(made.legs[0], contract=strange), made.legs[1]))
    assert "symbol_not_allowed" in refused(judged(mixed))


@pytest.mark.parametrize(
    ("risk", "codes"),
    [
        ({"symbols": ["SPX", "XSP"]}, []),
        ({"symbols": ["XSP"]}, ["symbol_not_allowed"]),
        ({"roots": ["SPXW"]}, []),
        ({"roots": ["SPX"]}, ["root_not_allowed"]),
        ({"strategies": [101]}, []),
        ({"strategies": [1]}, ["strategy_not_allowed"]),
        ({"max_days_to_expiry": 60}, []),
        ({"max_days_to_expiry": 59}, ["expiry_not_allowed"]),
        ({"max_days_to_expiry": "unlimited"}, []),
    ],
)
def test_each_list_holds_exactly_what_it_names(risk: dict[str, object], codes: list[str]) -> None:
    assert refused(judged(order(), **risk)) == codes


def test_what_has_expired_is_no_entry() -> None:
    from datetime import date

    old = [("old", contract(expiration=date(2025, 1, 16)), 1, quote("1.00", "1.10"))]
    assert "expiry_not_allowed" in refused(judged(order(old)))


def test_an_exit_may_always_close_what_is_held() -> None:
    assert judged(
        closing(CONDOR), symbols=["XSP"], roots=["SPX"], strategies=[1], max_days_to_expiry=1
    ).passed
