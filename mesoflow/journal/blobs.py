"""Large values of a body, kept once by digest and referred to from there. Readers never see it.

Only whole top-level values of a body are taken out (`outcome`, `program`): what a person looks for first stays readable
in the record, and the record's hash covers the digest, hence the value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256

import msgspec

from mesoflow.engine.effects import Value
from mesoflow.journal.codec import BlobRef, decode, encode_bytes

# A page of the database is 4 KB: what fits in one costs nothing to repeat, and a look-up costs more than it saves.
BLOB_MIN = 4096

_REFERENCE = b'"=b'


def split(body: Mapping[str, Value]) -> tuple[bytes, dict[str, bytes]]:
    """The body's stored form, and the large values that it refers to, by digest."""
    text = encode_bytes(body)
    if len(text) < BLOB_MIN:
        return text, {}
    blobs: dict[str, bytes] = {}
    parts: dict[str, msgspec.Raw] = {}
    for key, value in body.items():
        part = encode_bytes(value)
        if len(part) >= BLOB_MIN:
            name = sha256(part).hexdigest()
            blobs[name] = part
            part = b'"=b%s"' % name.encode()
        parts[key] = msgspec.Raw(part)
    return msgspec.json.encode(parts), blobs


def refers(text: bytes) -> bool:
    """May this stored form refer to a large value? (A text that ends in such characters may look so; `join` knows.)"""
    return _REFERENCE in text


def join(text: bytes, fetch: Callable[[str], bytes]) -> dict[str, Value]:
    """The body of a stored form; `fetch` answers a blob by its digest, verified."""
    body: dict[str, Value] = decode(text)
    for key, value in body.items():
        if type(value) is BlobRef:
            body[key] = decode(fetch(value))
    return body


def matches(name: str, blob: bytes) -> bool:
    """Is this the blob of that digest?"""
    return sha256(blob).hexdigest() == name
