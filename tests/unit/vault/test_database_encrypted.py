"""PostgreSQL over TLS: who vouches for it is asked, and what is wrong with its certificate is said."""

import asyncio
import ipaddress
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import text

from reuse_api.__main__ import run
from reuse_api.serving import listen
from tests.servers.pki import Pki, pem
from tests.servers.postgres import fresh_database
from vault.connecting import connect
from vault.errors import VaultBusy
from vault.rows_address import RowsAddress, check_rows_address

pytestmark = pytest.mark.anyio


_ASKS_FOR_TLS = struct.pack(">ii", 8, 80_877_103)  # SSLRequest (PostgreSQL, protocol 3.0, message formats)


class Encrypting:
    """TLS before the run's PostgreSQL, whose wheel speaks none; its certificate can be exchanged."""

    def __init__(self, pki: Pki, folder: Path) -> None:
        self._pki, self._folder = pki, folder
        self.database, _, sockets = fresh_database().rpartition("@/")[2].partition("?host=")
        self._door = f"{sockets}/.s.PGSQL.5432"
        self._listening = listen("127.0.0.1", 0)
        self.port = self._listening.getsockname()[1]
        self.spoken = 0  # connections, encrypted to their end
        self.certified()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def certified(self, stop: datetime | None = None) -> None:
        """Show from now on a certificate that is good until `stop`."""
        where = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        bare = (x509.BasicConstraints(False, None), True)
        start = stop - timedelta(days=1) if stop else None
        holder = self._pki.issue("127.0.0.1", [bare, (where, False)], start=start, stop=stop)
        secret = holder.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain = (one.public_bytes(Encoding.PEM) for one in (holder.certificate, *holder.above))
        path = self._folder / "server.pem"
        path.write_bytes(secret + b"".join(chain))
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(path)

    def address(self, demanded: str, host: str = "127.0.0.1") -> RowsAddress:
        return RowsAddress(f"postgresql+asyncpg://postgres@{host}:{self.port}/{self.database}?ssl={demanded}")

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._speak, sock=self._listening))
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.1))
        self._loop.close()

    async def _speak(self, caller: asyncio.StreamReader, to_caller: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            assert await caller.readexactly(8) == _ASKS_FOR_TLS
            to_caller.write(b"S")
            await to_caller.start_tls(self._tls)
            rows, to_rows = await asyncio.open_unix_connection(self._door)
            self.spoken += 1
            await asyncio.gather(_pass(caller, to_rows), _pass(rows, to_caller))


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while some := await source.read(65_536):
            target.write(some)
            await target.drain()
    finally:
        target.close()


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki()


@pytest.fixture(scope="module")
def server(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encrypting]:
    started = Encrypting(pki, tmp_path_factory.mktemp("encrypting"))
    yield started
    started.close()


@pytest.fixture
def trusted(pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "authorities.pem"
    file.write_text(pem(pki.roots[0]))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


async def spoken(server: Encrypting, address: RowsAddress) -> bool:
    """Whether we speak to it encrypted."""
    before = server.spoken
    rows = await connect(address, hold="none")
    try:
        async with rows.read() as db:
            assert (await db.execute(text("SELECT 1"))).scalar_one() == 1
    finally:
        await rows.close()
    return server.spoken > before


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("demanded", ["verify-full", "verify-ca"])
async def test_who_is_vouched_for_is_spoken_to(server: Encrypting, demanded: str) -> None:
    assert await spoken(server, server.address(demanded))


async def test_who_nobody_vouches_for_is_not(server: Encrypting) -> None:
    assert await spoken(server, server.address("require")), "which asks for no more than encryption"
    with pytest.raises(VaultBusy, match="database: its certificate is not trusted: self-signed"):
        await spoken(server, server.address("verify-full"))


@pytest.mark.usefixtures("trusted")
async def test_a_certificate_of_another_name_is_not(server: Encrypting) -> None:
    with pytest.raises(VaultBusy, match="certificate is not trusted: Hostname mismatch"):
        await spoken(server, server.address("verify-full", "localhost"))
    assert await spoken(server, server.address("verify-ca", "localhost"))


@pytest.mark.usefixtures("trusted")
def test_one_that_has_expired_is_told_by_the_command_line(
    server: Encrypting, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.certified(datetime.now(UTC) - timedelta(hours=1))
    monkeypatch.setenv("KHO_DATABASE", server.address("verify-full").text)
    try:
        assert run(["inspect"]) == 1
        assert "its certificate is not trusted: certificate has expired" in capsys.readouterr().err
    finally:
        server.certified()


@pytest.mark.parametrize("demanded", ["on", "verify", "VERIFY-FULL", "require&ssl=disable"])
def test_a_demand_that_nobody_knows_is_refused(demanded: str) -> None:
    with pytest.raises(ValueError, match="ssl is one of allow, disable, prefer, require"):
        check_rows_address(f"postgresql+asyncpg://a@b/c?ssl={demanded}")


def test_what_is_demanded_is_asked_of_the_authorities_alone_where_it_says_so() -> None:
    address = RowsAddress("postgresql+asyncpg://a@b/c?ssl=verify-ca")
    context = address.encryption()
    assert context is not None and context.verify_mode is ssl.CERT_REQUIRED and not context.check_hostname
    assert "ssl" not in address.url().query
    assert RowsAddress("postgresql+asyncpg://a@b/c?ssl=require").encryption() is None
    assert RowsAddress("rows.db").encryption() is None
