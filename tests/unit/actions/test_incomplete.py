"""How an exec plan at a broker ends when not everything filled: hold, keep, unwind."""

from decimal import Decimal

from mesoflow.engine.effects import Refused
from tests.support.desk import Fate, make_plan
from tests.support.walks import GROUP_QUOTES as QUOTES
from tests.support.walks import GROUP_WALK as WALK
from tests.support.walks import PUT, UNWIND, covered, play, strangle

D = Decimal


def test_hold_calls_a_person_and_names_what_there_is() -> None:
    played = play(strangle(), Fate(fills=[(2, 1)]), Fate())
    summary = "position 7 holds a part of exec plan 9001 (group 1: 1 of 1, group 2: 0 of 1)"
    assert (played.code, played.error.summary) == ("incomplete", summary)
    assert [(tell.title, tell.body, tell.level) for tell in played.desk.told] == [
        ("position 7 is incomplete", summary, "page")
    ]
    assert played.effects["hold"].value == {
        "hold": {"account": "IB-1", "position_id": 7, "exec_plan_id": 9001, "summary": summary}
    }
    details = played.error.details
    assert (details["position_id"], details["legs"], details["last"]) == (
        7,
        {"short_put": D(-1)},
        "not_filled",
    )


def test_a_position_on_hold_takes_exits_only() -> None:
    played = play(strangle(), Fate(fills=[(2, 1)]), Fate())
    desk = played.desk
    assert desk.ctx.ledger["positions"]["7"]["held"] == played.error.summary
    adjustment = strangle() | {"kind": "adjustment", "position_id": 7, "exec_plan_id": 9003}
    refused = desk.play("orders.work", {"exec_plan": adjustment, "price": WALK, "within": "1m"})
    assert (refused.code, refused.error.details["rule"], refused.lines) == ("rail_refused", "hold", [])
    desk.fates = [Fate(fills=[(1, 1)])]
    closed = desk.play("position.exit", {"position_id": 7, "price": WALK, "within": "1m"})
    assert (closed.error, "held" in desk.ctx.ledger["positions"]["7"]) == (None, False)


def test_a_rail_that_refuses_the_second_group_leaves_a_hold() -> None:
    refusals = {"group-2/rung-1/send": Refused("rail_refused", "C04 refuses", {"rules": ["C04"]})}
    played = play(strangle(), desk={"refusals": refusals})
    assert (played.code, played.error.details["last"]) == ("incomplete", "rail_refused")
    assert played.error.summary.endswith("; C04 refuses")


def test_keep_is_for_one_group() -> None:
    played = play(strangle(), if_incomplete="keep")
    assert (played.code, played.lines) == ("bad_value", [])
    kept = make_plan("entry", {"short_put": (-5, 5700, *PUT)}, QUOTES, lots=5)
    part = play(kept, Fate(fills=[(2, 3)], cancelled_after=4), if_incomplete="keep")
    assert (part.outputs["ended"], part.outputs["lots"], part.outputs["groups"][0]["filled"]) == (
        "part_kept",
        D(3),
        3,
    )
    assert part.outputs["cash"] == D("9150.00")


def test_unwind_trades_back_what_filled_and_ends_in_not_filled() -> None:
    played = play(
        strangle(), Fate(fills=[(2, 1)]), Fate(), Fate(), Fate(), Fate(fills=[(1, 1)]), if_incomplete=UNWIND
    )
    assert (played.code, played.error.summary) == (
        "not_filled",
        "what filled of exec plan 9001 was traded back",
    )
    assert [path for path in played.lines if path.startswith("unwind/") and "rung" not in path] == [
        "unwind/prepare/position",
        "unwind/prepare/start",
        "unwind/prepare/job",
        "unwind/quotes",
        "unwind/open-legs",
        "unwind/ladders",
        "unwind/compare/legs",
        "unwind/compare/executions",
        "unwind/compare/closed",
    ]
    back = played.order("unwind/group-1/rung-1/send")
    assert (back.kind, back.position_id, back.walk, back.groups[0].limit) == (
        "exit",
        7,
        "unwind/group-1",
        D("31.00"),
    )
    assert (played.desk.held["short_put"], played.desk.told) == (0, [])


def test_what_does_not_come_back_is_a_hold() -> None:
    played = play(strangle(), Fate(fills=[(2, 1)]), Fate(), if_incomplete=UNWIND)
    assert (played.code, played.error.details["last"]) == ("incomplete", "not_filled")
    assert [tell.level for tell in played.desk.told] == ["page"]
    assert all(order.over for order in played.desk.orders)


def test_unwind_is_for_entries() -> None:
    played = play(covered("exit", -1), if_incomplete=UNWIND)
    assert (played.code, played.lines) == ("bad_value", [])


def test_nothing_filled_needs_no_unwinding() -> None:
    played = play(strangle(), Fate(), if_incomplete=UNWIND)
    assert (played.code, [path for path in played.lines if "unwind" in path]) == ("not_filled", [])
