"""How a row says what it should be, so that `python -m benchmarks` can gather these rows at its end."""

from __future__ import annotations

MARK = "(goal: "


def at_most(value: float, limit: float, unit: str = "") -> str:
    """What stands behind a row whose value should not be above the limit."""
    return _said(f"at most {limit:g}{unit}", met=value <= limit)


def at_least(value: float, limit: float, unit: str = "") -> str:
    """What stands behind a row whose value should not be below the limit."""
    return _said(f"at least {limit:g}{unit}", met=value >= limit)


def _said(goal: str, *, met: bool) -> str:
    return f"   {MARK}{goal}; {'met' if met else 'MISSED'})"
