"""A document chooses the address: nobody is asked but whom the operator allows, and nobody inside (SSRF)."""

import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from signing.open_internet import is_open
from signing.status_fetching import FetchLimits, NotFetched, StatusFetcher
from signing.status_proofs import StatusQuestion
from tests.servers.loopback import Answer, Asked, LoopbackServer, dropped, elsewhere, failing, giant

pytestmark = pytest.mark.anyio
QUICK = FetchLimits(connect=2.0, total=2.0, response=1000, revocation_list=2000)


class Plain(LoopbackServer):
    """Answers everything with the same bytes."""

    def answer(self, asked: Asked) -> Answer:
        return Answer(b"an answer")


@pytest.fixture
def server() -> Iterator[Plain]:
    with Plain() as running:
        yield running


@pytest.fixture
async def fetcher(server: Plain) -> AsyncIterator[StatusFetcher]:
    made = StatusFetcher([f"127.0.0.1:{server.port}"], limits=QUICK)
    yield made
    await made.close()


def question(url: str, kind: Any = "ocsp") -> StatusQuestion:
    return StatusQuestion(kind, url, b"asked" if kind == "ocsp" else b"", b"", b"")


async def why_not(fetcher: StatusFetcher, url: str, kind: Any = "ocsp") -> str:
    with pytest.raises(NotFetched) as refused:
        await fetcher.fetch(question(url, kind))
    return refused.value.reason


async def test_a_listed_host_is_asked_and_answers(fetcher: StatusFetcher, server: Plain) -> None:
    assert (await fetcher.fetch(question(f"{server.url}/ocsp"))).content == b"an answer"
    assert (await fetcher.fetch(question(f"{server.url}/a.crl", "crl"))).content == b"an answer"
    assert [(one.method, one.body) for one in server.asked] == [("POST", b"asked"), ("GET", b"")]
    assert server.asked[0].headers["content-type"] == "application/ocsp-request"
    assert "cookie" not in server.asked[1].headers


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://status.example/1",
        "ftp://status.example/a.crl",
        "ldap://status.example/cn=a",
        "http://169.254.169.254/latest/meta-data",
        "http://other.example/",
        "http://status.example.other.example/",
        "http://notstatus.example/",
        "http://status.example:8080/",
        "https://status.example:80/",
        "http://status.example@other.example/",
        "http://other.example@status.example/",
        "http://user:word@status.example/",
        "http://status.example\\@other.example/",
        "http://status.example#@other.example:80/ x",
        "http://status.example\t.other.example/",
        "http://status.example./",
        "http://ｓtatus.example/",
        "http://[::1]/",
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://localhost/",
        "http:///status.example",
        "//status.example/",
        "http://status.example:99999/",
        "",
    ],
)
async def test_whatever_a_document_writes_nobody_else_is_asked(url: str) -> None:
    fetcher = StatusFetcher(["status.example"])
    assert not fetcher.allows(url)
    assert await why_not(fetcher, url) == "not_allowed"


async def test_usual_ports_and_capitals_are_the_same_host() -> None:
    fetcher = StatusFetcher(["Status.example", "other.example:8888"])
    for url in ("http://status.example/x", "https://STATUS.example:443/x?y", "http://other.example:8888/"):
        assert fetcher.allows(url)
    assert not fetcher.allows("http://other.example/")


async def test_offline_nobody_is_asked() -> None:
    fetcher = StatusFetcher()
    assert not fetcher.online
    assert await why_not(fetcher, "http://status.example/") == "not_allowed"


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "0.0.0.0"])
async def test_a_name_that_leads_inside_is_not_followed(
    monkeypatch: pytest.MonkeyPatch, server: Plain, inside: str
) -> None:
    """A DNS answer is a stranger's too: the test stands in for the name server, and for nothing of ours."""
    kind = socket.AF_INET6 if ":" in inside else socket.AF_INET
    found = [(kind, socket.SOCK_STREAM, 6, "", (inside, server.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    fetcher = StatusFetcher([f"status.example:{server.port}"], limits=QUICK)
    assert await why_not(fetcher, f"http://status.example:{server.port}/") == "unreachable"
    await fetcher.close()
    assert server.asked == []


async def test_a_name_may_lead_to_an_address_that_is_listed_itself(
    monkeypatch: pytest.MonkeyPatch, server: Plain
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    fetcher = StatusFetcher([f"status.example:{server.port}", "127.0.0.1"], limits=QUICK)
    assert (await fetcher.fetch(question(f"http://status.example:{server.port}/"))).content == b"an answer"
    await fetcher.close()


async def test_no_redirect_is_followed(fetcher: StatusFetcher, server: Plain) -> None:
    server.fault = elsewhere(f"{server.url}/inside")
    assert await why_not(fetcher, f"{server.url}/") == "redirected"
    assert [one.path for one in server.asked] == ["/"]


async def test_giant_slow_failing_and_broken_answers_cost_no_more_than_agreed(
    fetcher: StatusFetcher, server: Plain
) -> None:
    server.fault = giant
    assert await why_not(fetcher, server.url) == "too_large"
    server.fault = lambda _: Answer(b"x" * 1500)
    assert await why_not(fetcher, server.url) == "too_large"
    assert len((await fetcher.fetch(question(server.url, "crl"))).content) == 1500
    server.fault = failing(503)
    assert await why_not(fetcher, server.url) == "status_503"
    server.fault = dropped
    assert await why_not(fetcher, server.url) == "unreachable"
    server.fault, server.trickle = None, 0.5
    assert await why_not(fetcher, server.url) == "slow"
    server.stop()
    assert await why_not(fetcher, server.url) == "unreachable"


@pytest.mark.parametrize(
    ("address", "opened"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("fe80::1%eth0", False),
        ("nonsense", False),
    ],
)
def test_an_address_is_open_by_what_it_stands_for(address: str, opened: bool) -> None:
    assert is_open(address) is opened
