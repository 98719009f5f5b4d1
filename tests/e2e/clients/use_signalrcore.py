"""Stock signalrcore against a served echo hub: `use_signalrcore.py URL`. Prints what it saw, one JSON line each."""

import json
import logging
import os
import sys
import threading
from typing import Any

from signalrcore.hub_connection_builder import HubConnectionBuilder

WITHIN_S = 10
TRIES = 5


def say(saw: str, value: Any) -> None:
    print(json.dumps({"saw": saw, "value": value}), flush=True)


def main(url: str) -> None:
    ticks: list[Any] = []
    opened = threading.Event()
    builder = HubConnectionBuilder().with_url(url, options={"access_token_factory": lambda: "any"})
    hub = builder.configure_logging(logging.CRITICAL).build()
    hub.on_open(opened.set)
    hub.on("OnTick", ticks.append)
    hub.start()
    say("opened", opened.wait(WITHIN_S))

    def call(target: str, *arguments: Any) -> Any:
        answered, answer = threading.Event(), []

        def take(message: Any) -> None:
            answer.append(message.result)
            answered.set()

        hub.send(target, list(arguments), on_invocation=take)
        return answer[0] if answered.wait(WITHIN_S) else "no answer"

    say("text", call("Echo", "héllo"))
    say("tree", call("Echo", {"A": [1, None, True]}))
    say("money", call("Money"))
    say("answer", call("CallMe", 3))
    say("ticks", ticks)
    say("streamed", streamed(hub))


def streamed(hub):
    """One stream, whole. This client asks before its handlers are set, so that a fast item passes them by: try again."""
    for _ in range(TRIES):
        over, items = threading.Event(), []
        handlers = {
            "next": items.append,
            "complete": lambda _, over=over: over.set(),
            "error": lambda _, over=over: over.set(),
        }
        hub.stream("Count", [2]).subscribe(handlers)
        if over.wait(WITHIN_S / TRIES) and len(items) == 2:
            return [True, items]
    return [False, items]


if __name__ == "__main__":
    main(sys.argv[1])
    # Its stop() waits for the server's next frame, up to fifteen seconds; nothing is left to say.
    os._exit(0)
