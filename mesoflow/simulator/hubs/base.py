"""What the hubs share: arguments become models, answers go into the envelope, refusals become its status.

A method that the contract does not know is the wire's error. Before a call is executed everything happens that is due by
its time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any, Literal, TypeAlias

from pydantic import ValidationError

from mesoflow.hubs.contract import METHODS, HubName, Method
from mesoflow.hubs.models.base import Args, Wire
from mesoflow.hubs.models.common import MesoLiveApiError, MesoLiveApiResponse
from mesoflow.hubs.models.enums import StatusCode
from mesoflow.simulator.clock import SimulatorClock
from mesoflow.simulator.hubs.forms import form
from mesoflow.simulator.hubs.otherwise import data_of, status_of
from mesoflow.simulator.wire.core import Caller, HubError, IsAStream, NotAStream, UnknownMethod
from mesoflow.simulator.wire.serving import contract_name
from mesoflow.simulator.world.errors import Refused, WorldUnwritable, bad
from mesoflow.simulator.world.world import World

Handler: TypeAlias = Callable[[Any, datetime], "Wire | Mapping[str, Any]"]


class Hub:
    """One hub: `handlers` by method name. Streams and connections are for the hubs that have them."""

    name: HubName

    def __init__(self, world: World, clock: SimulatorClock, ahead: Callable[[], None]) -> None:
        """`ahead`: called after each call, for whoever keeps the timers."""
        self._world, self._clock, self._ahead = world, clock, ahead
        self.handlers: dict[str, Handler] = {}

    def served(self) -> dict[str, Literal["invoke", "stream"]]:
        """What there is here, and how it is called."""
        return dict.fromkeys(self.handlers, "invoke")

    async def connected(self, caller: Caller) -> None:
        return None

    async def disconnected(self, caller: Caller) -> None:
        return None

    async def invoke(self, target: str, arguments: list[Any], caller: Caller) -> object:
        method = self._method(target)
        if method.kind == "stream":
            raise IsAStream(target)
        now = self._clock.now()
        try:
            self._world.advance(now)
            answer = self.handlers[method.name](self._arguments(method, arguments), now)
        except Refused as refusal:
            return self._refused(method, refusal)
        except OverflowError:
            large = bad("Arguments", f"{method.name}: a number is larger than any id")
            return self._refused(method, large)
        except WorldUnwritable as error:
            # A caller cannot know how far it came, and is told so: no envelope, an error of the wire.
            raise HubError(str(error)) from None
        finally:
            self._ahead()
        data = data_of(method.name, _answer(method, answer), self._world.faults)
        return self._written(MesoLiveApiResponse(status=StatusCode.SUCCESS, data=data))

    def _refused(self, method: Method, refusal: Refused) -> dict[str, Any]:
        error = MesoLiveApiError(code=refusal.code, detail=refusal.detail, validation_errors=refusal.fields)
        status = status_of(method.name, refusal.status, self._world.faults)
        return self._written(
            MesoLiveApiResponse(status=status, message=refusal.detail, data=refusal.data, error=error)
        )

    def _written(self, response: MesoLiveApiResponse) -> dict[str, Any]:
        return form(response, self._world.faults, self._clock.now())

    def stream(self, target: str, arguments: list[Any], caller: Caller) -> AsyncIterator[object]:
        self._method(target)
        raise NotAStream(target)

    def _method(self, target: str) -> Method:
        """The contract's row. Raises UnknownMethod."""
        method = METHODS.get(contract_name(target))
        if method is None or method.hub != self.name:
            raise UnknownMethod(target)
        return method

    @staticmethod
    def _arguments(method: Method, arguments: list[Any]) -> Args:
        """The one argument as a model. Raises Refused, and HubError for another number of them."""
        if len(arguments) != 1:
            raise HubError(f"Invocation provides {len(arguments)} argument(s) but target expects 1.")
        try:
            return method.args_model.read({} if arguments[0] is None else arguments[0])
        except ValidationError as error:
            raise _unfit(method, error) from None


def _unfit(method: Method, error: ValidationError) -> Refused:
    fields: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        path = ".".join(str(part) for part in problem["loc"]) or "$"
        fields.setdefault(path, []).append(problem["msg"])
    told = "; ".join(f"{path}: {', '.join(found)}" for path, found in fields.items())
    return Refused(StatusCode.BAD_REQUEST, "Arguments", f"{method.name}: {told}", fields=fields)


def _answer(method: Method, answer: Wire | Mapping[str, Any]) -> Wire:
    """In the contract's own shape: what the contract does not know would be our mistake."""
    return answer if isinstance(answer, Wire) else method.result_model.model_validate(answer, context="write")
