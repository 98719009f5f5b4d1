"""The contract: one table of the hubs' methods, one of their callbacks. Client and simulator are built from it.

Class of a method: `read` changes nothing; `change` alters a strategy; `prepare` starts or stops a prepare job (no market
effect); `trade` sends or cancels orders and books fills. Whoever may call what is decided by class (connection.py).
`keyed` methods carry an IdempotencyKey. Models are named, not imported: a command loads only those it uses.
The pages that document each row, and the type of every field, are in data/contract.json (facts.py); a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from mesoflow.hubs.models.base import Args, Wire
    from mesoflow.hubs.models.events import Event

HubName = Literal["control", "data", "event"]
Klass = Literal["read", "change", "prepare", "trade"]

PATHS: Mapping[HubName, str] = MappingProxyType(
    {
        "control": "/hubs/control/v1",
        "data": "/hubs/data/v1",
        "event": "/hubs/event/v1",
    }
)


@cache
def _model(reference: str) -> type[Wire]:
    module, name = reference.split(".")
    return cast("type[Wire]", getattr(import_module(f"mesoflow.hubs.models.{module}"), name))


@dataclass(frozen=True, slots=True)
class Method:
    """One hub method. `args` and `result` are `family.Model`; for a stream, `result` is one item of it.

    `items` is the attribute of the result that holds the rows of a page; None where nothing is paged.
    """

    name: str
    hub: HubName
    kind: Literal["invoke", "stream"]
    klass: Klass
    args: str
    result: str
    keyed: bool
    documented: bool
    items: str | None = None

    @property
    def args_model(self) -> type[Args]:
        return cast("type[Args]", _model(self.args))

    @property
    def result_model(self) -> type[Wire]:
        return _model(self.result)


@dataclass(frozen=True, slots=True)
class Callback:
    """One callback of the Event Hub. `event` is `family.Model`; the model's name is also what the history calls it."""

    name: str
    event: str
    documented: bool

    @property
    def event_model(self) -> type[Event]:
        return cast("type[Event]", _model(self.event))

    @property
    def event_type(self) -> str:
        return self.event.split(".")[1]


def _method(
    hub: HubName,
    klass: Klass,
    name: str,
    family: str,
    *,
    args: str = "",
    result: str = "",
    kind: Literal["invoke", "stream"] = "invoke",
    keyed: bool = False,
    documented: bool = True,
    items: str | None = None,
) -> Method:
    """A row; arguments and result are named after the method unless said otherwise."""
    return Method(
        name=name,
        hub=hub,
        kind=kind,
        klass=klass,
        args=f"{family}.{args or name + 'Args'}",
        result=f"{family}.{result or name + 'Result'}",
        keyed=keyed,
        documented=documented,
        items=items,
    )


_METHODS = (
    _method("control", "read", "GetIdempotencyRecord", "idempotency"),
    _method("control", "read", "ListAgents", "agents"),
    _method("control", "read", "ListAccounts", "accounts", items="accounts"),
    _method("control", "read", "GetAccount", "accounts"),
    _method("control", "change", "CreateStrategy", "strategies"),
    _method("control", "change", "UpdateStrategy", "strategies"),
    _method("control", "change", "RenameStrategy", "strategies"),
    _method("control", "change", "DeleteStrategy", "strategies"),
    _method("control", "read", "ListStrategies", "strategies", items="strategies"),
    _method("control", "read", "GetStrategy", "strategies"),
    _method("control", "read", "ListPositions", "positions", items="positions"),
    _method("control", "read", "GetPosition", "positions"),
    _method("control", "read", "ListLegs", "contracts", items="legs"),
    _method("control", "read", "GetLeg", "contracts"),
    _method("control", "read", "GetLegs", "contracts"),
    _method(
        "control",
        "prepare",
        "StartPreparePositionEntry",
        "prepares",
        args="PreparePositionEntryArgs",
        keyed=True,
    ),
    _method("control", "read", "GetPreparePositionEntryStatus", "prepares"),
    _method("control", "prepare", "CancelPreparePositionEntry", "prepares", keyed=True),
    _method(
        "control",
        "prepare",
        "StartPreparePositionExit",
        "prepares",
        args="PreparePositionExitArgs",
        keyed=True,
    ),
    _method("control", "read", "GetPreparePositionExitStatus", "prepares"),
    _method("control", "prepare", "CancelPreparePositionExit", "prepares", keyed=True, documented=False),
    _method(
        "control",
        "prepare",
        "StartPreparePositionAdjustment",
        "prepares",
        args="PreparePositionAdjustmentArgs",
        keyed=True,
    ),
    _method("control", "read", "GetPreparePositionAdjustmentStatus", "prepares", documented=False),
    _method(
        "control", "prepare", "CancelPreparePositionAdjustment", "prepares", keyed=True, documented=False
    ),
    _method("control", "trade", "SendOrder", "orders", keyed=True),
    _method("control", "trade", "ApplyPaperFills", "orders", keyed=True),
    _method("control", "trade", "CancelOrder", "orders", keyed=True),
    _method("control", "read", "GetOrder", "orders"),
    _method("control", "read", "ListOrders", "orders", items="orders"),
    _method("control", "read", "ListExecutions", "executions", items="executions"),
    _method("control", "read", "GetExecution", "executions"),
    _method("control", "read", "GetExecutions", "executions"),
    _method("data", "read", "StreamPositionData", "data", result="PositionDataEntry", kind="stream"),
    _method("data", "read", "GetPositionSnapshot", "data", result="PositionDataEntry"),
    _method("data", "read", "StreamLegData", "data", result="LegDataEntry", kind="stream"),
    _method("data", "read", "GetLegSnapshot", "data", result="LegDataEntry"),
    _method("data", "read", "StreamLegsData", "data", result="LegsDataEntry", kind="stream"),
    _method("data", "read", "GetLegsSnapshot", "data", result="LegsDataEntry"),
    _method("data", "read", "StreamUnderlyingData", "data", result="UnderlyingDataEntry", kind="stream"),
    _method("data", "read", "GetUnderlyingSnapshot", "data", result="UnderlyingDataEntry"),
    _method("data", "read", "StreamContractData", "data", result="ContractDataEntry", kind="stream"),
    _method("data", "read", "GetContractSnapshot", "data", result="ContractDataEntry"),
    _method(
        "data", "read", "StreamComboContractsData", "data", result="ComboContractsDataEntry", kind="stream"
    ),
    _method("data", "read", "GetComboContractsSnapshot", "data", result="ComboContractsDataEntry"),
    _method("event", "read", "SubscribeToStrategies", "events"),
    _method("event", "read", "UnsubscribeFromStrategies", "events"),
    _method("event", "read", "GetLatestEventSeqId", "events"),
    _method("event", "read", "GetEventsSince", "events", items="events"),
)

METHODS: Mapping[str, Method] = MappingProxyType({method.name: method for method in _METHODS})


# An adjustment that only updates variables is applied by the hub at once: a change, not a prepare.
ADJUSTMENT = "StartPreparePositionAdjustment"


def klass_of(method: str, args: Mapping[str, Any]) -> Klass:
    """The class of one call. `args` as the wire or as a Value has them."""
    updates = str(args.get("operation", args.get("Operation"))) == "UpdateVars"
    return "change" if method == ADJUSTMENT and updates else METHODS[method].klass


_CALLBACKS = (
    Callback("OnEntrySignal", "events.EntrySignalEvent", True),
    Callback("OnExitSignal", "events.ExitSignalEvent", True),
    Callback("OnAdjustmentSignal", "events.AdjustmentSignalEvent", True),
    Callback("OnError", "events.ErrorEvent", True),
    Callback("OnOrderUpdate", "events.OrderUpdateEvent", True),
    Callback("OnPositionUpdate", "events.PositionUpdateEvent", True),
    Callback("OnLegUpdate", "events.LegUpdateEvent", True),
    Callback("OnAgentStatus", "events.AgentStatusEvent", False),
    Callback("OnPositionEntryPreparationCompleted", "events.PositionEntryPreparationCompletedEvent", True),
    Callback("OnPositionEntryPreparationFailed", "events.PositionEntryPreparationFailedEvent", True),
    Callback("OnPositionExitPreparationCompleted", "events.PositionExitPreparationCompletedEvent", False),
    Callback("OnPositionExitPreparationFailed", "events.PositionExitPreparationFailedEvent", False),
    Callback(
        "OnPositionAdjustmentPreparationCompleted", "events.PositionAdjustmentPreparationCompletedEvent", True
    ),
    Callback(
        "OnPositionAdjustmentPreparationFailed", "events.PositionAdjustmentPreparationFailedEvent", True
    ),
)

CALLBACKS: Mapping[str, Callback] = MappingProxyType({callback.name: callback for callback in _CALLBACKS})


def _kind(name: str) -> str:
    """`OnOrderUpdate`, `OrderUpdateEvent`, `orderUpdate` → `orderupdate`."""
    return name.replace("_", "").lower().removeprefix("on").removesuffix("event")


_BY_KIND: Mapping[str, Callback] = {_kind(callback.name): callback for callback in _CALLBACKS}


def callback_of(kind: str) -> Callback | None:
    """The callback by its own name or by how the history calls its events; None where the table has none."""
    return _BY_KIND.get(_kind(kind))
