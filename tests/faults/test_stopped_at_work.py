"""`kho serve` is told to stop at work: what is in flight is finished, and nothing is half done."""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from sqlalchemy import func, select

from reuse_api.callers import SESSION_COOKIE, cookie_at
from reuse_api.demo import people
from tests.conftest import ISSUER, House
from vault import authenticating, deposit
from vault.assertions import CLIENT_TYPE, OFFICER_TYPE
from vault.inspecting import inspect
from vault.registering import register_owner
from vault.tables import record

pytestmark = pytest.mark.anyio
ROWS = ("sqlite", "postgresql")
KHO = Path(sys.executable).with_name("kho")
_SIZE = 12 * 2**20  # bytes, far more than the buffers of both ends hold


def large() -> bytes:
    made = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.Root.Ballast = pdf.make_stream(os.urandom(_SIZE))
        pdf.save(made)
    return made.getvalue()


@dataclass
class Stage:
    """What is in the vault, and who may ask."""

    content: bytes
    release: str
    code: str  # a dossier of the commune's
    tokens: dict[str, str]
    cookie: str
    records: int


@pytest.fixture
async def stage(open_house: Any, tmp_path: Path) -> Stage:
    """A large scan of the daughter, released to the police; a dossier of the commune without a result."""
    content = large()
    (tmp_path / "large.pdf").write_bytes(content)
    async with open_house() as house:
        police, commune = await house.system(people.POLICE), await house.system(people.COMMUNE)
        said = {"title": "Bản quét", "type": "GKS", "declared_type": "application/pdf", "key": "large"}
        owner = await house.owner(people.DAUGHTER)
        stored = await deposit.upload(house.vault, owner, tmp_path / "large.pdf", **said)
        code = await house.opens(police, people.POLICE, house.residence())
        release = await house.releases(police, code, stored["record"])
        ours = await house.opens(commune, people.COMMUNE, house.reregistration())
        tokens = {office.system: await token(house, office) for office in (people.POLICE, people.COMMUNE)}
        return Stage(content, release, ours, tokens, await cookie(house), await count(house))


async def token(house: House, office: Any) -> str:
    told = await authenticating.exchange(
        house.vault,
        client_assertion=house.assertion(office, CLIENT_TYPE, office.system),
        officer_assertion=house.assertion(office, OFFICER_TYPE, office.officer),
    )
    return told.token


async def cookie(house: House) -> str:
    who = {"scheme": "personal_number", "value": people.DAUGHTER.number, "name": people.DAUGHTER.name}
    owner = await register_owner(house.vault, born_on=None, checked_by=people.COMMUNE.code, **who)
    secret = await authenticating.redeem_code(
        house.vault, await authenticating.new_sign_in_code(house.vault, owner)
    )
    return f"{cookie_at(ISSUER, SESSION_COOKIE)}={secret}"


async def count(house: House) -> int:
    return int((await house.rows(select(func.count()).select_from(record)))[0][0])


@dataclass
class Served:
    """A `kho` of its own."""

    process: "subprocess.Popen[str]"
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {"KHO_ISSUER": ISSUER, "KHO_LISTEN": f"127.0.0.1:{port}", "KHO_OCR": "off"}
    env = os.environ | places | {"KHO_SEARCH": f"tantivy:{folder / 'index'}"}
    with subprocess.Popen([KHO, "serve"], env=env, stderr=subprocess.PIPE, text=True) as process:
        try:
            heard(process, "serving")
            yield Served(process, port)
        finally:
            process.kill()


def heard(process: "subprocess.Popen[str]", event: str) -> None:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if json.loads(line)["event"] == event:
            return
    raise AssertionError("".join(said))


def uploading(served: Served, stage: Stage, content: bytes) -> tuple[socket.socket, bytes]:
    """Send half of an upload; gives the connection and the other half."""
    fields = (("title", b"Giay to"), ("file", content))
    names = {"file": 'name="file"; filename="a.pdf"\r\nContent-Type: application/pdf'}
    parts = [
        b"--half\r\nContent-Disposition: form-data; "
        + names.get(name, f'name="{name}"').encode()
        + b"\r\n\r\n"
        + value
        + b"\r\n"
        for name, value in fields
    ]
    body = b"".join(parts) + b"--half--\r\n"
    head = (
        f"POST /v1/me/records HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nCookie: {stage.cookie}\r\n"
        f"Idempotency-Key: half\r\nContent-Type: multipart/form-data; boundary=half\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", served.port))
    connection.sendall(head.encode() + body[: len(body) // 2])
    return connection, body[len(body) // 2 :]


def reading(served: Served, stage: Stage) -> tuple[socket.socket, bytes]:
    """Ask for the large file and take its beginning."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", served.port))
    bearer = stage.tokens[people.POLICE.system]
    asked = f"GET /v1/releases/{stage.release}/content HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
    connection.sendall(f"{asked}Authorization: Bearer {bearer}\r\n\r\n".encode())
    first = connection.recv(2000)
    assert first.startswith(b"HTTP/1.1 200"), first
    return connection, first


def rest(connection: socket.socket, first: bytes = b"") -> bytes:
    pieces = [first]
    while piece := connection.recv(1 << 16):
        pieces.append(piece)
    connection.close()
    return b"".join(pieces)


def handing_in(served: Served, stage: Stage) -> socket.socket:
    """Hand in a result, all of it; it is sealed while the server stops."""
    fields = people.certificate("91/2026", "2026-11-20", birth_place="Hà Nội")
    result = {"type": people.RECORD_TYPE, "owner_roles": ["applicant"], "fields": fields}
    body = json.dumps(result).encode()
    head = (
        f"POST /v1/dossiers/{stage.code}/results HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
        f"Authorization: Bearer {stage.tokens[people.COMMUNE.system]}\r\nIdempotency-Key: result\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", served.port))
    connection.sendall(head.encode() + body)
    return connection


def refused(port: int) -> bool:
    with socket.socket() as knocking:
        return knocking.connect_ex(("127.0.0.1", port)) != 0


def soon(condition: Any) -> bool:
    for _ in range(400):
        if condition():
            return True
        time.sleep(0.05)
    return False


async def test_what_is_in_flight_is_finished(
    vault_settings: Path, stage: Stage, open_house: Any, pdf: Any
) -> None:
    with serving(vault_settings) as served:
        slow, half = uploading(served, stage, pdf("half").read_bytes())
        depositing = handing_in(served, stage)
        taking, first = reading(served, stage)  # which is answered: the others were let in before
        served.process.send_signal(signal.SIGTERM)
        assert soon(lambda: refused(served.port)), "nobody new is let in"
        assert served.process.poll() is None
        slow.sendall(half)
        answered = rest(slow)
        assert answered.startswith(b"HTTP/1.1 201"), answered[:2000]
        whole = rest(taking, first).partition(b"\r\n\r\n")[2]
        assert hashlib.sha256(whole).digest() == hashlib.sha256(stage.content).digest()
        deposited = rest(depositing)
        assert deposited.startswith(b"HTTP/1.1 201"), deposited
        assert served.process.wait(60) == 0
    async with open_house() as house:
        assert await count(house) == stage.records + 2
        (named,) = re.findall(rb'"record": ?"([^"]+)"', answered)
        assert await house.rows(select(record.c.id).where(record.c.id == named.decode()))
        found = await inspect(house.places)
        assert found.sound, found.findings
        assert found.findings == ()


async def test_who_never_goes_on_is_not_waited_for_and_leaves_nothing(
    vault_settings: Path, stage: Stage, open_house: Any, pdf: Any
) -> None:
    with serving(vault_settings) as served:
        slow, _ = uploading(served, stage, pdf("half").read_bytes())
        taking, _ = reading(served, stage)
        served.process.send_signal(signal.SIGTERM)
        assert soon(lambda: refused(served.port))
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(100) == 0
        slow.close()
        taking.close()
    async with open_house() as house:
        assert await count(house) == stage.records
        found = await inspect(house.places)
        assert found.sound, found.findings
        assert found.findings == ()
        assert [one.name for one in house.vault.scratch.iterdir() if one.is_file()] == []
