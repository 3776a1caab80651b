"""A bucket on a real server: who is let in, what others put there, what is locked, and a server that dies."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from minio import Minio
from minio.commonconfig import ENABLED, Filter
from minio.lifecycleconfig import AbortIncompleteMultipartUpload, LifecycleConfig, Rule

from storage.errors import (
    AddressUnsupported,
    BlobMissing,
    BucketMissing,
    CredentialsUnusable,
    StoreCannotLock,
    StoreRefused,
    StoreUnavailable,
)
from storage.opening import check_address, open_store
from storage.s3 import PART, S3Store
from storage.s3_address import StoreAccess
from tests.servers import seaweed
from tests.servers.s3_relay import Relay, asking, relay_to

pytestmark = pytest.mark.anyio


def client(address: str, access: StoreAccess) -> tuple[Minio, str, str]:
    """Look at a place behind the store's back: client, bucket, prefix."""
    host, bucket, prefix = address.removeprefix("s3+http://").split("/")
    assert access.credentials is not None
    return seaweed.client_of(host, *access.credentials.read_text().split()), bucket, f"{prefix}/"


def store_at(address: str, access: StoreAccess) -> S3Store:
    store = open_store(address, access)
    assert isinstance(store, S3Store)
    return store


async def listed(store: S3Store) -> dict[str, int]:
    return {key: size async for key, size in store.keys()}  # noqa: SIM118 - no mapping


@pytest.mark.parametrize(
    "address",
    [
        "s3+https://user:secret@host/bucket",
        "s3+https://host",
        "s3+https://host/Bucket",
        "s3+https://host/bucket?x=secret",
        "s3+https://host/bucket/../up",
        "s3+https://host:99999999/bucket",
        "s3+https://[::/bucket",
        "s3+http://store.example/bucket",
        "s3://host/bucket",
    ],
)
def test_an_address_that_cannot_be_meant_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(AddressUnsupported) as refused:
        check_address(address)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "one", "one two three", "đơn đơn"])
def test_credentials_are_two_lines(tmp_path: Path, text: str) -> None:
    path = tmp_path / "credentials"
    path.touch(mode=0o600)
    path.write_text(text)
    with pytest.raises(CredentialsUnusable):
        open_store("s3+http://127.0.0.1:1/bucket", StoreAccess(path))


def test_credentials_that_others_can_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text("one\ntwo\n")
    path.chmod(0o640)
    with pytest.raises(CredentialsUnusable, match="chmod 600"):
        open_store("s3+http://127.0.0.1:1/bucket", StoreAccess(path))
    with pytest.raises(CredentialsUnusable):
        open_store("s3+http://127.0.0.1:1/bucket", StoreAccess(tmp_path / "none"))
    with pytest.raises(CredentialsUnusable):
        open_store("s3+http://127.0.0.1:1/bucket")


@pytest.mark.parametrize("wrong", [0, 1])
def test_wrong_credentials_are_told_at_the_start_without_them(tmp_path: Path, wrong: int) -> None:
    address, access = seaweed.fresh_store(tmp_path)
    assert access.credentials is not None
    keys = access.credentials.read_text().split()
    keys[wrong] = "wrongwrongwrong"
    access.credentials.write_text("\n".join(keys))
    with pytest.raises(StoreRefused) as refused:
        open_store(address, access)
    assert not any(key in str(refused.value) for key in keys)


def test_a_missing_bucket_is_told_at_the_start_and_not_made(tmp_path: Path) -> None:
    address, access = seaweed.fresh_store(tmp_path)
    host = address.split("/")[2]
    with pytest.raises(BucketMissing, match="no-such-bucket"):
        open_store(f"s3+http://{host}/no-such-bucket", access)
    assert not client(address, access)[0].bucket_exists("no-such-bucket")


async def test_a_server_that_is_not_there_is_told_whenever_it_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.touch(mode=0o600)
    path.write_text("one\ntwo\n")
    store = store_at("s3+http://127.0.0.1:1/bucket", StoreAccess(path))
    assert store.told()["versioning"] == "unknown"
    for attempt in (store.ready(), store.put("aa", path), store.delete("aa"), store.age("aa")):
        with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1/bucket"):
            await attempt
    await store.close()


async def test_what_others_put_into_the_bucket_is_not_ours(tmp_path: Path) -> None:
    address, access = seaweed.fresh_store(tmp_path)
    store = store_at(address, access)
    source = tmp_path / "source"
    source.write_bytes(b"ours")
    await store.put("ab12/file", source)
    there, bucket, prefix = client(address, access)
    (ours,) = [str(one.object_name) for one in there.list_objects(bucket, prefix, recursive=True)]
    shard, name = ours.removeprefix(prefix).split("/")
    other = "00" if shard != "00" else "01"
    foreign = [
        f"{shard}/{name.upper()}",
        f"{shard}/đơn",
        f"{shard}/don",
        f"{other}/{name}",
        "readme.txt",
        name,
    ]
    for one in foreign:
        there.put_object(bucket, prefix + one, BytesIO(b"foreign"), 7)
    assert await listed(store) == {"ab12/file": 4}
    async with await store.open("ab12/file") as reader:
        assert await reader.read_at(0, 10) == b"ours"
    await store.delete("ab12/file")
    left = [str(one.object_name) for one in there.list_objects(bucket, prefix, recursive=True)]
    assert sorted(left) == sorted(prefix + one for one in foreign)
    await store.close()


async def test_a_large_file_goes_in_parts_and_is_read_in_stretches(tmp_path: Path) -> None:
    address, access = seaweed.fresh_store(tmp_path)
    store = store_at(address, access)
    source = tmp_path / "source"
    content = os.urandom(2 * PART + 12_345)
    source.write_bytes(content)
    await store.put("aa", source)
    await store.put("aa", source)
    assert await listed(store) == {"aa": len(content)}
    there, bucket, prefix = client(address, access)
    (ours,) = there.list_objects(bucket, prefix, recursive=True)
    assert str(ours.etag).strip('"').endswith("-3"), "three parts"
    async with await store.open("aa") as reader:
        step = 64 * 1024
        pieces = [await reader.read_at(at, step) for at in range(0, len(content), step)]
        assert b"".join(pieces) == content
        assert await reader.read_at(PART - 1, 2) == content[PART - 1 : PART + 1]
    await store.close()


async def test_locked_blobs_outlive_their_deletion_on_the_server(tmp_path: Path) -> None:
    address, access = seaweed.fresh_store(tmp_path, lock=True)
    store = store_at(address, replace(access, lock_days=1))
    told = {"kind": "s3", "encrypted": "no", "versioning": "on", "object_lock": "on", "lock_days": 1}
    assert store.told() == told
    source = tmp_path / "source"
    source.write_bytes(b"locked")
    await store.put("aa", source)
    there, bucket, prefix = client(address, access)
    (ours,) = there.list_objects(bucket, prefix, recursive=True, include_version=True)
    held = there.get_object_retention(bucket, str(ours.object_name), version_id=ours.version_id)
    assert held is not None
    assert held.mode == "COMPLIANCE"
    await store.ready()
    await store.delete("aa")
    with pytest.raises(BlobMissing):
        await store.open("aa")
    assert await listed(store) == {}
    kept = there.get_object(bucket, str(ours.object_name), version_id=ours.version_id)
    assert kept.read() == b"locked"
    kept.close()
    kept.release_conn()
    await store.close()


async def test_without_a_lock_no_version_is_left(tmp_path: Path) -> None:
    address, access = seaweed.fresh_store(tmp_path, lock=True)
    store = store_at(address, access)
    assert store.told()["object_lock"] == "offered"
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    await store.put("aa", source)
    await store.put("aa/bb", source)
    await store.ready()
    await store.delete("aa")
    there, bucket, prefix = client(address, access)
    left = list(there.list_objects(bucket, prefix, recursive=True, include_version=True))
    assert [str(one.object_name).rpartition("/")[2] for one in left] == ["aa.bb"]
    await store.close()


def test_a_lock_that_the_bucket_cannot_give_is_refused_at_the_start(tmp_path: Path) -> None:
    address, access = seaweed.fresh_store(tmp_path)
    with pytest.raises(StoreCannotLock):
        open_store(address, replace(access, lock_days=1))


@pytest.fixture
def between(tmp_path: Path) -> Iterator[tuple[Relay, str, StoreAccess]]:
    """A relay before the run's server, the address of a place with lock behind it, and access to it."""
    address, access = seaweed.fresh_store(tmp_path, lock=True)
    host = address.split("/")[2]
    with relay_to(host) as relay:
        yield relay, address.replace(host, relay.host), access


def test_a_bucket_without_versions_is_told_so(tmp_path: Path) -> None:
    """A server says nothing at all of a bucket where they were never on."""
    address, access = seaweed.fresh_store(tmp_path)
    assert store_at(address, access).told()["versioning"] == "off"


@pytest.mark.parametrize("status_and_code", [(403, "AccessDenied"), (400, "InvalidRequest")], ids=str)
def test_what_the_server_will_not_tell_is_unknown_and_never_taken_for_none(
    between: tuple[Relay, str, StoreAccess], status_and_code: tuple[int, str]
) -> None:
    relay, address, access = between
    relay.refuse(asking("GET", "?versioning"), *status_and_code)
    relay.refuse(asking("GET", "?object-lock"), *status_and_code)
    told = store_at(address, access).told()
    assert (told["versioning"], told["object_lock"]) == ("unknown", "unknown")
    with pytest.raises(StoreCannotLock, match=status_and_code[1]):
        open_store(address, replace(access, lock_days=1))


@pytest.mark.parametrize(
    "status_and_code",
    [(501, "NotImplemented"), (405, "MethodNotAllowed"), (404, "ObjectLockConfigurationNotFoundError")],
    ids=str,
)
def test_a_server_that_knows_neither_versions_nor_locks_has_none(
    between: tuple[Relay, str, StoreAccess], status_and_code: tuple[int, str]
) -> None:
    relay, address, access = between
    relay.refuse(asking("GET", "?versioning"), 501, "NotImplemented")
    relay.refuse(asking("GET", "?object-lock"), *status_and_code)
    told = store_at(address, access).told()
    assert (told["versioning"], told["object_lock"]) == ("off", "off")


async def test_an_outage_while_the_server_is_asked_what_it_does_is_asked_again(
    between: tuple[Relay, str, StoreAccess],
) -> None:
    relay, address, access = between
    relay.refuse(asking("GET", "?object-lock"), 500, "InternalError")
    store = store_at(address, access)
    assert (store.told()["versioning"], store.told()["object_lock"]) == ("unknown", "unknown")
    with pytest.raises(StoreUnavailable):
        await store.ready()
    relay.refusals.clear()
    await store.ready()
    assert (store.told()["versioning"], store.told()["object_lock"]) == ("on", "offered")
    await store.close()


async def test_what_was_unknown_is_asked_again_once_the_server_tells(
    between: tuple[Relay, str, StoreAccess],
) -> None:
    relay, address, access = between
    relay.refuse(asking("GET", "?versioning"), 403, "AccessDenied")
    store = store_at(address, access)
    assert (store.told()["versioning"], store.told()["object_lock"]) == ("unknown", "offered")
    relay.refusals.clear()
    await store.ready()
    assert store.told()["versioning"] == "on"
    await store.close()


async def test_with_versions_unknown_each_of_them_goes_all_the_same(
    between: tuple[Relay, str, StoreAccess], tmp_path: Path
) -> None:
    relay, address, access = between
    relay.refuse(asking("GET", "?versioning"), 403, "AccessDenied")
    store = store_at(address, access)
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    await store.put("aa", source)
    await store.delete("aa")
    there, bucket, prefix = client(address, access)
    assert not list(there.list_objects(bucket, prefix, recursive=True, include_version=True))
    await store.close()


async def test_a_deletion_that_fails_for_another_reason_than_a_lock_is_told(
    between: tuple[Relay, str, StoreAccess], tmp_path: Path
) -> None:
    relay, address, access = between
    store = store_at(address, access)
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    await store.put("aa", source)
    relay.refuse(asking("DELETE", "versionId"), 403, "AccessDenied")
    with pytest.raises(StoreRefused):
        await store.delete("aa")
    relay.refusals.clear()
    relay.refuse(asking("DELETE", "versionId"), 503, "ServiceUnavailable")
    with pytest.raises(StoreUnavailable):
        await store.delete("aa")
    async with await store.open("aa") as reader:
        assert await reader.read_at(0, 9) == b"bytes", "it was not deleted, and does not look as if it was"
    relay.refusals.clear()
    await store.delete("aa")
    with pytest.raises(BlobMissing):
        await store.open("aa")
    await store.close()


async def test_a_refusal_of_the_lock_is_one_only_where_the_server_says_until_when(
    between: tuple[Relay, str, StoreAccess], tmp_path: Path
) -> None:
    relay, address, access = between
    store = store_at(address, replace(access, lock_days=1))
    source = tmp_path / "source"
    source.write_bytes(b"locked")
    await store.put("aa", source)
    relay.refuse(asking("GET", "?retention"), 403, "AccessDenied")
    with pytest.raises(StoreRefused):
        await store.delete("aa")
    relay.refusals.clear()
    await store.delete("aa")
    with pytest.raises(BlobMissing):
        await store.open("aa")
    await store.close()


async def test_one_operation_ends_in_its_time_however_slowly_a_server_answers(
    between: tuple[Relay, str, StoreAccess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each piece comes well before a read gives up; all of them together take ten seconds and more."""
    relay, address, access = between
    store = store_at(address, access)
    source = tmp_path / "source"
    source.write_bytes(os.urandom(50_000))
    await store.put("aa", source)
    monkeypatch.setattr("storage.s3_calls.DEADLINE", 1.5)
    relay.held_up.append((asking("GET", "aa"), 0.2))
    relay.held_up.append((asking("GET", "list-type"), 0.2))
    for attempt in (store.open("aa"), listed(store), store.ready()):
        with pytest.raises(StoreUnavailable, match=r"no answer within 1\.5 s"):
            await attempt
    relay.held_up.clear()
    async with await store.open("aa") as reader:
        assert await reader.read_at(0, 50_000) == source.read_bytes()
    await store.close()


_PUTTING = """
import asyncio, sys
from pathlib import Path
from storage.opening import open_store
from storage.s3_address import StoreAccess
address, credentials, source = sys.argv[1:]
asyncio.run(open_store(address, StoreAccess(Path(credentials))).put("large", Path(source)))
"""


async def test_who_dies_amid_an_upload_leaves_parts_and_nothing_that_can_be_read(
    between: tuple[Relay, str, StoreAccess], tmp_path: Path
) -> None:
    relay, address, access = between
    source = tmp_path / "source"
    source.write_bytes(os.urandom(4 * PART))
    half, over = threading.Event(), threading.Event()

    def third_part(method: str, path: str) -> bool:
        if method == "PUT" and "partNumber=3" in path:
            half.set()
            over.wait(60)
        return False

    relay.refuse(third_part, 500, "InternalError")
    command = [sys.executable, "-c", _PUTTING, address, str(access.credentials), str(source)]
    putting = subprocess.Popen(command)
    try:
        assert await asyncio.to_thread(half.wait, 60)
    finally:
        putting.kill()
        putting.wait()
        over.set()
    store = store_at(address, access)
    assert await listed(store) == {}
    with pytest.raises(BlobMissing):
        await store.open("large")
    there, bucket, prefix = client(address, access)
    rule = Rule(
        status=ENABLED,
        rule_filter=Filter(prefix=""),
        rule_id="unfinished-uploads",
        abort_incomplete_multipart_upload=AbortIncompleteMultipartUpload(days_after_initiation=2),
    )
    there.set_bucket_lifecycle(bucket, LifecycleConfig([rule]))
    assert there.get_bucket_lifecycle(bucket) is not None, "the server takes the rule of docs/operate.md"
    left = there._list_multipart_uploads(bucket, prefix=prefix).uploads
    assert [str(one.object_name).rpartition("/")[2] for one in left] == ["large"], "what a rule must abort"
    await store.put("large", source)
    async with await store.open("large") as whole:
        assert await whole.read_at(3 * PART, PART) == source.read_bytes()[3 * PART :]
    await store.close()


@pytest.fixture(scope="module")
def private() -> Iterator[seaweed.PrivateSeaweed]:
    server = seaweed.PrivateSeaweed()
    yield server
    server.close()


@pytest.fixture
async def away(private: seaweed.PrivateSeaweed, tmp_path: Path) -> AsyncIterator[S3Store]:
    offers = private.offers
    seaweed.client_of(offers["host"], offers["access"], offers["secret"]).make_bucket("away")
    store = store_at(f"s3+http://{private.host}/away", seaweed.access_of(offers, tmp_path))
    yield store
    await store.close()


async def test_a_server_killed_in_the_middle_leaves_no_half_blob(
    private: seaweed.PrivateSeaweed, away: S3Store, tmp_path: Path
) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(os.urandom(400_000))
    large.write_bytes(os.urandom(10 * PART))
    await away.put("small", small)
    reader = await away.open("small")
    sending = asyncio.create_task(away.put("large", large))
    await asyncio.sleep(0.1)
    assert not sending.done()
    private.kill()
    with pytest.raises(StoreUnavailable):
        await sending
    with pytest.raises(StoreUnavailable):
        await reader.read_at(200_000, 100_000)
    for attempt in (away.open("small"), away.put("other", small), away.delete("small"), away.ready()):
        with pytest.raises(StoreUnavailable):
            await attempt
    await asyncio.to_thread(private.start)
    await away.ready()
    assert await listed(away) == {"small": 400_000}
    with pytest.raises(BlobMissing):
        await away.open("large")
    assert await reader.read_at(200_000, 100_000) == small.read_bytes()[200_000:300_000]
    await away.put("large", large)
    async with await away.open("large") as whole:
        assert await whole.read_at(9 * PART, PART) == large.read_bytes()[9 * PART :]


async def test_a_server_that_comes_later_is_known_then(
    private: seaweed.PrivateSeaweed, tmp_path: Path
) -> None:
    offers = private.offers
    seaweed.client_of(offers["host"], offers["access"], offers["secret"]).make_bucket("later")
    private.kill()
    store = store_at(f"s3+http://{private.host}/later", seaweed.access_of(offers, tmp_path))
    assert store.told()["versioning"] == "unknown"
    await asyncio.to_thread(private.start)
    for _ in range(100):  # its parts find one another a moment after it has begun
        try:
            await store.ready()
            break
        except StoreUnavailable:
            await asyncio.sleep(0.1)
    assert store.told()["versioning"] != "unknown"
    await store.close()
