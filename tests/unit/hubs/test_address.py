"""Addresses of hubs: which are taken, and what is asked for there."""

from __future__ import annotations

from typing import Any

import pytest

from mesoflow.hubs.address import Address
from mesoflow.hubs.errors import ConnectFailed


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:8080/x/", (False, "127.0.0.1", 8080)),
        ("ws://localhost", (False, "localhost", 80)),
        ("http://[::1]:5", (False, "::1", 5)),
        ("https://api.example.com", (True, "api.example.com", 443)),
        ("wss://api.example.com:8443", (True, "api.example.com", 8443)),
    ],
)
def test_addresses(url: str, origin: Any) -> None:
    assert Address.parse("control", url).origin == origin


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "ws://0.0.0.0",
        "file:///etc/passwd",
        "api.example.com",
        "",
        "https://",
        "https://user:secret@api.example.com",
        "https://api.example.com:99999",
        "https://[::1",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(ConnectFailed) as failed:
        Address.parse("control", url)
    assert (failed.value.stage, failed.value.retryable) == ("address", False)
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize(
    ("url", "authority", "target", "websocket"),
    [
        (
            "https://hub.test/x/",
            "hub.test",
            "/x/negotiate?v=1",
            "wss://hub.test/x?id=a%2Fb",
        ),
        (
            "https://hub.test:8443/x?tenant=7",
            "hub.test:8443",
            "/x/negotiate?tenant=7&v=1",
            "wss://hub.test:8443/x?tenant=7&id=a%2Fb",
        ),
        ("http://[::1]:5/x", "[::1]:5", "/x/negotiate?v=1", "ws://[::1]:5/x?id=a%2Fb"),
    ],
)
def test_what_is_asked_for_there(url: str, authority: str, target: str, websocket: str) -> None:
    address = Address.parse("control", url)
    told = (address.authority, address.target("/negotiate", "v=1"), address.websocket("a/b"))
    assert told == (authority, target, websocket)
