"""What the expression language knows beside a position: its account, the underlying, the calendar. Looked up, then computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property, partial

from mesoflow.hubs.script import GREEKS
from mesoflow.simulator.market.market import Snapshot
from mesoflow.simulator.strategies.legs import scaled
from mesoflow.simulator.strategies.margins import MarginRule
from mesoflow.simulator.strategies.timing import timing
from mesoflow.simulator.world.accounts import Accounts
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.positions import Positions


class Known(Mapping[str, float | None]):
    """The names of one account at one moment, each computed when it is first asked for.

    `margin`: the model of the definition that asks; without one there is no `acc_margin`.
    """

    def __init__(
        self,
        core: Core,
        accounts: Accounts,
        positions: Positions,
        account: str,
        at: datetime,
        margin: MarginRule | None = None,
    ) -> None:
        self._core, self._accounts, self._positions = core, accounts, positions
        self._account, self._at, self._margin = account, at, margin
        self._found: dict[str, float | None] = {
            "days_in_trade": 0.0,
            "profit_target": None,
            "stop_loss": None,
            "max_days_in_trade": None,
        }
        self._makers = self._of_account() | self._of_underlying()

    def __getitem__(self, name: str) -> float | None:
        if name in self._found:
            return self._found[name]
        if name in self._makers:
            self._found[name] = self._makers[name]()
            return self._found[name]
        return self._timing[name]

    def __contains__(self, name: object) -> bool:
        return name in self._found or name in self._makers or name in self._timing

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys((*self._found, *self._makers, *self._timing))

    def __len__(self) -> int:
        return len(list(iter(self)))

    # --- what there is ---------------------------------------------------------------------------------------------

    def _of_account(self) -> dict[str, Callable[[], float | None]]:
        makers: dict[str, Callable[[], float | None]] = {
            "nav": self._nav,
            "initial_cash": lambda: float(self._accounts.first_cash(self._account)),
            "pos_in_flight": lambda: float(self._positions.count_open(self._account)),
        }
        makers |= {f"acc_{greek}": partial(self._greek, greek) for greek in GREEKS}
        if self._margin is not None:
            makers["acc_margin"] = self._acc_margin
        return makers

    def _of_underlying(self) -> dict[str, Callable[[], float | None]]:
        volatility, market = self._core.volatility, self._core.market
        session = self._snapshot.session
        return {
            "underlying_price": lambda: self._snapshot.spot,
            "underlying_today_open": lambda: market.at(session.opens).spot,
            "underlying_prevday_close": lambda: market.close(session.index - 1)[0],
            "underlying_iv": lambda: volatility.implied(self._snapshot),
            "underlying_iv_rank": lambda: volatility.rank(self._snapshot),
            "underlying_iv_pct": lambda: volatility.percentile(self._snapshot),
            "underlying_hv": lambda: volatility.realised(self._snapshot),
        }

    # --- figures ---------------------------------------------------------------------------------------------------

    @cached_property
    def _snapshot(self) -> Snapshot:
        return self._core.market.at(self._at)

    @cached_property
    def _timing(self) -> dict[str, float]:
        return timing(self._core.market.calendar, self._at)

    def _nav(self) -> float | None:
        worth = self._accounts.net_liquidation(self._accounts.kept(self._account)[1], self._at)
        return None if worth is None else float(worth)

    def _greek(self, name: str) -> float | None:
        return self._greeks[name]

    @cached_property
    def _greeks(self) -> dict[str, float | None]:
        """Of all open legs; None where one has none."""
        today = self._core.market.calendar.local_date(self._at)
        totals: dict[str, float | None] = dict.fromkeys(GREEKS, 0.0)
        for holding in self._positions.held(self._account):
            found = self._snapshot.greeks(holding.option)
            if found is None:
                return dict.fromkeys(GREEKS)
            more = scaled(found, holding.qty, (holding.option.expiration - today).days)
            totals = {name: (totals[name] or 0.0) + more[name] for name in GREEKS}
        return totals

    def _acc_margin(self) -> float | None:
        held = [(holding.option, Decimal(holding.qty)) for holding in self._positions.held(self._account)]
        return None if self._margin is None else self._margin.of(held, self._snapshot)
