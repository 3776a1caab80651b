"""A client that leaves in the middle of a stream: the reading ends at once, and the log says what is true."""

import asyncio
import gc
import os
import socket
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pikepdf
import pytest

from reuse_api.demo.people import KINSHIP, POLICE

SIZE = 12 * 2**20  # far more than the buffers of both ends hold


@pytest.fixture(scope="module")
def large() -> bytes:
    """A PDF of many megabytes that cannot be made smaller."""
    made = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.Root.Ballast = pdf.make_stream(os.urandom(SIZE))
        pdf.save(made)
    return made.getvalue()


@pytest.fixture(scope="module")
def record(daughter: httpx.Client, large: bytes) -> str:
    """The daughter's own scan of her birth certificate: an officer may look at it."""
    form = {"file": ("scan.pdf", large, "application/pdf")}
    said = {"title": "Bản quét giấy khai sinh", "type": "GKS"}
    stored = daughter.post(
        "/v1/me/records", files=form, data=said, headers={"Idempotency-Key": "a large scan"}
    )
    assert stored.status_code == 201, stored.text
    return str(stored.json()["record"])


@pytest.fixture
def release(kho: Any, police: httpx.Client, residence: dict[str, Any], record: str) -> str:
    code = kho.new_code(POLICE)
    assert police.put(f"/v1/dossiers/{code}", json=residence).status_code == 200
    body = {"components": [{"component": KINSHIP, "record": record}]}
    headers = {"Idempotency-Key": f"large-{code}"}
    item = police.post(f"/v1/dossiers/{code}/releases", json=body, headers=headers).json()["items"][0]
    assert item["state"] == "released", item
    return str(item["release"])


@pytest.fixture(autouse=True)
def no_sweeping_of_memory() -> Iterator[None]:
    """What is closed is closed by us, and not by the collector that happens to come by."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def leave(kho: Any, path: str, header: str) -> None:
    """Ask for a file, take its beginning, and break the connection off."""
    place = urlsplit(kho.url)
    with socket.socket() as leaving:
        leaving.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        leaving.connect((place.hostname, place.port))
        leaving.sendall(f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\n{header}\r\n\r\n".encode())
        assert leaving.recv(1000).startswith(b"HTTP/1.1 200")
        assert reading(kho), "the server is in the middle of the file"
        leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # reset, no goodbye


def reading(kho: Any) -> list[str]:
    """Give what is being read: requests in hand, and blobs that this process has open in a folder.

    The service runs in a thread of it. Of a bucket nothing is open: each piece is asked for by itself.
    """
    blobs = str(kho.folder / "blobs")
    found = ["a request"] * kho.app.state.traffic.in_hand
    for one in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(one)
        except OSError:
            continue
        if target.startswith(blobs):
            found.append(target)
    return found


def soon(condition: Any) -> bool:
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.02)
    return False


def tasks(kho: Any) -> int:
    async def count() -> int:
        return len(asyncio.all_tasks())

    return int(kho.run(count()))


def test_a_system_that_leaves_is_shown_as_delivered_to_once(
    kho: Any, police: httpx.Client, daughter: httpx.Client, release: str, large: bytes
) -> None:
    bearer = f"Authorization: {police.headers['authorization']}"
    size, before = kho.vault.signer.tree.size, tasks(kho)
    for _ in range(5):
        leave(kho, f"/v1/releases/{release}/content", bearer)
        assert soon(lambda: not reading(kho)), "a descriptor is still open"
    assert soon(lambda: tasks(kho) <= before)
    assert kho.vault.signer.tree.size == size + 1, (
        "one entry, shared for a minute; leaving is no fault of ours"
    )
    seen = daughter.get("/v1/me/accesses").json()["accesses"][0]
    assert (seen["event"], seen["result"]) == ("delivered", "permitted")
    whole = police.get(f"/v1/releases/{release}/content")
    assert (whole.status_code, whole.content) == (200, large)
    assert soon(lambda: not reading(kho)), "a descriptor is still open"


def test_an_owner_who_leaves_left_an_entry_each_time(
    kho: Any, daughter: httpx.Client, record: str, large: bytes
) -> None:
    size = kho.vault.signer.tree.size
    for _ in range(3):
        leave(kho, f"/v1/me/records/{record}/content", f"Cookie: {daughter.headers['cookie']}")
        assert soon(lambda: not reading(kho))
    assert kho.vault.signer.tree.size == size + 3
    assert daughter.get(f"/v1/me/records/{record}/content").content == large
