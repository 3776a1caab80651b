"""Frames and sockets between processes: what is malformed, foreign or misplaced is refused, and said."""

import asyncio
import json
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signing.errors import SealKeyMissing, TimestampFailed
from tests.apart import Told as Journal
from tests.apart import sockets
from vault import remote_gate, tracing, wire, wire_errors
from vault.assertions import TokenRefused, TokenVerifier
from vault.clock import Clock
from vault.errors import (
    GateRefused,
    NotAuthenticated,
    PartAway,
    PartFailed,
    PeerRefused,
    SocketInvalid,
    VaultBusy,
    VaultLocked,
)
from vault.log_folder import LogForked
from vault.signer import LogBehind
from vault.socket_calling import Part
from vault.socket_place import check_socket, users
from vault.socket_serving import Asked, Told, listening

pytestmark = pytest.mark.anyio
STRANGER = 61_009


@pytest.fixture
async def folder() -> AsyncIterator[Path]:
    async with sockets() as made:
        yield made


@pytest.fixture
def journal() -> Journal:
    return Journal()


async def echo(asked: Asked) -> Told:
    trace = tracing.current()
    assert trace is not None
    said = {"said": dict(asked.said), "trace": trace.id, "state": trace.state, "user": asked.user}
    return Told(said | ({"caused_by": trace.parent} if trace.parent else {}))


async def twice(asked: Asked) -> Told:
    assert asked.content is not None
    target = asked.content.with_suffix(".twice")
    target.write_bytes(asked.content.read_bytes() * 2)
    return Told({}, target)


async def fails(asked: Asked) -> Told:
    raise {
        "busy": VaultBusy("the disk"),
        "gate": GateRefused("record: the entry names another one"),
        "behind": LogBehind("3 of 5"),
        "forked": LogForked("entry 7"),
        "session": NotAuthenticated("session_ended"),
        "token": TokenRefused("token_expired", "exp has passed"),
        "stamps": TimestampFailed("nobody", reason="busy"),
        "key": SealKeyMissing("no seal key is registered for agency H26"),
        "ours": KeyError("a name that nobody should hear"),
    }[str(asked.said["as"])]


CALLS = {"echo": echo, "twice": twice, "fails": fails}


@asynccontextmanager
async def served(folder: Path, journal: Journal, **changes: Any) -> AsyncIterator[Part]:
    said = {"peers": users(""), "journal": journal, "scratch": folder} | changes
    async with listening(folder / "socket", CALLS, **said):
        part = Part("gate", folder / "socket")
        yield part
        await part.close()


async def test_what_is_said_arrives_with_its_trace_and_its_user(folder: Path, journal: Journal) -> None:
    async with served(folder, journal) as part:
        came = tracing.from_headers(["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"], ["a=b"])
        with tracing.under(came):
            told = await part.ask("echo", {"name": "Nguyễn", "many": [1, {"deep": True}]})
        assert told["said"] == {"name": "Nguyễn", "many": [1, {"deep": True}]}
        assert told["user"] == os.geteuid()
        assert (told["trace"], told["caused_by"], told["state"]) == (came.id, came.span, "a=b")
        assert "caused_by" not in await part.ask("echo", {})
    assert journal.lines == []


async def test_files_go_and_come_back_whole(folder: Path, journal: Journal, tmp_path: Path) -> None:
    content = os.urandom(5 * 2**20 + 17)
    (tmp_path / "content").write_bytes(content)
    async with served(folder, journal) as part:
        asked = {"content": tmp_path / "content", "target": tmp_path / "target"}
        await asyncio.gather(*(part.ask("twice", {}, **asked) for _ in range(3)))
    assert (tmp_path / "target").read_bytes() == content * 2
    assert [one.name for one in folder.iterdir() if not one.name.endswith(".lock")] == []
    assert sorted(one.name for one in tmp_path.iterdir()) == ["content", "target"]


@pytest.mark.parametrize(
    ("name", "kind", "holds"),
    [
        ("busy", VaultBusy, {"detail": "the disk"}),
        ("gate", GateRefused, {"detail": "record: the entry names another one"}),
        ("behind", LogBehind, {"detail": "3 of 5"}),
        ("forked", LogForked, {"detail": "entry 7"}),
        ("session", NotAuthenticated, {"code": "session_ended"}),
        ("token", TokenRefused, {"code": "token_expired", "detail": "exp has passed"}),
        ("stamps", TimestampFailed, {"reason": "busy", "retryable": True}),
        ("key", SealKeyMissing, {"code": "seal_key_missing"}),
    ],
)
async def test_errors_travel_as_what_they_are(
    folder: Path, journal: Journal, name: str, kind: type[Exception], holds: dict[str, Any]
) -> None:
    async with served(folder, journal) as part:
        with pytest.raises(kind) as caught:
            await part.ask("fails", {"as": name})
        assert type(caught.value) is kind
        assert {one: getattr(caught.value, one) for one in holds} == holds
        assert await part.ask("echo", {}), "the connection is as good as before"


async def test_an_error_of_its_own_is_written_down_there_and_its_words_stay_there(
    folder: Path, journal: Journal
) -> None:
    async with served(folder, journal) as part:
        with pytest.raises(PartFailed) as caught:
            await part.ask("fails", {"as": "ours"})
    assert "nobody should hear" not in str(caught.value)
    assert [event for event, _ in journal.lines] == ["call_failed"]


def test_no_error_is_made_of_what_is_no_name_on_the_list() -> None:
    for said in (None, [], {"kind": "SystemExit"}, {"kind": "KeyError"}, {"kind": 1}, {"detail": "x"}):
        assert type(wire_errors.read(said)) is PartFailed


def header(**said: Any) -> bytes:
    text = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    return struct.pack(">II", len(text), 0) + text


GOOD = {"v": 1, "id": "1", "call": "echo", "said": {}}
MALFORMED = {
    "not our protocol": b"GET / HTTP/1.1\r\nHost: kho\r\n\r\n",
    "random bytes": bytes(range(256)) * 4,
    "a header that is too long": struct.pack(">II", wire.HEADER_MAX + 1, 0),
    "a header of no length": struct.pack(">II", 0, 5) + b"hello",
    "no JSON": struct.pack(">II", 4, 0) + b"{{{{",
    "no object": struct.pack(">II", 2, 0) + b"[]",
    "a name twice": struct.pack(">II", 11, 0) + b'{"v":1,"v":1}'[:11],
    "other spacing": struct.pack(">II", 8, 0) + b'{"v": 1}',
    "another version": header(**(GOOD | {"v": 2})),
    "a call that there is not": header(**(GOOD | {"call": "open_everything"})),
    "nothing said": header(v=1, id="1", call="echo"),
    "a size that is no number": header(**(GOOD | {"size": "many"})),
    "a size beyond all": header(**(GOOD | {"size": wire.CONTENT_MAX + 1})),
    "content in a frame that is too long": header(**(GOOD | {"size": 2**21}))
    + struct.pack(">II", 0, wire.RAW_MAX + 1),
    "more content than was said": header(**(GOOD | {"size": 4})) + struct.pack(">II", 0, 5) + b"hello",
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_what_is_no_frame_ends_the_connection_and_is_written_down(
    folder: Path, journal: Journal, name: str
) -> None:
    async with served(folder, journal) as part:
        reader, writer = await asyncio.open_unix_connection(str(folder / "socket"))
        writer.write(MALFORMED[name])
        await writer.drain()
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
        assert [event for event, _ in journal.lines] == ["frame_refused"], journal.lines
        assert await part.ask("echo", {}), "the others do not notice"
    assert not [one for one in folder.iterdir() if one.suffix == ".part"]


async def test_a_frame_that_is_cut_leaves_nothing(folder: Path, journal: Journal) -> None:
    async with served(folder, journal):
        _, writer = await asyncio.open_unix_connection(str(folder / "socket"))
        writer.write(
            header(**(GOOD | {"call": "twice", "size": 100})) + struct.pack(">II", 0, 50) + bytes(20)
        )
        await writer.drain()
        writer.close()
        async with asyncio.timeout(10):
            while not journal.lines:
                await asyncio.sleep(0.01)
    assert [event for event, _ in journal.lines] == ["frame_refused"]
    assert not [one for one in folder.iterdir() if one.suffix == ".part"]


async def test_no_file_is_taken_where_none_is_wanted(folder: Path, journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "content").write_bytes(b"x")
    async with served(folder, journal, scratch=None) as part:
        with pytest.raises(PartAway):
            await part.ask("echo", {}, content=tmp_path / "content")
    assert [event for event, _ in journal.lines] == ["frame_refused"]


async def test_another_user_is_told_no_and_written_down(folder: Path, journal: Journal) -> None:
    async with served(folder, journal, peers={os.geteuid() + 1}) as part:
        with pytest.raises(PeerRefused, match="KHO_PEERS"):
            await part.ask("echo", {})
    assert journal.lines == [("peer_refused", {"user": os.geteuid()})]


async def test_a_socket_is_ours_alone_unless_others_may_ask(folder: Path, journal: Journal) -> None:
    async with served(folder, journal):
        assert (folder / "socket").stat().st_mode & 0o777 == 0o600
    async with served(folder, journal, peers={os.geteuid(), 61001}):
        assert (folder / "socket").stat().st_mode & 0o777 == 0o660
    assert not (folder / "socket").exists()


async def test_one_process_listens_at_one_place(folder: Path, journal: Journal) -> None:
    async with served(folder, journal) as part:
        with pytest.raises(VaultLocked):
            async with served(folder, journal):
                pass
        assert await part.ask("echo", {})


async def test_what_a_killed_process_left_is_replaced(folder: Path, journal: Journal) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(folder / "socket"))
    left.close()
    async with served(folder, journal) as part:
        assert await part.ask("echo", {})


async def test_a_file_that_is_no_socket_stays_what_it_is(folder: Path, journal: Journal) -> None:
    (folder / "socket").write_text("mine")
    with pytest.raises(SocketInvalid, match="no socket"):
        async with served(folder, journal):
            pass
    assert (folder / "socket").read_text() == "mine"
    with pytest.raises(SocketInvalid, match="no socket"):
        await Part("gate", folder / "socket").wait("echo", 0)


async def test_a_folder_that_everybody_may_write_to_is_no_place(folder: Path, journal: Journal) -> None:
    folder.chmod(0o777)
    with pytest.raises(SocketInvalid, match="everybody"):
        async with served(folder, journal):
            pass
    with pytest.raises(SocketInvalid, match="everybody"):
        await Part("gate", folder / "socket").wait("echo", 0)


async def test_a_folder_that_a_group_may_write_to_is_no_place(folder: Path, journal: Journal) -> None:
    """Though it is our own group: all that ask are in it."""
    async with served(folder, journal) as part:
        folder.chmod(0o2770)
        with pytest.raises(PartFailed, match="a group may write"):
            await part.ask("echo", {})
    with pytest.raises(SocketInvalid, match="a group may write"):
        async with served(folder, journal):
            pass


async def test_a_folder_in_one_that_everybody_may_write_to_is_no_place(
    folder: Path, journal: Journal
) -> None:
    (folder / "in").mkdir(mode=0o755)
    folder.chmod(0o777)
    with pytest.raises(SocketInvalid, match="put another folder there"):
        async with served(folder / "in", journal):
            pass
    folder.chmod(0o1777)
    async with served(folder / "in", journal) as part:
        assert await part.ask("echo", {})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
async def test_a_folder_of_somebody_else_is_no_place(folder: Path, journal: Journal) -> None:
    """Whoever owns it could put a socket of their own there; root may have made it."""
    folder.chmod(0o755)
    async with served(folder, journal) as part:
        os.chown(folder, STRANGER, STRANGER)
        with pytest.raises(PartFailed, match=f"belongs to user {STRANGER}, but user 0 listens there"):
            await part.ask("echo", {})
        os.chown(folder, 0, 0)
        assert await part.ask("echo", {})
    os.chown(folder, STRANGER, STRANGER)
    with pytest.raises(SocketInvalid, match=f"belongs to user {STRANGER}"):
        async with served(folder, journal):
            pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root connects as somebody else")
async def test_one_user_does_not_take_all_connections(folder: Path, journal: Journal) -> None:
    """Half of them are left to others, and each that ends makes room."""
    folder.chmod(0o755)
    async with served(folder, journal, peers={0, STRANGER}) as part:
        held = [await asyncio.open_unix_connection(str(folder / "socket")) for _ in range(128)]
        with pytest.raises(PartAway):
            await part.ask("echo", {})
        assert ("connections_exhausted", {"user": os.geteuid()}) in journal.lines
        os.seteuid(STRANGER)
        try:
            assert (await part.ask("echo", {}))["user"] == STRANGER
        finally:
            os.seteuid(0)
        await part.close()
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        while True:
            try:
                assert await part.ask("echo", {})
                return
            except PartAway:
                await asyncio.sleep(0.01)


async def test_a_part_that_is_away_is_asked_again_by_itself(folder: Path, journal: Journal) -> None:
    part = Part("gate", folder / "socket")
    with pytest.raises(PartAway, match="the gate does not answer"):
        await part.ask("echo", {})
    for _ in range(2):
        async with listening(folder / "socket", CALLS, peers=users(""), journal=journal):
            assert await part.ask("echo", {})
        with pytest.raises(PartAway):
            await part.ask("echo", {})
    await part.close()


@pytest.mark.parametrize("call", ["check_session", "check_person", "check_staff", "exchange", "ready"])
async def test_a_gate_that_hangs_is_given_up_shortly(
    call: str, folder: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending = asyncio.Event()

    async def hangs(_asked: Asked) -> Told:
        await ending.wait()
        return Told({})

    names = ("check_session", "check_person", "check_staff", "exchange", "hello")
    monkeypatch.setattr(remote_gate, "SHORTLY", 0.05)
    async with listening(folder / "socket", dict.fromkeys(names, hangs), peers=users(""), journal=journal):
        keys = TokenVerifier(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
        gate = remote_gate.RemoteGate(Part("gate", folder / "socket"), keys, "https://kho.example", Clock())
        said = {"ready": (), "exchange": ("of a system", None)}.get(call, ("a secret",))
        with pytest.raises(PartAway, match=r"the gate at .* broke off"):
            async with asyncio.timeout(20):  # less than what any other call may take
                await getattr(gate, call)(*said)
        ending.set()
        await gate.close()


async def test_a_call_that_is_broken_off_answers_nobody_else(folder: Path, journal: Journal) -> None:
    begun = asyncio.Event()

    async def slow(asked: Asked) -> Told:
        begun.set()
        await asyncio.sleep(0.05)
        return Told({"of": "the slow one"})

    async with listening(folder / "socket", CALLS | {"slow": slow}, peers=users(""), journal=journal):
        part = Part("gate", folder / "socket")
        asking = asyncio.create_task(part.ask("slow", {}))
        await begun.wait()
        asking.cancel()
        assert "said" in await part.ask("echo", {})
        await part.close()


def test_addresses_and_users_that_cannot_be_are_said() -> None:
    assert check_socket("unix:/run/kho/gate/socket")
    for wrong in ("", "unix:", "tcp:1", "/run/x", f"unix:/{'x' * 100}"):
        with pytest.raises(ValueError):
            check_socket(wrong)
    assert users("") == {os.geteuid()}
    assert users("root, 61001") == {0, 61001}
    with pytest.raises(ValueError, match="no user"):
        users("nobody-of-that-name")
