"""The table: which methods have a row, and what the table lacks."""

import asyncio
from datetime import UTC, datetime

from mesoflow.engine.effects import Call, Govern, Tell
from mesoflow.hubs.contract import METHODS
from mesoflow.runtime import reconcile
from mesoflow.runtime.bodies import Intent
from mesoflow.runtime.reconcile import Case, Human, Resend, settle_unknown

T0 = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)


def verdict(effect, method):
    intent = Intent("step/call", method, b"{}", "k", 0, "d", T0)
    return asyncio.run(settle_unknown(Case(effect, intent, None, None)))


def test_the_table_knows_every_method_that_trades_or_withdraws():
    keyed = {name for name, method in METHODS.items() if method.klass in ("trade", "prepare")}
    assert keyed <= set(reconcile.ROWS)


def test_what_the_table_lacks_is_a_humans_affair():
    found = verdict(Call("read", "GetAccount", {}), "GetAccount")
    assert found == Human("no rule settles GetAccount", {"method": "GetAccount"})


def test_a_notice_and_a_trading_state_may_be_said_twice():
    assert isinstance(verdict(Tell("tell", (), "title", "body", "info"), "notify"), Resend)
    assert isinstance(verdict(Govern("set", "reducing", "why"), "trading.halt"), Resend)
