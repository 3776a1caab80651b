"""Blobs in a bucket of any S3 server: one object each, written once under a key of its own.

Nothing relies on conditional writes, which many servers accept and ignore: callers' keys are unique, what is
there already is compared, and writers of one process take turns at a key. Two processes that put different
bytes under one key in the same moment are not told apart; with versioning both stay on the server.
"""

import hashlib
import os
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import certifi
import urllib3
from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.error import S3Error
from minio.retention import Retention
from urllib3.response import BaseHTTPResponse

from storage.blobs import check_key
from storage.errors import BlobConflict, BlobKeyInvalid, BlobMissing, StoreCannotLock, StoreUnavailable
from storage.s3_address import Bucket
from storage.s3_calls import DEADLINE, LAST_TRY, THREADS, Calls, code_of
from storage.s3_traits import Traits, held_back, traits_of

CONNECT = 3.0  # seconds
READ = 15.0  # seconds between two bytes of an answer
PART = 8 * 1024 * 1024  # bytes of a large file in memory at once, for each thread
_HEAD = 128 * 1024
_AHEAD = 1024 * 1024
_PIECE = 256 * 1024
_PAGE = 1000
_SHARD = re.compile(r"[0-9a-f]{2}/")
_RANGE = re.compile(r"bytes \d+-\d+/(\d+)")
_NOTHING_THERE = frozenset({"NoSuchKey", "NoSuchObject", "NoSuchVersion", "ResourceNotFound"})
_PARTIAL = 206


class S3Reader:
    """One opened blob; holds its head and at most one stretch that was read ahead, and no connection."""

    def __init__(self, store: "S3Store", name: str, size: int, etag: str, head: bytes) -> None:
        """Begin with what the opening read."""
        self._store = store
        self._name = name
        self._etag = etag
        self.size = size
        self._head = head
        self._ahead = (0, b"")
        self._end = len(head)

    async def read_at(self, offset: int, length: int) -> bytes:
        """Give `length` bytes from `offset`, fewer only where the blob ends. Raises StoreUnavailable."""
        stop = min(offset + length, self.size)
        for start, held in ((0, self._head), self._ahead):
            if start <= offset and stop <= start + len(held):
                return held[offset - start : max(stop, offset) - start]
        if offset >= stop:
            return b""
        # Whoever reads on where the last read ended will want more: one request then serves several reads.
        going_on = offset <= self._end < stop
        wanted = min(max(length, _AHEAD) if going_on else length, self.size - offset)
        held = await self._store.fetch(self._name, offset, wanted, self._etag)
        self._end = stop
        if going_on:
            self._ahead = (offset, held)
        return held[: stop - offset]

    async def __aenter__(self) -> Self:
        """Give the reader itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of what was read ahead."""
        self._ahead = (0, b"")


class S3Store:
    """The store of the server set-up (the contract: `storage.blobs.BlobStore`)."""

    def __init__(self, bucket: Bucket, credentials: tuple[str, str], region: str, lock_days: int) -> None:
        """Talk with the server once: are we let in, is the bucket there, what can it do?

        One that is away just now is asked again before it is used; so is an address where none ever was.

        Raises:
            StoreRefused, BucketMissing: it cannot be used.
            StoreCannotLock: `lock_days` is above 0 and the bucket was made without object lock, or the
                server does not tell us.
        """
        self._bucket = bucket
        self._heard = _Heard()
        self._calls = Calls(str(bucket))
        self._client = _client(bucket, credentials, region, self._heard, self._calls)
        self._lock_days = lock_days
        self._turns: dict[str, tuple[threading.Lock, int]] = {}
        self._turning = threading.Lock()
        self._seen: Traits | None = None
        now = time.monotonic()
        try:
            self._calls.now(self._learnt, now + LAST_TRY, now + DEADLINE)
        except StoreUnavailable as away:
            if type(away) is not StoreUnavailable:
                raise

    def _learnt(self) -> Traits:
        """Say what the bucket does, as it was seen the first time that the server answered."""
        if self._seen is not None:
            return self._seen
        self._look()
        return self._learn()

    def _learn(self) -> Traits:
        seen = traits_of(self._client, self._bucket.name)
        if self._lock_days and not seen.locks:
            raise StoreCannotLock(": ".join((str(self._bucket), *seen.untold)))
        self._seen = seen
        return seen

    async def put(self, key: str, source: Path) -> None:
        """Store the bytes of `source` under `key` (contract: `BlobStore.put`)."""
        name = self._name(key)
        await self._calls.run(partial(self._put, key, name, source))

    def _put(self, key: str, name: str, source: Path) -> None:
        self._learnt()
        with self._turn(name), source.open("rb") as content:
            size = os.fstat(content.fileno()).st_size
            there = self._size(name)
            if there is None:
                self._client.put_object(
                    self._bucket.name,
                    name,
                    content,
                    size,
                    part_size=PART,
                    num_parallel_uploads=1,
                    retention=self._retention(),
                )
            elif there != size or not self._equal(name, content, size):
                raise BlobConflict(key)

    def _size(self, name: str) -> int | None:
        try:
            return cast(int, self._client.stat_object(self._bucket.name, name).size)
        except S3Error as fault:
            if code_of(fault) in _NOTHING_THERE:
                return None
            raise

    def _equal(self, name: str, content: Any, size: int) -> bool:
        for offset in range(0, size, PART):
            wanted = content.read(PART)
            if self._read(name, offset, len(wanted))[0] != wanted:
                return False
        return True

    def _retention(self) -> Retention | None:
        if not self._lock_days:
            return None
        return Retention(COMPLIANCE, datetime.now(UTC) + timedelta(days=self._lock_days))

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        """Have the writers of one blob take turns; what nobody waits for is forgotten."""
        with self._turning:
            lock, waiting = self._turns.get(name, (threading.Lock(), 0))
            self._turns[name] = (lock, waiting + 1)
        try:
            with lock:
                yield
        finally:
            with self._turning:
                lock, waiting = self._turns.pop(name)
                if waiting > 1:
                    self._turns[name] = (lock, waiting - 1)

    async def open(self, key: str) -> S3Reader:
        """Open the blob under `key` (contract: `BlobStore.open`)."""
        name = self._name(key)
        return await self._calls.run(partial(self._open, key, name))

    def _open(self, key: str, name: str) -> S3Reader:
        try:
            try:
                head, answer = self._read(name, 0, _HEAD)
            except S3Error as fault:
                if code_of(fault) != "InvalidRange":
                    raise
                stat = self._client.stat_object(self._bucket.name, name)  # an empty blob has no first byte
                return S3Reader(self, name, int(stat.size or 0), _etag(stat.etag), b"")
        except S3Error as fault:
            if code_of(fault) in _NOTHING_THERE:
                raise BlobMissing(key) from None
            raise
        known = _RANGE.fullmatch(answer.headers.get("content-range", ""))
        size = int(known.group(1)) if known and answer.status == _PARTIAL else len(head)
        if len(head) != min(size, _HEAD):
            raise StoreUnavailable(f"{self._bucket}: the answer was cut short")
        return S3Reader(self, name, size, _etag(answer.headers.get("etag")), head)

    async def fetch(self, name: str, offset: int, length: int, etag: str) -> bytes:
        """Give a stretch of the object `name`, all of it. Raises StoreUnavailable, also if it changed."""
        return await self._calls.run(partial(self._fetch, name, offset, length, etag))

    def _fetch(self, name: str, offset: int, length: int, etag: str) -> bytes:
        try:
            content, answer = self._read(name, offset, length)
        except S3Error as fault:
            if code_of(fault) in _NOTHING_THERE:
                raise StoreUnavailable(f"{self._bucket}: deleted while it was read") from None
            raise
        if answer.status != _PARTIAL or len(content) != length or _etag(answer.headers.get("etag")) != etag:
            raise StoreUnavailable(f"{self._bucket}: not the bytes that were opened")
        return content

    def _read(self, name: str, offset: int, length: int) -> tuple[bytes, BaseHTTPResponse]:
        answer = self._client.get_object(self._bucket.name, name, offset, length)
        pieces = []
        try:
            while piece := answer.read1(_PIECE):
                pieces.append(piece)
                self._calls.time_left()
            return b"".join(pieces), answer
        finally:
            answer.close()
            answer.release_conn()

    async def delete(self, key: str) -> None:
        """Take the blob under `key` away (contract: `BlobStore.delete`).

        Where versions are kept, each goes, and where we are not told, each that is there. What the server has
        locked stays there until its days are over, hidden behind a mark; only a date that it tells is taken
        for a lock, and any other refusal is raised.
        """
        name = self._name(key)
        await self._calls.run(partial(self._delete, name))

    def _delete(self, name: str) -> None:
        if self._learnt().versioning == "off":
            self._client.remove_object(self._bucket.name, name)
            return
        found = self._client.list_objects(self._bucket.name, prefix=name, include_version=True)
        for one in [one for one in found if one.object_name == name]:
            self._delete_version(name, one.version_id)
        if self._size(name) is not None:
            self._client.remove_object(self._bucket.name, name)

    def _delete_version(self, name: str, version: str | None) -> None:
        try:
            self._client.remove_object(self._bucket.name, name, version_id=version)
        except S3Error as fault:
            if not held_back(self._client, self._bucket.name, name, version, fault):
                raise

    async def keys(self) -> AsyncIterator[tuple[str, int]]:
        """Give every key and size, page by page (contract: `BlobStore.keys`)."""
        after: str | None = None
        while True:
            page = await self._calls.run(partial(self._page, after))
            for name, size in page:
                key = self._key(name)
                if key is not None:
                    yield key, size
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def _page(self, after: str | None) -> list[tuple[str, int]]:
        found = self._client.list_objects(
            self._bucket.name, prefix=self._bucket.prefix or None, recursive=True, start_after=after
        )
        return [(str(one.object_name), int(one.size or 0)) for one in islice(found, _PAGE)]

    async def age(self, key: str) -> timedelta:
        """Say how long the blob has been there (contract: `BlobStore.age`)."""
        return await self._calls.run(partial(self._age, key, self._name(key)))

    def _age(self, key: str, name: str) -> timedelta:
        try:
            put = self._client.stat_object(self._bucket.name, name).last_modified
        except S3Error as fault:
            if code_of(fault) in _NOTHING_THERE:
                raise BlobMissing(key) from None
            raise
        return datetime.now(UTC) - put if put is not None else timedelta()

    async def ready(self) -> None:
        """Look at the bucket, and write and take away one byte (contract: `BlobStore.ready`).

        Where the bucket locks whatever is written, or may, nothing is: each probe would stay.
        """
        await self._calls.run(self._probe)

    def _probe(self) -> None:
        self._look()
        if self._learnt().untold:
            self._learn()
        if self._learnt().locks_itself is not False:
            return
        name = f"{self._bucket.prefix}_ready/{os.urandom(8).hex()}"
        written = self._client.put_object(self._bucket.name, name, BytesIO(b"\0"), 1)
        self._client.remove_object(self._bucket.name, name, version_id=written.version_id)

    @property
    def clock_ahead(self) -> float | None:
        """How many seconds the server's clock was ahead of ours when it last answered."""
        return self._heard.ahead

    def told(self) -> dict[str, Any]:
        """Say what the bucket was seen to do when the server first answered."""
        seen = self._seen
        return {
            "kind": "s3",
            "encrypted": "yes" if self._bucket.encrypted else "no",
            "versioning": seen.versioning if seen is not None else "unknown",
            "object_lock": "on" if self._lock_days else seen.locking if seen is not None else "unknown",
            "lock_days": self._lock_days,
        }

    async def close(self) -> None:
        """Wait for what is under way, end the threads, close the connections."""
        await self._calls.close()
        self._client._http.clear()

    def _look(self) -> None:
        next(self._client.list_objects(self._bucket.name, prefix=f"{self._bucket.prefix}_ready/"), None)

    def _name(self, key: str) -> str:
        # As in a folder: "/" of a key becomes ".", for servers on which a name cannot also be a folder.
        name = check_key(key).replace("/", ".")
        return f"{self._bucket.prefix}{hashlib.sha256(name.encode()).hexdigest()[:2]}/{name}"

    def _key(self, name: str) -> str | None:
        """Give the key of an object of ours; None for a foreign one."""
        rest = name.removeprefix(self._bucket.prefix)
        try:
            key = check_key(rest[3:].replace(".", "/")) if _SHARD.match(rest) else None
        except BlobKeyInvalid:
            return None
        return key if key is not None and self._name(key) == name else None


@dataclass
class _Heard:
    """What the server's answers say beside what was asked."""

    ahead: float | None = None  # seconds, by their Date (RFC 9110, 6.6.1), which has whole seconds

    def listen(self, answer: BaseHTTPResponse) -> None:
        with suppress(ValueError, TypeError):
            theirs = parsedate_to_datetime(answer.headers.get("Date", ""))
            self.ahead = (theirs - datetime.now(UTC)).total_seconds() + 0.5


class _Listening(urllib3.PoolManager):
    """Connections whose every answer is heard, and that wait no longer than there is time."""

    def __init__(self, heard: _Heard, calls: Calls, **more: Any) -> None:
        super().__init__(**more)
        self._heard = heard
        self._calls = calls

    def urlopen(self, *asked: Any, **more: Any) -> BaseHTTPResponse:
        """Ask, and hear the answer (the library's contract)."""
        left = self._calls.time_left()
        patience = urllib3.Timeout(connect=min(CONNECT, left), read=min(READ, left))
        answer = super().urlopen(*asked, timeout=patience, **more)
        self._heard.listen(answer)
        return answer


def _client(bucket: Bucket, credentials: tuple[str, str], region: str, heard: _Heard, calls: Calls) -> Minio:
    pool = _Listening(
        heard,
        calls,
        maxsize=THREADS,
        retries=urllib3.Retry(0, redirect=False),  # trying again is ours, and nobody sends us elsewhere
        ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
        cert_reqs="CERT_REQUIRED",
    )
    access, secret = credentials
    return Minio(
        bucket.host,
        access_key=access,
        secret_key=secret,
        secure=bucket.encrypted,
        region=region,
        http_client=pool,
    )


def _etag(told: str | None) -> str:
    return (told or "").strip('"')
