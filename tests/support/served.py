"""The simulator's server end in this process, on an idle loop: no real time passes, nothing is left to chance."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mesoflow.runtime.idle_loop import IdleLoop, new_idle_loop
from mesoflow.simulator.clock import EmbeddedClock
from mesoflow.simulator.wire.core import HubApp
from mesoflow.simulator.wire.server import Server
from tests.support.echo_hub import PATH, START


def serving(
    test: Callable[[Server], Awaitable[Any]],
    hub: HubApp | Callable[[], HubApp],
    *,
    path: str = PATH,
    **options: Any,
) -> Any:
    """Run `test` against a served hub; the server is stopped however it ends, and nobody may be left."""

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, IdleLoop)
        apps: Mapping[str, HubApp] = {path: hub() if callable(hub) else hub}
        server = Server(apps, EmbeddedClock(loop, START), **{"keep_alive_s": None, **options})
        await server.start()
        try:
            return await test(server)
        finally:
            await server.stop()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            left = [task.get_name() for task in others if "websockets" not in repr(task)]
            assert not left, left
            assert loop.gave_up == 0

    with asyncio.Runner(loop_factory=new_idle_loop) as runner:
        return runner.run(main())
