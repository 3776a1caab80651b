"""`kho health`: a process that answers is well; one that is away, or was not told where it is, is not."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from reuse_api.__main__ import run
from tests.apart import Told
from tests.servers.loopback import Answer, Asked, LoopbackServer, free_ports
from vault.socket_place import users
from vault.socket_serving import Asked as Call
from vault.socket_serving import Told as Said
from vault.socket_serving import listening


class Healthy(LoopbackServer):
    """Answers as a served vault does."""

    def answer(self, asked: Asked) -> Answer:
        return Answer(b"{}", status=200 if asked.path in ("/healthz", "/metrics") else 404)


@pytest.fixture
def place() -> Iterator[Path]:
    with TemporaryDirectory(prefix="kho-") as folder:  # a socket's path is short
        yield Path(folder) / "socket"


@pytest.fixture
def part(place: Path) -> Iterator[None]:
    """Somebody who says hello there."""
    there, ending = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def hello(_asked: Call) -> Said:
        return Said({})

    async def serve() -> None:
        async with listening(place, {"hello": hello}, peers=users(""), journal=Told()):
            there.set()
            await ending.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert there.wait(20)
    yield
    loop.call_soon_threadsafe(ending.set)
    thread.join()
    loop.close()


@pytest.mark.parametrize(("name", "setting"), [("sign", "SIGNER"), ("gate", "GATE"), ("seal", "SEALER")])
def test_a_part_is_asked_at_its_socket(
    name: str, setting: str, place: Path, part: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"KHO_{setting}", f"unix:{place}")
    assert run(["health", name]) == 0
    monkeypatch.setenv(f"KHO_{setting}", f"unix:{place}-of-nobody")
    assert run(["health", name]) == 1


@pytest.mark.parametrize(("name", "setting"), [("serve", "LISTEN"), ("work", "METRICS_LISTEN")])
def test_one_that_listens_is_asked_over_http(
    name: str, setting: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Healthy() as server:
        monkeypatch.setenv(f"KHO_{setting}", f"127.0.0.1:{server.port}")
        assert run(["health", name, "--lang", "en"]) == 0
        assert f"{name} answers" in capsys.readouterr().out
        server.fault = lambda _asked: Answer(b"", status=503)
        assert run(["health", name, "--lang", "en"]) == 1
        assert "503" in capsys.readouterr().err
    monkeypatch.setenv(f"KHO_{setting}", f"127.0.0.1:{free_ports(1)[0]}")
    assert run(["health", name]) == 1


@pytest.mark.parametrize("name", ["sign", "gate", "seal", "work"])
def test_one_that_was_told_no_place_cannot_be_asked(name: str) -> None:
    assert run(["health", name]) == 64
