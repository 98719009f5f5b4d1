from dataclasses import replace

from mesoflow.safety.environment import Environment
from tests.unit.safety.making import HERE, RUN, closing, judged, order, refused


def test_an_environment_that_says_nothing_refuses_everything() -> None:
    assert refused(judged(closing(), here=Environment(RUN))) == [
        "not_durable",
        "semantics_differ",
        "program_differs",
        "policy_looser",
    ]
    assert "fact_missing" in refused(
        judged(order(), here=Environment(RUN))
    )  # which run of its playbook it is


def test_exits_are_journalled_and_pinned_too() -> None:
    assert refused(judged(closing(), here=replace(HERE, durable=False))) == ["not_durable"]
    assert refused(judged(closing(), here=replace(HERE, program="other"))) == ["program_differs"]
    assert refused(judged(closing(), here=replace(HERE, policy_accepted=False))) == ["policy_looser"]
