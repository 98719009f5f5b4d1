"""How a hub is reached: TLS with an authority of one's own, and HTTP proxies; and what is said when that fails."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.asyncio.server import serve

from mesoflow.hubs.address import Address
from mesoflow.hubs.client import MesoLive
from mesoflow.hubs.connection import open_connection
from mesoflow.hubs.contract import METHODS
from mesoflow.hubs.errors import ConnectFailed
from mesoflow.hubs.route import route_to, tls_trusting
from mesoflow.hubs.transport import Limits
from tests.support.connect_proxy import ConnectProxy
from tests.support.wire_server import WireServer

PATH = "/hubs/control/v1"
# A name that no resolver knows: who arrives there came through the proxy.
HUB = "hub.test"
ACCOUNT = {"BrokerAccountId": "PAPER-1"}
PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxy_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@dataclass(frozen=True)
class Authority:
    """A private authority and the file that a profile would name."""

    ca: trustme.CA
    file: str

    def server(self, *names: str, **options: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names, **options).configure_cert(context)
        return context


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority]:
    """Two, made anew, so that no private key lies in the repository: the hub's and somebody else's."""

    def made(name: str) -> Authority:
        path: Path = tmp_path_factory.mktemp("ca") / f"{name}.pem"
        ca = trustme.CA()
        ca.cert_pem.write_to_path(path)
        return Authority(ca, str(path))

    return made("ours"), made("other")


class TlsServer:
    """The wire's server behind TLS."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.wire = WireServer()
        self.wire.data = {"GetAccount": ACCOUNT}
        self._context = context
        self.port = 0

    async def __aenter__(self) -> TlsServer:
        wire = self.wire
        self._server = await serve(
            wire._serve, "127.0.0.1", 0, process_request=wire._request, ssl=self._context, close_timeout=0.2
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()


async def reached(url: str, tls: ssl.SSLContext | None, limits: Limits | None = None) -> Any:
    """What a call answers over a connection to that address."""
    connection = await open_connection(
        "control",
        url + PATH,
        token="secret",
        encoding="messagepack",
        allow=frozenset({"read"}),
        heard=lambda *_: None,
        keepalive=None,
        tls=tls,
        limits=limits,
    )
    try:
        return (await connection.invoke(METHODS["GetAccount"], b"\x80", 5))["Data"]
    finally:
        await connection.close()


async def failure(url: str, tls: ssl.SSLContext | None, limits: Limits | None = None) -> ConnectFailed:
    with pytest.raises(ConnectFailed) as failed:
        await reached(url, tls, limits)
    assert "secret" not in str(failed.value)
    return failed.value


# ── TLS ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_hub_of_a_private_authority_is_reached_with_its_file(
    host: str, authorities: tuple[Authority, Authority]
) -> None:
    ours, _ = authorities

    async def scenario() -> Any:
        async with TlsServer(ours.server("localhost", "127.0.0.1")) as server:
            return await reached(f"https://{host}:{server.port}", tls_trusting(ours.file))

    assert asyncio.run(scenario()) == ACCOUNT


def test_many_calls_at_once_over_tls_are_executed_once_each(
    authorities: tuple[Authority, Authority],
) -> None:
    """Twenty in flight, ten times: where writers share a TLS socket without order, most of them vanish."""
    ours, _ = authorities

    async def scenario() -> tuple[int, list[Any]]:
        async with TlsServer(ours.server("127.0.0.1")) as server:
            hub = await MesoLive.connect(
                f"https://127.0.0.1:{server.port}",
                random=lambda: 0.5,
                hubs=("control",),
                keepalive=None,
                tls=tls_trusting(ours.file),
            )
            answers = 0
            for round_ in range(10):
                arguments = [
                    hub.encode("GetAccount", {"broker_account_id": f"{round_}-{number}"})
                    for number in range(20)
                ]
                calls = [hub.answer("GetAccount", one, within=timedelta(seconds=30)) for one in arguments]
                answers += len(await asyncio.gather(*calls))
            await hub.close()
            return answers, [args["BrokerAccountId"] for _, args in server.wire.executed]

    answers, executed = asyncio.run(scenario())
    assert (answers, sorted(executed)) == (200, sorted(f"{a}-{b}" for a in range(10) for b in range(20)))


UNKNOWN_CA = "if an authority of your own signed it, name its certificate as ca_file in the hub's profile"
OTHER_NAME = "use the name that the certificate is for, not localhost"
OUT_OF_DATE = "set this machine's clock, or ask the hub's operator to renew it"
PAST = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("trusted", "names", "options", "remedy"),
    [
        ("none", ("localhost",), {}, UNKNOWN_CA),
        ("other", ("localhost",), {}, UNKNOWN_CA),
        ("ours", ("elsewhere.test",), {}, OTHER_NAME),
        (
            "ours",
            ("localhost",),
            {"not_before": PAST, "not_after": datetime(2021, 1, 1, tzinfo=UTC)},
            OUT_OF_DATE,
        ),
    ],
    ids=["no file", "another authority's file", "another host's certificate", "out of date"],
)
def test_a_certificate_that_is_refused_says_what_to_do(
    trusted: str, names: tuple[str, ...], options: Any, remedy: str, authorities: tuple[Authority, Authority]
) -> None:
    ours, other = authorities
    tls = {"none": None, "ours": tls_trusting(ours.file), "other": tls_trusting(other.file)}[trusted]

    async def scenario() -> tuple[ConnectFailed, int]:
        async with TlsServer(ours.server(*names, **options)) as server:
            failed = await failure(f"https://localhost:{server.port}", tls)
            return failed, len(server.wire.negotiations)

    failed, requests = asyncio.run(scenario())
    assert (failed.stage, failed.retryable, failed.remedy) == ("connect", False, remedy)
    assert failed.reason.startswith("certificate: ")
    assert remedy in str(failed)
    assert requests == 0, "the token went to nobody"


def test_the_checker_catches_a_client_that_verifies_nothing(
    authorities: tuple[Authority, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    monkeypatch.setattr("mesoflow.hubs.route.verified_tls", lambda *_: trusting)
    monkeypatch.setattr("mesoflow.hubs.transport.verified_tls", lambda *_: trusting)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        test_a_certificate_that_is_refused_says_what_to_do(
            "other", ("localhost",), {}, UNKNOWN_CA, authorities
        )


def test_a_file_that_holds_no_certificate_is_an_error(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("no certificate")
    with pytest.raises(OSError):
        tls_trusting(str(empty))
    with pytest.raises(FileNotFoundError):
        tls_trusting(str(tmp_path / "absent.pem"))


# ── proxies ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def through(
    authorities: tuple[Authority, Authority],
    monkeypatch: pytest.MonkeyPatch,
    proxy: Callable[[int], ConnectProxy],
    what: Callable[[str, ssl.SSLContext | None], Any],
    *,
    user: str = "",
) -> tuple[Any, ConnectProxy]:
    """`what` of a hub behind that proxy, which the environment names."""
    ours, _ = authorities

    async def scenario() -> tuple[Any, ConnectProxy]:
        async with TlsServer(ours.server(HUB)) as server, proxy(server.port) as opened:
            monkeypatch.setenv("HTTPS_PROXY", f"http://{user}{opened.authority}")
            return await what(f"https://{HUB}", tls_trusting(ours.file)), opened

    return asyncio.run(scenario())


def test_the_proxy_gets_the_hub_s_name_and_never_the_token(
    authorities: tuple[Authority, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, proxy = through(authorities, monkeypatch, ConnectProxy, reached)
    assert answer == ACCOUNT
    assert proxy.targets == [f"CONNECT {HUB}:443 HTTP/1.1"] * 2, "one tunnel to negotiate, one for the socket"
    assert "secret" not in str(proxy.asked)


def test_the_proxy_is_told_who_we_are(
    authorities: tuple[Authority, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, proxy = through(authorities, monkeypatch, ConnectProxy, reached, user="ann:p%40ss@")
    # base64 of ann:p@ss
    assert [
        any(line == "Proxy-Authorization: Basic YW5uOnBAc3M=" for line in head) for head in proxy.asked
    ] == [
        True,
        True,
    ]


REFUSES = b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n"
LEAVE = "ask its operator for leave, or list the hub in NO_PROXY"
LOOK = "look at HTTPS_PROXY, or list the hub in NO_PROXY"
WHO = "write HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT"


@pytest.mark.parametrize("tunnels", [0, 1], ids=["at negotiate", "at upgrade"])
@pytest.mark.parametrize(
    ("answer", "reason", "retryable", "remedy"),
    [
        (REFUSES % b"403 Forbidden", "answered HTTP 403", False, LEAVE),
        (REFUSES % b"407 Who", "wants to know who we are", False, WHO),
        (REFUSES % b"502 Bad Gateway", "answered HTTP 502", True, LEAVE),
        (b"220 mail.test ESMTP\r\n\r\n", "did not open a tunnel", True, LOOK),
        (b"", "did not open a tunnel", True, LOOK),
    ],
    ids=["forbidden", "unknown user", "hub unreachable", "no HTTP", "closed"],
)
def test_a_proxy_that_opens_no_tunnel(
    answer: bytes,
    reason: str,
    retryable: bool,
    remedy: str,
    tunnels: int,
    authorities: tuple[Authority, Authority],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed, proxy = through(
        authorities,
        monkeypatch,
        lambda behind: ConnectProxy(behind, answer, admitted=tunnels),
        failure,
        user="ann:secret@",
    )
    assert (failed.stage, failed.retryable, failed.remedy) == ("proxy", retryable, remedy)
    assert failed.reason == f"the proxy {proxy.authority} {reason}"
    assert len(proxy.asked) == tunnels + 1


@pytest.mark.parametrize(("tunnels", "stage"), [(0, "negotiate"), (1, "upgrade")])
def test_a_proxy_that_never_answers_costs_one_limit(
    tunnels: int, stage: str, authorities: tuple[Authority, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits(upgrade_s=0.05) if tunnels else Limits(negotiate_s=0.05)
    failed, _ = through(
        authorities,
        monkeypatch,
        lambda behind: ConnectProxy(behind, None, admitted=tunnels),
        lambda url, tls: failure(url, tls, limits),
    )
    assert (failed.stage, failed.reason, failed.retryable) == (stage, "no answer in 0.05 s", True)


def test_certificates_are_verified_behind_a_proxy_as_well(
    authorities: tuple[Authority, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, _ = through(authorities, monkeypatch, ConnectProxy, lambda url, _: failure(url, None))
    assert (failed.stage, failed.retryable, failed.remedy) == ("connect", False, UNKNOWN_CA)


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> ConnectFailed:
        async with ConnectProxy(1) as gone:
            monkeypatch.setenv("HTTPS_PROXY", gone.authority)
        return await failure(f"https://{HUB}", None)

    failed = asyncio.run(scenario())
    assert (failed.stage, failed.retryable, failed.remedy) == ("proxy", True, LOOK)


@pytest.mark.parametrize(
    ("url", "https_proxy", "no_proxy", "expected"),
    [
        (f"https://{HUB}", "http://proxy.test:3128", "", "proxy.test:3128"),
        (f"https://{HUB}", "proxy.test:3128", "", "proxy.test:3128"),
        (f"https://{HUB}", "http://proxy.test", "", "proxy.test:80"),
        (f"https://{HUB}", "http://proxy.test:3128", HUB, None),
        (f"https://{HUB}", "http://proxy.test:3128", ".test", None),
        (f"https://{HUB}", "http://proxy.test:3128", "*", None),
        (f"https://{HUB}", "http://proxy.test:3128", "other.test", "proxy.test:3128"),
        (f"https://{HUB}", "", "", None),
        ("https://localhost:5", "http://proxy.test:3128", "", None),
        ("https://127.0.0.1:5", "http://proxy.test:3128", "", None),
        ("http://[::1]:5", "http://proxy.test:3128", "", None),
    ],
)
def test_which_way_a_hub_is_reached(
    url: str, https_proxy: str, no_proxy: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", https_proxy)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    route = route_to("control", Address.parse("control", url))
    assert (route and route.authority) == expected


@pytest.mark.parametrize(
    ("https_proxy", "reason"),
    [
        ("socks5://ann:secret@proxy.test:1080", "HTTPS_PROXY names a proxy of kind socks5"),
        ("https://proxy.test:3128", "HTTPS_PROXY names a proxy of kind https"),
        ("http://proxy.test:port", "HTTPS_PROXY names no HTTP proxy"),
    ],
)
def test_proxies_of_other_kinds_are_refused_by_name(
    https_proxy: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", https_proxy)
    failed = asyncio.run(failure(f"https://{HUB}", None))
    assert (failed.stage, failed.reason, failed.retryable) == ("proxy", reason, False)
    assert failed.remedy == "write HTTPS_PROXY=http://HOST:PORT, or list the hub in NO_PROXY"
