"""SignalR's handshake: one JSON record each way, whatever encoding follows."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from mesoflow.simulator.wire.encodings import Decimals, Encoding, JsonEncoding, MessagePackEncoding
from mesoflow.simulator.wire.messages import Malformed

ACCEPTED = b"{}\x1e"
# Version 1 is the protocol. As hubs of .NET 8 and later do, 2 is taken as well (it means a reconnect with state, which is
# never offered here), and 0, which stock signalrcore sends.
VERSIONS = (0, 1, 2)
# More than a handshake ever needs; messages may be glued behind it.
HANDSHAKE_BYTES_MAX = 4096


class HandshakeRefused(Exception):
    """Its text goes to the client as the handshake's error."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """What the client chose, and what it sent glued behind."""

    encoding: Encoding
    rest: bytes


def read_handshake(data: bytes, decimals: Decimals | None) -> Handshake | None:
    """None while the record has no end. `decimals` None: as .NET writes them. Raises HandshakeRefused, Malformed."""
    record, end, rest = data.partition(b"\x1e")
    if len(record) > HANDSHAKE_BYTES_MAX:
        raise Malformed("the handshake is one record of JSON, ended by 0x1E")
    if not end:
        return None
    try:
        asked = msgspec.json.decode(record)
    except (msgspec.DecodeError, ValueError):
        raise HandshakeRefused("The handshake is not JSON.") from None
    if not isinstance(asked, dict):
        raise HandshakeRefused("The handshake is not an object.")
    protocol, version = asked.get("protocol"), asked.get("version")
    encoding: Encoding
    match protocol:
        case "json":
            encoding = JsonEncoding(decimals or "number")
        case "messagepack":
            encoding = MessagePackEncoding(decimals or "text")
        case _:
            raise HandshakeRefused(f"The protocol '{protocol}' is not supported.")
    if type(version) is not int or version not in VERSIONS:
        raise HandshakeRefused(f"The server does not support version {version} of the '{protocol}' protocol.")
    return Handshake(encoding, rest)


def refusal(error: HandshakeRefused) -> bytes:
    return msgspec.json.encode({"error": str(error)}) + b"\x1e"
