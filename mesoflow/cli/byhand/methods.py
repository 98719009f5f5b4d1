"""Which method a person means, and whether it may be called by hand. Orders leave only through a run."""

from __future__ import annotations

from difflib import get_close_matches

from mesoflow.cli.byhand.wrong import Wrong
from mesoflow.hubs.contract import CALLBACKS, METHODS, Callback, Klass, Method
from mesoflow.runtime.refusal import BY_HAND, Refusal

READS: frozenset[Klass] = frozenset({"read"})
# With --yes. What trades is in neither: a connection made here cannot send an order, whatever is asked of it.
WITH_YES: frozenset[Klass] = frozenset({"read", "change", "prepare"})


def method_named(name: str) -> Method:
    """By its name in any casing. Raises Wrong, with near names."""
    folded = {known.lower(): known for known in METHODS}
    if name.lower() in folded:
        return METHODS[folded[name.lower()]]
    near = get_close_matches(name.lower(), folded, n=3, cutoff=0.5)
    lines = tuple(f"near: {folded[one]}" for one in near) or ("`mesoflow hub list` names them all",)
    raise Wrong(f"no hub has a method {name}", lines)


def named(name: str) -> Method | Callback:
    """A method or a callback, by its name in any casing. Raises Wrong, with near names of methods."""
    callbacks = {known.lower(): known for known in CALLBACKS}
    return CALLBACKS[callbacks[name.lower()]] if name.lower() in callbacks else method_named(name)


def require_kind(method: Method, kind: str) -> None:
    """A call of a call, a stream of a stream. Raises Wrong."""
    if method.kind == kind:
        return
    if kind == "invoke":
        raise Wrong(f"{method.name} is a stream", (f"mesoflow hub stream {method.name} …",))
    streams = ", ".join(name for name, row in METHODS.items() if row.kind == "stream")
    raise Wrong(f"{method.name} is no stream", (f"mesoflow hub call {method.name} …", f"streams: {streams}"))


def allowed(method: Method, klass: Klass, yes: bool) -> frozenset[Klass]:
    """The classes that the connection is made with. Raises Refusal."""
    if klass == "trade":
        raise Refusal(
            BY_HAND,
            f"{method.name} trades, and orders leave only through a run",
            (
                (
                    "why",
                    "a run writes each order down before it is sent, holds it against the limits and knows it again after a "
                    "crash; a call by hand does none of that",
                ),
            ),
            ("write a playbook: `mesoflow run PLAYBOOK`", "`mesoflow kill` withdraws every working order"),
        )
    if klass != "read" and not yes:
        does = "changes what the hub keeps" if klass == "change" else "starts or stops a prepare job"
        raise Refusal(
            BY_HAND,
            f"{method.name} {does}, and --yes is not given",
            help=("add --yes if that is what you want; it has no effect on the market",),
        )
    return WITH_YES if yes else READS
