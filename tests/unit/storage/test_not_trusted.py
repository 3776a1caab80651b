"""A server whose certificate is no good is told apart from one that is away."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from search.errors import IndexNotTrusted
from search.opening import open_index
from signing.exchange import Limits, NoAnswer, Question, ask
from storage.errors import StoreNotTrusted
from storage.opening import open_store
from storage.s3_address import StoreAccess
from tests.servers.pki import Pki, pem, serving

pytestmark = pytest.mark.anyio


class Quiet(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki()


@pytest.fixture(params=["expired", "unknown"])
def server(
    request: pytest.FixtureRequest, pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[int, str, Path]]:
    """One that nobody should believe; gives its port, what is wrong with it, and whom we trust."""
    expired = request.param == "expired"
    stop = datetime.now(UTC) - timedelta(hours=1) if expired else None
    tls = serving(tmp_path / "server.pem", pki, stop)
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(pem((pki if expired else Pki()).roots[0]))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    listening.handle_error = lambda *_: None  # type: ignore[method-assign] - callers hang up, as they should
    listening.socket = tls.wrap_socket(listening.socket, server_side=True)
    running = threading.Thread(target=listening.serve_forever)
    running.start()
    wrong = "certificate has expired" if expired else "self-signed certificate in certificate chain"
    yield listening.server_port, wrong, trusted
    listening.shutdown()
    running.join()
    listening.server_close()


def test_a_store_is_refused_at_the_start(server: tuple[int, str, Path], tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("an-access-key\na-secret-key\n")
    keys.chmod(0o600)
    port, wrong, _ = server
    with pytest.raises(StoreNotTrusted, match=wrong) as refused:
        open_store(f"s3+https://127.0.0.1:{port}/bucket", StoreAccess(keys))
    assert "key" not in str(refused.value).replace("keys", "")


async def test_a_search_server_says_why_it_is_away(server: tuple[int, str, Path]) -> None:
    port, wrong, _ = server
    index = open_index(f"https://kho:hush-hush@127.0.0.1:{port}/papers")
    with pytest.raises(IndexNotTrusted, match=wrong) as refused:
        await index.ready()
    assert "hush" not in str(refused.value)
    await index.close()


async def test_who_is_asked_over_http_too(server: tuple[int, str, Path]) -> None:
    port, _, trusted = server
    with pytest.raises(NoAnswer) as none:
        await ask(Question(f"https://127.0.0.1:{port}/", b"", authorities=trusted), Limits())
    assert none.value.reason == "not_trusted" and none.value.passing and not none.value.sent
