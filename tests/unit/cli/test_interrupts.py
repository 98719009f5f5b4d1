"""Signals: the first parks, on a terminal Ctrl-C asks, a second one leaves at once and says what it leaves."""

import asyncio
import os
import signal
from decimal import Decimal
from types import SimpleNamespace

import pytest

from mesoflow.cli import interrupts

ENTRIES = frozenset({"entry", "adjustment"})
ORDER = SimpleNamespace(order_id=601, kind="entry", filled=Decimal(1))


class Asked:
    """What a run hears, what a person is told, and what the process leaves with."""

    def __init__(self, monkeypatch, *, orders=(), typed=(), asks=False):
        self.parked, self.said, self.left = [], [], []
        monkeypatch.setattr(interrupts.os, "_exit", self.left.append)
        self.read, self.write = os.pipe()
        monkeypatch.setattr(interrupts.sys, "stdin", os.fdopen(self.read, "r"))
        self.typed, self.asks, self.orders = list(typed), asks, list(orders)

    def interrupt(self, parked, kinds):
        self.parked.append((parked.reason, frozenset(kinds)))

    def working_orders(self):
        return self.orders

    def hear(self, *numbers):
        async def go():
            with interrupts.interrupts(self, self.said.append, ENTRIES, asks=self.asks):
                for number in numbers:
                    os.kill(os.getpid(), number)
                    await asyncio.sleep(0.01)
                for line in self.typed:
                    os.write(self.write, line.encode() + b"\n")
                    await asyncio.sleep(0.01)

        asyncio.run(go())
        return self


def test_the_first_parks_and_says_what_a_second_would_do(monkeypatch):
    heard = Asked(monkeypatch).hear(signal.SIGTERM)
    assert (heard.parked, heard.left) == ([("by SIGTERM", ENTRIES)], [])
    assert heard.said == [
        "SIGTERM: the run parks once calls under way are answered; Ctrl-C again leaves at once"
    ]


def test_a_second_ctrl_c_leaves_at_once_and_names_what_works(monkeypatch, capsys):
    heard = Asked(monkeypatch, orders=[ORDER]).hear(signal.SIGINT, signal.SIGINT)
    assert heard.left == [130]
    assert capsys.readouterr().err == (
        "left at once; left working: order 601 (entry, 1 filled); "
        "what was sent and not answered is settled by `mesoflow resume`\n"
    )


def test_a_second_sigterm_waits_like_the_first(monkeypatch):
    heard = Asked(monkeypatch).hear(signal.SIGTERM, signal.SIGTERM)
    assert (len(heard.parked), len(heard.said), heard.left) == (2, 1, [])


@pytest.mark.parametrize(
    ("typed", "parked"),
    [
        ("w", [("by SIGINT", interrupts.ALL)]),
        ("l", [("by SIGINT", frozenset())]),
        ("", [("by SIGINT", ENTRIES)]),
        ("c", []),
    ],
)
def test_ctrl_c_on_a_terminal_asks_what_becomes_of_working_orders(monkeypatch, typed, parked):
    heard = Asked(monkeypatch, orders=[ORDER], typed=[typed], asks=True).hear(signal.SIGINT)
    assert heard.parked == parked
    assert heard.said[0].startswith("working: order 601 (entry, 1 filled)\n[w] withdraw them and park")


def test_without_working_orders_nothing_is_asked(monkeypatch):
    heard = Asked(monkeypatch, asks=True).hear(signal.SIGINT)
    assert heard.parked == [("by SIGINT", ENTRIES)]


def test_nobody_answers_and_the_policy_is_taken(monkeypatch):
    monkeypatch.setattr(interrupts, "ANSWER_WITHIN_S", 0.005)
    heard = Asked(monkeypatch, orders=[ORDER], asks=True).hear(signal.SIGINT)
    assert heard.parked == [("by SIGINT (nobody answered)", ENTRIES)]


def test_sigterm_asks_nobody(monkeypatch):
    heard = Asked(monkeypatch, orders=[ORDER], asks=True).hear(signal.SIGTERM)
    assert heard.parked == [("by SIGTERM", ENTRIES)]
