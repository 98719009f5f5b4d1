from __future__ import annotations

import pytest

from mesoflow.simulator.broker.states import ENDS, TRANSITIONS, Happening, Phase, after


def test_an_end_has_no_way_out_and_every_end_is_shown() -> None:
    ends = {phase for phase in Phase if not phase.alive}
    assert set(ENDS) == ends
    assert not {phase for phase, _ in TRANSITIONS} & ends


def test_every_phase_but_the_first_is_reached_from_it() -> None:
    reached, grown = {Phase.SENT}, True
    while grown:
        more = {to for (start, _), to in TRANSITIONS.items() if start in reached} - reached
        reached |= more
        grown = bool(more)
    assert reached == set(Phase)


@pytest.mark.parametrize(
    ("phase", "happening", "then"),
    [
        (Phase.WORKING, Happening.CANCEL, Phase.CANCELLED),
        (Phase.FILLED, Happening.CANCEL, None),
        (Phase.CANCELLED, Happening.FILL_REST, None),
        (Phase.SENT, Happening.FILL_PART, None),
        (Phase.FROZEN, Happening.FILL_REST, None),
        (Phase.WORKING, Happening.REJECT, Phase.REJECTED),
    ],
)
def test_what_the_table_lacks_cannot_happen(phase: Phase, happening: Happening, then: Phase | None) -> None:
    assert after(phase, happening) == then
