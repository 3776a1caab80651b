"""A bucket on a real server: who is let in, what others put there, what is locked, and a server that dies."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from minio import Minio

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
    await store.ready()
    assert store.told()["versioning"] != "unknown"
    await store.close()
