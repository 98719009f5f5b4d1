import ast
import pickle
from pathlib import Path

import pytest

from mesoflow.trading import clearance
from mesoflow.trading.clearance import Cleared, Withdrawal

PACKAGE = Path(clearance.__file__).parent.parent
ALLOWED = {"trading/clearance.py", "safety/clearance.py"}


def mentions(source: str) -> bool:
    """Whether a module names the token, in whatever way the syntax allows."""
    for node in ast.walk(ast.parse(source)):
        names = {
            getattr(node, "id", None),
            getattr(node, "attr", None),
            getattr(node, "name", None),
            getattr(node, "value", None) if isinstance(node, ast.Constant) else None,
        }
        if "SAFETY_TOKEN" in names:
            return True
    return False


def test_only_safety_mentions_the_token() -> None:
    found = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if mentions(path.read_text(encoding="utf-8"))
    }
    assert found == ALLOWED


@pytest.mark.parametrize(
    "source",
    [
        "from mesoflow.trading.clearance import SAFETY_TOKEN",
        "from mesoflow.trading.clearance import SAFETY_TOKEN as mine",
        "from mesoflow.trading import clearance\nx = clearance.SAFETY_TOKEN",
        "x = getattr(clearance, 'SAFETY_TOKEN')",
    ],
)
def test_the_test_above_sees_every_way_to_mention_it(source: str) -> None:
    assert mentions(source)


def test_nobody_else_can_make_one() -> None:
    with pytest.raises(TypeError, match="only safety clears an order"):
        Cleared("an order", token=object())


def test_a_cleared_value_cannot_be_changed_copied_or_subclassed() -> None:
    cleared = Cleared("an order", token=clearance.SAFETY_TOKEN)
    assert cleared.value == "an order"
    with pytest.raises(AttributeError):
        cleared._value = "another"  # type: ignore[misc]
    with pytest.raises(TypeError, match="judged again"):
        pickle.dumps(cleared)
    with pytest.raises(TypeError, match="cannot be subclassed"):
        type("Other", (Cleared,), {})


def test_a_withdrawal_only_withdraws() -> None:
    assert Withdrawal("CancelOrder", "engine/halt-1/order-17/cancel").method == "CancelOrder"
    with pytest.raises(ValueError, match="SendOrder withdraws nothing"):
        Withdrawal("SendOrder", "buy/group-1/rung-0/send")
