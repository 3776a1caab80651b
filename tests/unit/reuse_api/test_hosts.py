"""A request under a name that is not ours is refused before anything else: no page, no form, no cookie."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from reuse_api.hosts import OurHosts, hosts_of
from reuse_api.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("listen", "issuer", "ours", "foreign"),
    [
        (
            "127.0.0.1:8080",
            "",
            ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"],
            ["127.0.0.1", "localhost"],
        ),
        ("127.0.0.1:8080", "https://kho.example", ["kho.example", "kho.example:443"], ["kho.example:8080"]),
        (
            "0.0.0.0:80",
            "http://kho.example",
            ["kho.example", "kho.example:80"],
            ["localhost:80", "192.0.2.1"],
        ),
        ("[::1]:9000", "http://kho.example:80", ["kho.example", "localhost:9000"], ["kho.example.evil.test"]),
    ],
)
def test_our_hosts_follow_from_the_settings(
    listen: str, issuer: str, ours: list[str], foreign: list[str]
) -> None:
    found = hosts_of(Settings(listen=listen, issuer=issuer))
    assert set(ours) <= found
    assert not set(foreign) & found


def served(settings: Settings) -> httpx.AsyncClient:
    async def answer(request: Request) -> Response:
        return PlainTextResponse("served")

    app = Starlette(routes=[Route(path, answer) for path in ("/wallet", "/healthz", "/readyz")])
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(OurHosts(app, settings)), base_url="http://127.0.0.1:8080"
    )


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1:8080.evil.example", "127.0.0.1", "", "LOCALHOST"]
)
async def test_another_host_is_refused_with_words(host: str) -> None:
    async with served(Settings()) as client:
        answer = await client.get("/wallet", headers={"Host": host, "Accept-Language": "en"})
    assert (answer.status_code, answer.json()["code"]) == (421, "host_not_ours")
    assert "KHO_ISSUER" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "LocalHost:8080", "[::1]:8080"])
async def test_our_hosts_are_served_however_they_are_written(host: str) -> None:
    async with served(Settings()) as client:
        assert (await client.get("/wallet", headers={"Host": host})).text == "served"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probes_come_by_address(path: str) -> None:
    async with served(Settings()) as client:
        assert (await client.get(path, headers={"Host": "10.0.0.7:8080"})).text == "served"


async def test_two_hosts_are_none() -> None:
    async with served(Settings()) as client:
        answer = await client.get("/wallet", headers=[("Host", "127.0.0.1:8080"), ("Host", "evil.example")])
    assert answer.status_code == 421


async def test_where_the_system_chose_the_port_any_of_this_machine_is_ours() -> None:
    async with served(Settings(listen="127.0.0.1:0")) as client:
        assert (await client.get("/wallet", headers={"Host": "localhost:45123"})).text == "served"
        assert (await client.get("/wallet", headers={"Host": "evil.example:45123"})).status_code == 421
