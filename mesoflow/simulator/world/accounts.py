"""Accounts: one on paper, two that imitate brokers. Cash is kept; net liquidation is computed when asked."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from mesoflow.hubs.models.accounts import LiveAccount
from mesoflow.simulator.world.core import Core
from mesoflow.simulator.world.errors import missing
from mesoflow.simulator.world.figures import Figures
from mesoflow.simulator.world.paging import page
from mesoflow.simulator.world.positions import Positions
from mesoflow.simulator.world.store import Documents

_CENT = Decimal("0.01")
# (account, broker, the broker's own word, cash in USD)
_FIRST = (
    ("PAPER-1", "Paper", "Individual", "250000.00"),
    ("IB-1", "IBKR", "Individual", "250000.00"),
    ("TT-1", "TastyTrade", "Individual", "100000.00"),
)


class Accounts:
    """The accounts of a world."""

    def __init__(self, core: Core, positions: Positions) -> None:
        self._core, self._positions = core, positions
        self._documents = Documents(core.store, "accounts", LiveAccount)

    def found(self, now: datetime) -> None:
        """Of a new world; only inside its change."""
        for name, broker, kind, cash in _FIRST:
            account = LiveAccount.model_validate(
                {
                    "broker_account_id": name,
                    "broker_type": broker,
                    "account_type": kind,
                    "currency": "USD",
                    "is_paper_account": broker == "Paper",
                    "cash": Decimal(cash),
                    "created_at": now,
                },
                context="write",
            )
            self._documents.add(self._core.store.next_id("accounts"), account, account=name)

    def page(
        self, limit: int | None, token: str | None, now: datetime
    ) -> tuple[list[LiveAccount], str | None]:
        found, following = page(
            lambda after, size: self._documents.find(after=after, limit=size), ("accounts",), limit, token
        )
        return [self._with_figures(account, now) for _, account in found], following

    def get(self, name: str, now: datetime) -> LiveAccount:
        """With its figures. Raises Refused."""
        return self._with_figures(self.kept(name)[1], now)

    def kept(self, name: str) -> tuple[int, LiveAccount]:
        """As it is stored. Raises Refused."""
        found = self._documents.find("account = ?", (name,))
        if not found:
            raise missing("account", name)
        return found[0]

    @staticmethod
    def first_cash(name: str) -> Decimal:
        """What an account began with."""
        return next((Decimal(cash) for known, _, _, cash in _FIRST if known == name), Decimal(0))

    def book(self, name: str, amount: Decimal) -> None:
        """Cash + received, − paid; only inside a change."""
        id, account = self.kept(name)
        cash = (account.cash or Decimal(0)) + amount
        self._documents.put(id, account.model_copy(update={"cash": cash}))

    def net_liquidation(self, account: LiveAccount, now: datetime) -> Decimal | None:
        """Cash and open legs at their marks; unknown where one has no mark."""
        figures, total = Figures(self._core.market, now), account.cash or Decimal(0)
        for holding in self._positions.held(account.broker_account_id):
            quote = figures.quote(holding.option)
            if quote is None or quote.mark is None:
                return None
            total += quote.mark * holding.qty * holding.multiplier
        return total.quantize(_CENT)

    def _with_figures(self, account: LiveAccount, now: datetime) -> LiveAccount:
        return account.model_copy(
            update={
                "net_liquidation_value": self.net_liquidation(account, now),
                "active_positions": self._positions.count_open(account.broker_account_id),
                "last_updated": now,
            }
        )
