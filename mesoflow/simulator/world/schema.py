"""The tables of a world. Documents are the wire's own models as JSON text, beside the columns that are searched by."""

from collections.abc import Mapping
from types import MappingProxyType

FORMAT = 3

_SIGNALS = """
CREATE TABLE signals (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, strategy INTEGER NOT NULL, account TEXT NOT NULL, position INTEGER NOT NULL,
    condition TEXT NOT NULL, time_ok INTEGER NOT NULL, event INTEGER NOT NULL,
    UNIQUE (kind, strategy, account, position, condition));
"""

# What an older world lacks, by its format: it is brought up, one format after the other, when it is opened.
MISSING: Mapping[int, str] = MappingProxyType({2: _SIGNALS})

SCHEMA = (
    _SIGNALS
    + """
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE accounts (id INTEGER PRIMARY KEY, doc TEXT NOT NULL, account TEXT NOT NULL UNIQUE);
CREATE TABLE strategies (id INTEGER PRIMARY KEY, doc TEXT NOT NULL, definition TEXT NOT NULL);
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY, job TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, args TEXT NOT NULL, status TEXT NOT NULL,
    created TEXT NOT NULL, updated TEXT NOT NULL, due TEXT NOT NULL, plan INTEGER, error TEXT);
CREATE INDEX jobs_running ON jobs (due, id) WHERE status = 'Running';
CREATE TABLE plans (
    id INTEGER PRIMARY KEY, doc TEXT NOT NULL, kind TEXT NOT NULL, account TEXT NOT NULL, strategy INTEGER NOT NULL,
    position INTEGER, expirations TEXT NOT NULL, defines TEXT NOT NULL, executed TEXT);
CREATE TABLE positions (
    id INTEGER PRIMARY KEY, doc TEXT NOT NULL, vars TEXT NOT NULL, expirations TEXT NOT NULL, account TEXT NOT NULL,
    strategy INTEGER NOT NULL,
    open INTEGER NOT NULL);
CREATE TABLE position_plans (position INTEGER NOT NULL, plan INTEGER NOT NULL, PRIMARY KEY (plan, position)) WITHOUT ROWID;
CREATE TABLE legs (
    id INTEGER PRIMARY KEY, doc TEXT NOT NULL, position INTEGER NOT NULL, account TEXT NOT NULL, open INTEGER NOT NULL,
    settles TEXT NOT NULL);
CREATE INDEX legs_of_position ON legs (position);
CREATE INDEX legs_open ON legs (account) WHERE open;
CREATE INDEX legs_settling ON legs (settles) WHERE open;
CREATE TABLE executions (
    id INTEGER PRIMARY KEY, doc TEXT NOT NULL, plan INTEGER NOT NULL, account TEXT NOT NULL, live_order INTEGER);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, doc TEXT NOT NULL, key TEXT NOT NULL, account TEXT NOT NULL, broker TEXT NOT NULL,
    plan INTEGER NOT NULL, leg_group INTEGER NOT NULL, strategy INTEGER NOT NULL, ratios TEXT NOT NULL,
    packages INTEGER NOT NULL, multiplier TEXT, price_limit TEXT, price_stop TEXT, phase TEXT NOT NULL, done INTEGER NOT NULL,
    broker_order TEXT, accepted TEXT NOT NULL, arrived TEXT, looked TEXT, triggered INTEGER NOT NULL, seen TEXT NOT NULL,
    mishaps TEXT NOT NULL);
CREATE INDEX orders_alive ON orders (id) WHERE phase IN ('sent', 'working', 'frozen');
CREATE TABLE broker_fills (
    id INTEGER PRIMARY KEY, live_order INTEGER NOT NULL, at TEXT NOT NULL, packages INTEGER NOT NULL, price TEXT NOT NULL,
    prices TEXT NOT NULL, event INTEGER);
CREATE INDEX fills_at ON broker_fills (at);
CREATE TABLE agenda (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, live_order INTEGER NOT NULL, what TEXT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX agenda_at ON agenda (at, id);
CREATE TABLE records (key TEXT PRIMARY KEY, doc TEXT NOT NULL, created TEXT NOT NULL, settles TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, doc TEXT NOT NULL, strategy INTEGER);
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, operation TEXT NOT NULL, key TEXT NOT NULL, account TEXT NOT NULL,
    plan INTEGER NOT NULL, position INTEGER, leg TEXT, contract TEXT, qty TEXT, price TEXT, commission TEXT);
"""
)
