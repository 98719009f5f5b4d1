"""`mesoflow hub list|call|watch|stream`: the hubs by hand. Each imports what it needs; `list` connects to nothing."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import Any

from mesoflow.cli.byhand.methods import allowed, method_named, named, require_kind
from mesoflow.cli.byhand.wrong import Wrong
from mesoflow.cli.exits import Exit
from mesoflow.hubs.contract import Method, klass_of

KEY_BYTES = 8
WIDTH = 118


def run(args: argparse.Namespace) -> int:
    """Do it. On a terminal people read, through a pipe programs do."""
    if args.format is None:
        args.format = "text" if sys.stdout.isatty() else "json"
    commands: Mapping[str, Callable[[argparse.Namespace], int]] = {
        "list": _list,
        "call": _call,
        "watch": _watch,
        "stream": _stream,
    }
    try:
        return commands[args.hub_command](args)
    except Wrong as wrong:
        print(wrong, file=sys.stderr)
        return Exit.USAGE


def _list(args: argparse.Namespace) -> int:
    from mesoflow.cli.byhand import listing

    row = None if args.method is None else named(args.method)
    if args.format == "json":
        print(_json(listing.overview() if row is None else listing.one(row)))
    else:
        print(listing.overview_text(_width()) if row is None else listing.one_text(row))
    return Exit.FINE


# --- call --------------------------------------------------------------------------------------------------------------


def _call(args: argparse.Namespace) -> int:
    method = method_named(args.method)
    require_kind(method, "invoke")
    if method.klass == "trade":
        # Before anything else is looked at: no value makes it right.
        allowed(method, method.klass, args.yes)
    from mesoflow.cli.byhand.calling import call
    from mesoflow.cli.byhand.values import KEY, arguments
    from mesoflow.cli.byhand.where import ground_by_hand, where
    from mesoflow.cli.starting import on_loop

    values = arguments(method, args.pairs, f"hand-{secrets.token_hex(KEY_BYTES)}")
    allow = allowed(method, klass_of(method.name, values), args.yes)
    if method.keyed:
        # Said before it is sent: whatever happens then, the record can be asked for.
        print(f"idempotency key: {values[KEY]}", file=sys.stderr, flush=True)
    home, choice = where(args.state, args.hub)

    async def called() -> int:
        async with ground_by_hand(home, choice) as ground:
            answer = await call(ground, method, values, allow, one_page=args.one_page)
        if args.format == "json":
            print(_json({"format_version": 1, "method": method.name, "result": answer}))
        else:
            print(_text(method, answer))
        return Exit.FINE

    return on_loop(choice, None, called())


def _text(method: Method, answer: Mapping[str, Any]) -> str:
    from mesoflow.cli.byhand.tables import rows_text, tree

    rows = answer[method.items] if method.items else _only_rows(answer)
    if rows is None:
        return "\n".join(tree(answer)) or "nothing"
    token = answer.get("continuation_token")
    return (rows_text(rows, _width()) if rows else "nothing") + (
        f"\ncontinuation_token: {token}" if token else ""
    )


def _only_rows(answer: Mapping[str, Any]) -> Any:  # noqa: ANN401 - rows, or None
    """The rows of an answer that is nothing but rows."""
    found = next(iter(answer.values())) if len(answer) == 1 else None
    return found if isinstance(found, list) and all(isinstance(row, Mapping) for row in found) else None


# --- watch and stream --------------------------------------------------------------------------------------------------


def _watch(args: argparse.Namespace) -> int:
    from mesoflow.cli.byhand.feeds import watch
    from mesoflow.cli.byhand.where import ground_by_hand, require_url, where

    home, choice = where(args.state, args.hub)
    require_url(choice, "hub watch")

    async def watched() -> int:
        async with ground_by_hand(home, choice) as ground:
            await watch(ground, args.strategy, args.since, args.count, lambda item: _line(args, item))
        return Exit.FINE

    return asyncio.run(watched())


def _stream(args: argparse.Namespace) -> int:
    method = method_named(args.method)
    require_kind(method, "stream")
    from mesoflow.cli.byhand.feeds import stream
    from mesoflow.cli.byhand.values import arguments
    from mesoflow.cli.byhand.where import ground_by_hand, require_url, where

    values = arguments(method, args.pairs, "")
    home, choice = where(args.state, args.hub)
    require_url(choice, "hub stream")

    async def streamed() -> int:
        async with ground_by_hand(home, choice) as ground:
            await stream(ground, method, values, args.count, lambda item: _line(args, item))
        return Exit.FINE

    return asyncio.run(streamed())


def _line(args: argparse.Namespace, item: Mapping[str, Any]) -> None:
    """One line of JSON, or a block for people; at once."""
    from mesoflow.cli.views.out import put

    if args.format == "json":
        from mesoflow.review.render.json import json_text

        put(json_text(item, indent=None))
    else:
        from mesoflow.cli.byhand.tables import tree

        put("\n".join(tree(item)) + "\n")


def _json(value: Any) -> str:  # noqa: ANN401 - a Value
    from mesoflow.review.render.json import json_text

    return json_text(value)


def _width() -> int:
    return shutil.get_terminal_size((WIDTH, 40)).columns
