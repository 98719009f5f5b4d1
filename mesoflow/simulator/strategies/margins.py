"""Settings.Core.Margin of a definition: whether the language has `pos_margin` and `acc_margin`, and by which model.

RegT is that of the brokers (broker/margin.py), PMLike a scan of the level (broker/scan.py). Of RegT's two variants there is
one reckoning; the permissive one is not in this version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mesoflow.simulator.broker.margin import requirement
from mesoflow.simulator.broker.scan import scanned
from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.market.market import Snapshot
from mesoflow.simulator.shared import data
from mesoflow.simulator.strategies.legs import MarketLeg
from mesoflow.simulator.strategies.reading import Reader

MODELS = ("None", "RegT", "PMLike")
_PATH = "Settings.Core.Margin"
_PERCENT_DEFAULT = 10.0
# No house multiplies more, and no scan goes further than to nothing.
_HOUSE_MOST, _PERCENT_MOST = 100.0, 99.0


@dataclass(frozen=True, slots=True)
class MarginRule:
    """One model with its parameters. `house` multiplies what comes out; bounds are percent of the level."""

    model: str
    house: float = 1.0
    below: float = _PERCENT_DEFAULT
    above: float = _PERCENT_DEFAULT

    def of_legs(self, legs: Iterable[MarketLeg], snapshot: Snapshot) -> float | None:
        return self.of([(leg.option, leg.qty) for leg in legs], snapshot)

    def of(self, held: Iterable[tuple[Option, Decimal]], snapshot: Snapshot) -> float | None:
        """In dollars, underlying by underlying; None without a market."""
        by_symbol: dict[str, list[tuple[Option, Decimal]]] = {}
        for option, qty in held:
            by_symbol.setdefault(option.underlying, []).append((option, qty))
        parts = [self._of_one(symbol, options, snapshot) for symbol, options in by_symbol.items()]
        known = [part for part in parts if part is not None]
        return sum(known) * self.house if len(known) == len(parts) else None

    def _of_one(self, symbol: str, held: list[tuple[Option, Decimal]], snapshot: Snapshot) -> float | None:
        level, multiplier = snapshot.underlying(symbol), Decimal(data("symbols.json")[symbol]["multiplier"])
        if level is None or level.mark is None:
            return None
        if self.model == "PMLike":
            found = scanned(held, snapshot, multiplier, below=self.below, above=self.above)
            return None if found is None else float(found)
        marks = {option: None if (q := snapshot.quote(option)) is None else q.mark for option, _ in held}
        if any(mark is None for mark in marks.values()):
            return None
        mark: Callable[[Option], Decimal] = lambda option: marks[option] or Decimal(0)  # noqa: E731
        return float(requirement(held, mark, level.mark, multiplier))


def read_margin(reader: Reader, raw: object) -> MarginRule | None:
    """`raw`: the definition's Settings. None: no model is on."""
    core = reader.mapping(reader.mapping(raw or {}, "Settings").get("Core") or {}, "Settings.Core")
    own = reader.mapping(core.get("Margin") or {}, _PATH)
    model = own.get("Model") or "None"
    if model not in MODELS:
        reader.wrong(f"{_PATH}.Model", f"{model!r} is none of {', '.join(MODELS)}")
        return None
    if model == "None":
        return None
    if model == "RegT" and own.get("RegTMode") == "CBOEPermissive":
        reader.wrong(f"{_PATH}.RegTMode", "CBOEPermissive is not in this version")
    scan = reader.mapping(own.get("PMConfig") or {}, f"{_PATH}.PMConfig")
    return MarginRule(
        model=model,
        house=_number(reader, own, "HouseMultiplier", _PATH, 1.0, _HOUSE_MOST),
        below=_number(reader, scan, "LowerBoundPct", f"{_PATH}.PMConfig", _PERCENT_DEFAULT, _PERCENT_MOST),
        above=_number(reader, scan, "UpperBoundPct", f"{_PATH}.PMConfig", _PERCENT_DEFAULT, _PERCENT_MOST),
    )


def _number(
    reader: Reader, raw: Mapping[str, Any], name: str, path: str, default: float, most: float
) -> float:
    value = raw.get(name)
    if value is None:
        return default
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = -1.0
    if isinstance(value, bool) or not 0 < found <= most:
        reader.wrong(f"{path}.{name}", f"a number above 0 and up to {most:g} is needed here")
        return default
    return found
