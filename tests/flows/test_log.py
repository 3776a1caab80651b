"""The published log is there for anybody, and nothing but the log is."""

import time
from typing import Any

import httpx
import pytest

from reuse_api.demo.people import POLICE
from signing.checkpoint import LogVerifier
from signing.log_check import verify_log
from signing.receipt import outcome_of


@pytest.fixture
def anybody(kho: Any) -> Any:
    with kho.client() as client:
        yield client


def head(client: httpx.Client) -> Any:
    line = client.get("/log/key").text.strip()
    return LogVerifier.from_line(line).open_checkpoint(client.get("/log/checkpoint").text)


def test_the_log_is_published_and_checks_over_http(
    kho: Any, anybody: httpx.Client, police: httpx.Client, residence: dict[str, Any]
) -> None:
    from_before = head(anybody).size
    size = kho.vault.signer.tree.size
    assert police.put(f"/v1/dossiers/{kho.new_code(POLICE)}", json=residence).status_code == 200
    grown = kho.vault.signer.tree.size
    assert grown > size >= from_before
    while head(anybody).size < grown:  # published once a second; the time limit of the test ends the waiting
        time.sleep(0.1)

    def fetch(path: str) -> bytes:
        reply = anybody.get(f"/log/{path}")
        if reply.status_code == 404:
            raise FileNotFoundError(path)
        return reply.content

    steps = verify_log(fetch, anybody.get("/log/key").text.strip())
    assert outcome_of(steps) == "valid", steps


def test_what_changes_is_asked_again_and_what_does_not_is_kept(kho: Any, anybody: httpx.Client) -> None:
    checkpoint = anybody.get("/log/checkpoint")
    assert checkpoint.headers["cache-control"] == "no-cache"
    assert checkpoint.headers["content-type"].startswith("text/plain")
    assert anybody.get("/log/key").headers["cache-control"] == "no-cache"
    full, width = divmod(head(anybody).size, 256)
    last = f"{full:03}.p/{width}" if width else f"{full - 1:03}"
    tile = anybody.get(f"/log/tile/0/{last}")
    assert tile.status_code == 200
    assert "immutable" in tile.headers["cache-control"]
    assert tile.headers["content-type"] == "application/octet-stream"
    assert tile.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/999",
        "tile/63/000",
        "tile/64/000",
        "tile/0/0",
        "tile/0/x000/001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p",
        "tile/0/%2e%2e/%2e%2e/checkpoint",
        "tile/..%2f..%2frows.db",
        "tile/%2e%2e/%2e%2e/rows.db",
        "tile//etc/passwd",
        "tile/0/000%00",
        "tile/",
        ".writing",
        "nothing",
    ],
)
def test_nothing_else_is_there(anybody: httpx.Client, path: str) -> None:
    reply = anybody.get(f"/log/{path}")
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")
