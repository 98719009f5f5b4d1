"""One visit: every read method that can be called, with ids from the lists, and what each call came to.

The order is that of a person who looks around: agents, accounts, strategies, positions, legs, orders, executions, then the
figures of what was found, then the history. What a method needs and nobody has is said instead of called. Some calls are
meant to be refused (a record that is not there): how the hub refuses is what is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from pydantic import ValidationError

from mesoflow.hubs.client import MesoLive
from mesoflow.hubs.compare import Comparison
from mesoflow.hubs.contract import METHODS, Method, callback_of
from mesoflow.hubs.errors import CallRefused, HubError, NotSent, OutcomeUnknown
from mesoflow.hubs.models.base import folded
from mesoflow.hubs.models.common import MesoLiveApiResponse
from mesoflow.hubs.models.idempotency import IdempotencyRecord
from mesoflow.logs import scrub

WITHIN = timedelta(seconds=15)
# A stream sends its first item when it begins; a hub whose market is closed may take its time.
FIRST_ITEM_S = 10.0
ROWS = 100
# So many pages of orders are enough to find one that was filled for a credit, if there is any.
PAGES_MAX = 5
# So far back the history is looked at.
EVENTS = 200
# An id that nobody has. The prefix says in the hub's logs whose question it was.
NOBODY = "mesoflow-doctor"
# When nothing is held, the figures are asked of what every hub has.
SYMBOL = "SPX"

Ending = Literal["answered", "refused", "failed", "not called"]


@dataclass(frozen=True, slots=True)
class Called:
    """How one method's call ended; `words` say why it was not answered. `meant`: it was to be refused."""

    method: str
    ending: Ending
    words: str = ""
    status: str = ""
    meant: bool = False


@dataclass
class Visit:
    """Everything that was seen. Rows are Values."""

    hub: MesoLive
    comparison: Comparison = field(default_factory=Comparison)
    called: dict[str, Called] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    # What single questions came to, by a name of their own.
    found: dict[str, Any] = field(default_factory=dict)

    async def make(self) -> None:
        """Look at everything. Never raises for what the hub does."""
        await self._control()
        await self._data()
        await self._events()
        for method in METHODS.values():
            if method.klass == "read" and method.name not in self.called:
                self._note(Called(method.name, "not called", "nothing of its kind is known"))

    # --- one call --------------------------------------------------------------------------------------------------

    async def ask(self, name: str, args: Mapping[str, Any], *, meant: bool = False) -> Any:  # noqa: ANN401 - a Value, or None
        """Call and compare; the result as a Value, None where there is none."""
        return await self._sent(METHODS[name], self.hub.encode(name, args), meant)

    async def _sent(self, method: Method, argument: bytes, meant: bool) -> Any:  # noqa: ANN401 - a Value, or None
        try:
            raw = await self.hub.answer(method.name, argument, within=WITHIN)
        except (CallRefused, NotSent, OutcomeUnknown) as error:
            self._note(Called(method.name, "failed", scrub(str(error)), meant=meant))
            return None
        self.comparison.look(MesoLiveApiResponse, raw)
        try:
            envelope = MesoLiveApiResponse.read(raw)
        except ValidationError:
            self._note(Called(method.name, "failed", "an answer without a readable envelope", meant=meant))
            return None
        if envelope.status != "Success":
            detail = envelope.message or (envelope.error.detail if envelope.error else "") or ""
            self._note(Called(method.name, "refused", scrub(detail), str(envelope.status), meant))
            return None
        return self._read(method, {} if envelope.data is None else envelope.data)

    def _read(self, method: Method, data: object) -> Any:  # noqa: ANN401 - a Value, or None
        """Compare a result, and read it as far as it can be read."""
        if method.name == "GetIdempotencyRecord":
            self.comparison.look(IdempotencyRecord, unwrapped(data))
        else:
            self.comparison.look(method.result_model, data)
        try:
            value = method.result_model.read(data).value()
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            self._note(Called(method.name, "failed", f"it cannot be read: {place}: {first['msg']}"))
            return None
        self._note(Called(method.name, "answered"))
        return value

    def _note(self, called: Called) -> None:
        """The worst of several calls of a method is kept: the deliberate ones aside, a failure is what matters."""
        before = self.called.get(called.method)
        worst = {"not called": 0, "answered": 1, "refused": 2, "failed": 3}
        if before is None or worst[called.ending] > worst[before.ending]:
            self.called[called.method] = called

    async def _rows(self, name: str, pages: int = 1, **args: object) -> list[dict[str, Any]]:
        """The rows of a list, kept by the name of their kind."""
        items = METHODS[name].items
        assert items is not None, "a list is paged"
        rows: list[dict[str, Any]] = []
        token = None
        for _ in range(pages):
            page = await self.ask(name, {**args, "limit": ROWS, "continuation_token": token})
            if page is None:
                break
            rows += page[items]
            token = page["continuation_token"]
            if token is None:
                break
        self.rows[items] = rows
        return rows

    async def _one(self, name: str, argument: str, id: object, kind: str) -> Any:  # noqa: ANN401 - a Value, or None
        """A method that needs one id, or the reason why it was not called."""
        if id is None:
            self._note(Called(name, "not called", f"there is no {kind}"))
            return None
        return await self.ask(name, {argument: id})

    # --- what is there ---------------------------------------------------------------------------------------------

    async def _control(self) -> None:
        agents = await self.ask("ListAgents", {})
        self.rows["agents"] = agents["agents"] if agents else []
        accounts = await self._rows("ListAccounts")
        await self._one("GetAccount", "broker_account_id", _first(accounts, "broker_account_id"), "account")
        strategies = await self._rows("ListStrategies")
        await self._one("GetStrategy", "strategy_id", _first(strategies, "id"), "strategy")
        positions = await self._rows("ListPositions")
        open_first = sorted(positions, key=lambda row: str(row.get("state")) != "Open")
        self.found["position"] = await self._one(
            "GetPosition", "position_id", _first(open_first, "id"), "position"
        )
        legs = await self._rows("ListLegs")
        await self._one("GetLeg", "leg_id", _first(legs, "id"), "leg")
        await self._one("GetLegs", "leg_ids", _several(legs, "id"), "leg")
        orders = await self._rows("ListOrders", PAGES_MAX)
        await self._one("GetOrder", "live_order_id", _first(orders, "order_id"), "order")
        executions = await self._rows("ListExecutions", PAGES_MAX)
        await self._one("GetExecution", "execution_id", _first(executions, "id"), "execution")
        await self._one("GetExecutions", "execution_ids", _several(executions, "id"), "execution")
        await self._absences()

    async def _absences(self) -> None:
        """Things that are not there: how is that said?"""
        await self.ask("GetIdempotencyRecord", {"idempotency_key": NOBODY}, meant=True)
        for kind in ("Entry", "Exit", "Adjustment"):
            await self.ask(f"GetPreparePosition{kind}Status", {"job_id": NOBODY}, meant=True)
        self.found["unfit"] = await self._aside(
            METHODS["GetUnderlyingSnapshot"], b'{"Underlying":{"Symbol":"SPX"}}'
        )
        self.found["unknown_method"] = await self._unknown_method()

    async def _aside(self, method: Method, argument: bytes) -> str:
        """The status of a call whose arguments do not fit; it says nothing of the method itself."""
        try:
            raw = await self.hub.answer(method.name, argument, within=WITHIN)
            return str(MesoLiveApiResponse.read(raw).status)
        except HubError as error:
            return f"error: {scrub(str(error))}"
        except ValidationError:
            return "an unreadable answer"

    async def _unknown_method(self) -> str:
        """The text with which a method is refused that no hub has."""
        try:
            await self.hub.unknown("control", NOBODY.replace("-", "_"), within=WITHIN)
        except CallRefused as refused:
            return refused.message
        except HubError as error:
            return f"error: {scrub(str(error))}"
        return "an answer"

    # --- figures ---------------------------------------------------------------------------------------------------

    async def _data(self) -> None:
        provider = _first([row for row in self.rows["agents"] if row.get("is_connected")], "provider")
        legs = sorted(self.rows["legs"], key=lambda row: row.get("closed_at") is not None)
        position = (self.found["position"] or {}).get("position", {}).get("id")
        contract = legs[0]["live_contract"] if legs else None
        symbol = contract["underlying"]["symbol"] if contract else SYMBOL
        blocks = {"include_position": "All", "include_legs": "All", "include_leg_groups": "All"}
        await self._both("Position", position and {"position_id": position, **blocks}, "position")
        await self._both("Leg", legs and {"leg_id": legs[0]["id"], "include": "All"}, "leg")
        await self._both(
            "Legs", legs and {"leg_ids": [row["id"] for row in legs[:4]], "include": "All"}, "leg"
        )
        if provider is None:
            for kind in ("Underlying", "Contract", "ComboContracts"):
                await self._both(kind, None, "connected agent to ask for quotes")
            return
        await self._both("Underlying", {"underlying": {"symbol": symbol}, "provider": provider}, "")
        asked = contract and {"include": "All", "provider": provider}
        self.found["one"] = await self._both(
            "Contract", asked and {**asked, "contract": contract}, "contract"
        )
        combo = asked and {**asked, "contracts": [contract, contract]}
        self.found["two"] = await self._both("ComboContracts", combo, "contract")

    async def _both(
        self, kind: str, args: Mapping[str, Any] | Literal[""] | list[Any] | None, missing: str
    ) -> Any:  # noqa: ANN401
        """The snapshot and the stream of one kind; the snapshot's figures."""
        snapshot, stream = f"Get{kind}Snapshot", f"Stream{kind}Data"
        if not isinstance(args, Mapping):
            for name in (snapshot, stream):
                self._note(Called(name, "not called", f"there is no {missing}"))
            return None
        value = await self.ask(snapshot, args)
        await self._first_item(METHODS[stream], self.hub.encode(stream, args))
        return value

    async def _first_item(self, method: Method, argument: bytes) -> None:
        try:
            async with asyncio.timeout(FIRST_ITEM_S), self.hub.items(method.name, argument) as items:
                async for item in items:
                    self._read(method, item)
                    return
            self._note(Called(method.name, "failed", "the stream ended without an item"))
        except TimeoutError:
            self._note(Called(method.name, "failed", f"no item in {FIRST_ITEM_S:g} s"))
        except HubError as error:
            self._note(Called(method.name, "refused", scrub(str(error))))

    # --- history ---------------------------------------------------------------------------------------------------

    async def _events(self) -> None:
        """An empty list subscribes to nothing: the answer's shape is all that is wanted."""
        await self.ask("SubscribeToStrategies", {"strategies": []})
        await self.ask("UnsubscribeFromStrategies", {"strategies": []})
        latest = await self.ask("GetLatestEventSeqId", {})
        if latest is None:
            return
        since = max(0, latest["latest_event_seq_id"] - EVENTS)
        events = await self._rows("GetEventsSince", PAGES_MAX, event_seq_id=since)
        for envelope in events:
            callback = callback_of(str(envelope.get("event_type")))
            if callback is not None and isinstance(envelope.get("event"), Mapping):
                self.comparison.look(callback.event_model, envelope["event"])
        numbers = [row["event_seq_id"] for row in events if isinstance(row.get("event_seq_id"), int)]
        if numbers:
            again = await self.ask("GetEventsSince", {"event_seq_id": numbers[0], "limit": 1})
            self.found["since"] = (
                numbers[0],
                [row["event_seq_id"] for row in again["events"]] if again else [],
            )


def _first(rows: list[dict[str, Any]], name: str) -> Any:  # noqa: ANN401 - an id, or None
    return rows[0].get(name) if rows else None


def _several(rows: list[dict[str, Any]], name: str) -> list[Any] | None:
    return [row[name] for row in rows[:3] if row.get(name) is not None] or None


def unwrapped(data: object) -> object:
    """The record, whether it came by itself or under a name."""
    if isinstance(data, Mapping) and len(data) == 1:
        (key, inner), *_ = data.items()
        if folded(str(key)) in {"record", "idempotencyrecord"}:
            return inner
    return data
