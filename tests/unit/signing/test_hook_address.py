"""A stranger chooses where a web hook points: nobody inside, over nothing but https, whatever is written."""

import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from signing.hook_address import HookAddressRefused, canonical_address
from signing.hook_sending import HookSender, NotSent, SendLimits, Told
from signing.open_internet import is_open
from tests.servers.hook_receiver import Speechless
from tests.servers.loopback import Answer, Asked, LoopbackServer, dropped, elsewhere, failing, giant

pytestmark = pytest.mark.anyio
QUICK = SendLimits(connect=1.0, total=1.0)
NOBODY: frozenset[str] = frozenset()
HUGE_HEADER = b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2**20


class Plain(LoopbackServer):
    def answer(self, asked: Asked) -> Answer:
        return Answer(b"", "text/plain", 204)


@pytest.fixture
def server() -> Iterator[Plain]:
    with Plain() as running:
        yield running


@pytest.fixture
async def sender(server: Plain) -> AsyncIterator[HookSender]:
    made = HookSender([f"127.0.0.1:{server.port}"], limits=QUICK)
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://127.0.0.1/", "inside"),
        ("https://[::1]/", "inside"),
        ("https://10.0.0.1/hook", "inside"),
        ("https://172.16.0.1/", "inside"),
        ("https://192.168.1.1/", "inside"),
        ("https://169.254.169.254/latest/meta-data", "inside"),
        ("https://168.63.129.16/", "inside"),
        ("https://100.100.100.200/", "inside"),
        ("https://0.0.0.0/", "inside"),
        ("https://255.255.255.255/", "inside"),
        ("https://224.0.0.1/", "inside"),
        ("https://[fd00:ec2::254]/", "inside"),
        ("https://[fe80::1]/", "inside"),
        ("https://[ff02::1]/", "inside"),
        ("https://[::ffff:10.0.0.1]/", "malformed"),  # not its one spelling
        ("https://[::ffff:a00:1]/", "inside"),
        ("https://[64:ff9b::a00:1]/", "inside"),
        ("https://[64:ff9b::7f00:1]/", "inside"),
        ("https://[64:ff9b:1::a00:1]/", "inside"),
        ("https://[2002:7f00:1::]/", "inside"),
        ("https://[::7f00:1]/", "inside"),
        ("https://[fec0::1]/", "inside"),
        ("https://[::]/", "inside"),
        ("https://2130706433/", "malformed"),
        ("https://127.1/", "malformed"),
        ("https://0x7f.0.0.1/", "malformed"),
        ("https://0177.0.0.1/", "malformed"),
        ("https://127.0.0.1./", "malformed"),
        ("https://localhost/", "malformed"),
        ("https://hooks.example./", "malformed"),
        ("https://hooks.0x7f/", "malformed"),
        ("https://hooks..example/", "malformed"),
        ("https://-hooks.example/", "malformed"),
        ("http://hooks.example/", "malformed"),
        ("http://93.184.215.14/", "malformed"),
        ("ftp://hooks.example/", "malformed"),
        ("file:///etc/passwd", "malformed"),
        ("https:///hook", "malformed"),
        ("//hooks.example/", "malformed"),
        ("https://user:word@hooks.example/", "malformed"),
        ("https://hooks.example@10.0.0.1/", "malformed"),
        ("https://hooks.example\\@10.0.0.1/", "malformed"),
        ("https://hooks.example/#x", "malformed"),
        ("https://hooks.example/ x", "malformed"),
        ("https://hooks.example\t/", "malformed"),
        ("https://hooks.example/\r\nX: y", "malformed"),
        ("https://hooks.example:0/", "malformed"),
        ("https://hooks.example:99999/", "malformed"),
        ("https://ｈooks.example/", "malformed"),
        ("https://hooks.exämple/", "malformed"),
        ("https://hooks.example/%zz", "malformed"),
        ("https://[fe80::1%25eth0]/", "inside"),
        ("https://hooks.example/" + "x" * 500, "malformed"),
        ("", "malformed"),
    ],
)
async def test_what_points_inside_or_has_two_readings_is_refused(url: str, code: str) -> None:
    with pytest.raises(HookAddressRefused) as refused:
        canonical_address(url, NOBODY)
    assert refused.value.code == f"webhook_address_{code}"
    sender = HookSender(limits=QUICK)
    with pytest.raises(NotSent, match="leads_inside"):
        await sender.post(url, b"", {})
    await sender.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://HOOKS.example", "https://hooks.example/"),
        ("https://hooks.example:443/a?b=c", "https://hooks.example/a?b=c"),
        ("https://hooks.example:8443/a", "https://hooks.example:8443/a"),
        ("https://xn--hks-6ta.example/", "https://xn--hks-6ta.example/"),
        ("https://93.184.215.14/", "https://93.184.215.14/"),
        ("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/", None),
        ("https://[64:ff9b::5db8:d70e]/", None),
    ],
)
def test_what_is_open_has_one_spelling(url: str, told: str | None) -> None:
    assert canonical_address(url, NOBODY) == (told or url)


def test_a_listed_address_inside_is_taken_and_plain_http_on_this_machine_alone() -> None:
    listed = frozenset({"10.1.2.3", "10.9.9.9:8443", "127.0.0.1:8080", "[::1]:8080"})
    for url in (
        "https://10.1.2.3/",
        "https://10.9.9.9:8443/",
        "http://127.0.0.1:8080/",
        "http://[::1]:8080/",
        "https://127.0.0.1:8080/",
    ):
        assert canonical_address(url, listed) == url
    for url in ("https://10.9.9.9/", "http://127.0.0.1:8081/", "http://10.1.2.3/", "https://[::1]/"):
        with pytest.raises(HookAddressRefused):
            canonical_address(url, listed)


@pytest.mark.parametrize(
    "address", ["64:ff9b:1::a00:1", "::7f00:1", "fec0::1", "3fff::1", "5f00::1", "168.63.129.16", "192.0.0.8"]
)
def test_what_no_receiver_can_have_is_not_open(address: str) -> None:
    assert not is_open(address)


def leading_to(monkeypatch: pytest.MonkeyPatch, *places: tuple[str, int]) -> None:
    """Be the name server: each look-up gives the next of these places, the last one for ever."""
    left = list(places)

    def found(*_: Any, **__: Any) -> list[Any]:
        where = left.pop(0) if len(left) > 1 else left[0]
        kind = socket.AF_INET6 if ":" in where[0] else socket.AF_INET
        return [(kind, socket.SOCK_STREAM, 6, "", where)]

    monkeypatch.setattr(socket, "getaddrinfo", found)


async def test_a_name_that_leads_inside_is_not_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = HookSender(limits=QUICK)
    for inside in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "64:ff9b::a00:1"):
        leading_to(monkeypatch, (inside, 443))
        with pytest.raises(HookAddressRefused, match="webhook_address_inside"):
            await sender.check("https://hooks.example/")
    leading_to(monkeypatch, ("93.184.215.14", 443))
    assert await sender.check("https://hooks.example") == "https://hooks.example/"


async def test_one_address_inside_among_open_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (where, 443)) for where in ("93.184.215.14", "10.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(HookAddressRefused, match="webhook_address_inside"):
        await HookSender().check("https://hooks.example/")


async def test_a_name_that_is_not_known_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: Any, **__: Any) -> None:
        raise socket.gaierror(said, "not found")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    said = socket.EAI_NONAME
    with pytest.raises(HookAddressRefused, match="webhook_address_unknown"):
        await HookSender().check("https://hooks.example/")
    said = socket.EAI_AGAIN
    assert await HookSender().check("https://hooks.example/"), (
        "nobody here knows names: who sends looks it up"
    )
    sender = HookSender()
    with pytest.raises(NotSent, match="unreachable"):
        await sender.post("https://hooks.example/", b"", {})
    await sender.close()


async def test_a_name_that_leads_elsewhere_later_is_not_followed(
    monkeypatch: pytest.MonkeyPatch, server: Plain
) -> None:
    sender = HookSender(limits=QUICK)
    url = f"https://hooks.example:{server.port}/"
    leading_to(monkeypatch, ("93.184.215.14", server.port), ("127.0.0.1", server.port))
    assert await sender.check(url) == url
    with pytest.raises(NotSent, match="leads_inside"):
        await sender.post(url, b"", {})
    await sender.close()
    assert server.asked == []


async def test_the_very_socket_is_checked_whoever_looked_the_name_up(server: Plain) -> None:
    """A resolver that was taken over says what it likes; this one stands in for it alone."""
    sender = HookSender(limits=QUICK)
    session = sender._opened()
    place = {"hostname": "hooks.example", "host": "127.0.0.1", "port": server.port, "family": socket.AF_INET}
    place |= {"proto": 6, "flags": 0}

    async def resolve(*_: Any, **__: Any) -> list[Any]:
        return [place]

    session.connector._resolver.resolve = resolve  # type: ignore[union-attr]
    with pytest.raises(NotSent, match="leads_inside"):
        await sender.post(f"https://hooks.example:{server.port}/", b"", {})
    await sender.close()
    assert server.asked == []


async def test_a_proxy_of_the_environment_is_not_asked(
    sender: HookSender, server: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert await sender.post(server.url + "/", b"said", {"X-One": "1"}) == Told(204)
    (asked,) = server.asked
    assert (asked.method, asked.body, asked.headers["x-one"]) == ("POST", b"said", "1")
    assert "cookie" not in asked.headers


async def test_a_redirect_is_an_answer_and_not_followed(sender: HookSender, server: Plain) -> None:
    server.fault = elsewhere("http://127.0.0.1:9/")
    assert (await sender.post(server.url + "/", b"", {})).status == 302
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("0", 0), ("99999999999999999999", 86400), ("soon", None), ("-5", None), ("", None)],
)
async def test_a_receiver_says_when_to_come_again(
    sender: HookSender, server: Plain, value: str, seconds: float | None
) -> None:
    server.fault = lambda _: Answer(b"", "text/plain", 503, {"Retry-After": value})
    assert await sender.post(server.url + "/", b"", {}) == Told(503, seconds)


async def test_a_date_is_read_too(sender: HookSender, server: Plain) -> None:
    date = {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}
    server.fault = lambda _: Answer(b"", "text/plain", 429, date)
    assert await sender.post(server.url + "/", b"", {}) == Told(429, 0.0)


async def test_who_says_too_much_or_nothing_costs_no_more_than_the_time(
    sender: HookSender, server: Plain
) -> None:
    server.fault = giant
    assert (await sender.post(server.url + "/", b"", {})).status == 200, "its body is not read"
    server.fault = dropped
    with pytest.raises(NotSent, match="unreachable"):
        await sender.post(server.url + "/", b"", {})
    server.fault = failing(500)
    assert (await sender.post(server.url + "/", b"", {})).status == 500
    server.fault, server.slow = None, 30
    with pytest.raises(NotSent, match="slow"):
        await sender.post(server.url + "/", b"", {})


@pytest.mark.parametrize(
    ("says", "without_end", "reason"),
    [
        (b"", False, "slow"),
        (b"no http at all\r\n\r\n", False, "unreachable"),
        (HUGE_HEADER, True, "unreachable"),
        (b"HTTP/1.1 200 OK\r\nX: y", False, "slow"),
    ],
)
async def test_who_does_not_speak_http_is_away(says: bytes, without_end: bool, reason: str) -> None:
    server = Speechless(says, without_end=without_end)
    sender = HookSender([server.url.removeprefix("http://")], limits=QUICK)
    try:
        with pytest.raises(NotSent, match=reason):
            await sender.post(server.url + "/", b"", {})
        assert server.connections == 1
    finally:
        await sender.close()
        server.stop()
