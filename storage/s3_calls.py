"""Calls of a server over the network: in bounded threads, with deadlines, tried again where that may help.

Whoever calls has an answer within `DEADLINE`, however often a call is tried and however slowly a server
answers. The thread of a call that was given up ends at its next wait for the network.
"""

import asyncio
import http.client
import random
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from minio.error import MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError, SSLError

from storage.errors import BucketMissing, StorageError, StoreNotTrusted, StoreRefused, StoreUnavailable

THREADS = 16
TRIES = 4
FIRST_PAUSE = 0.1  # seconds, doubled each time, of which a random half at least is waited
LAST_TRY = 10.0  # seconds after the first try; none begins later
DEADLINE = 60.0  # seconds for one operation, all of its requests, tries and waiting together
QUEUE_WAIT = 20.0  # seconds that a call waits for a thread; then the server is too slow for us
_REFUSED = frozenset(
    {
        "AccessDenied",
        "AuthorizationHeaderMalformed",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "RequestTimeTooSkewed",  # clocks differ by more than the server allows
        "SignatureDoesNotMatch",
    }
)
_BUSY = frozenset({"InternalError", "OperationAborted", "RequestTimeout", "ServiceUnavailable", "SlowDown"})
_SERVER_FAULT = 500
FAULTS = (MinioException, HTTPError, http.client.HTTPException, OSError)

Result = TypeVar("Result")


class OutOfTime(OSError):
    """The time for the whole operation is over."""


class Calls:
    """The threads that talk with one server."""

    def __init__(self, place: str) -> None:
        """Name the server and bucket in errors as `place`, which holds no secret."""
        self._place = place
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="s3")
        self._mine = threading.local()  # until when the operation of this thread has time

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run `work` in a thread, again after a fault that may pass. It may run twice wholly.

        Raises:
            StoreUnavailable: or one of its kinds that says more; also where the time is over, and then
                `work` may still come to its end on the server.
            StorageError: what `work` itself raised.
        """
        asked = time.monotonic()
        running = asyncio.get_running_loop().run_in_executor(self._pool, self._patiently, work, asked)
        try:
            async with asyncio.timeout(DEADLINE):
                return await running
        except TimeoutError:
            raise self._told(OutOfTime()) from None

    def _patiently(self, work: Callable[[], Result], asked: float) -> Result:
        began = time.monotonic()
        if began - asked > QUEUE_WAIT:
            raise StoreUnavailable(f"{self._place}: too many calls wait for an answer")
        return self.now(work, began + LAST_TRY, asked + DEADLINE)

    def now(self, work: Callable[[], Result], last_try: float, until: float) -> Result:
        """Run `work` in this thread (monotonic seconds).

        Args:
            last_try: when trying again ends.
            until: when the time for all of it is over.
        """
        self._mine.until = until
        for left in reversed(range(TRIES)):
            try:
                return work()
            except StorageError:
                raise
            except FAULTS as fault:
                pause = FIRST_PAUSE * 2 ** (TRIES - 1 - left)
                if not left or not may_pass(fault) or time.monotonic() + pause > min(last_try, until):
                    raise self._told(fault) from None  # its text may repeat what was sent
            time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - so that not all come again at once
        raise AssertionError("the last try returns or raises")

    def time_left(self) -> float:
        """Give the seconds that are left for the operation of this thread. Raises OutOfTime."""
        left: float = self._mine.until - time.monotonic()
        if left <= 0:
            raise OutOfTime
        return left

    def _told(self, fault: Exception) -> StorageError:
        code = code_of(fault)
        if code in _REFUSED:
            return StoreRefused(f"{self._place}: {code}")
        if code == "NoSuchBucket":
            return BucketMissing(self._place)
        if isinstance(fault, OutOfTime):
            return StoreUnavailable(f"{self._place}: no answer within {DEADLINE:g} s")
        reason = getattr(fault, "reason", None)
        if isinstance(reason, SSLError) and isinstance(reason.args[0], ssl.SSLCertVerificationError):
            return StoreNotTrusted(f"{self._place}: {reason.args[0].verify_message}")
        named = type(reason if isinstance(reason, Exception) else fault).__name__
        return StoreUnavailable(f"{self._place}: {code or named}")

    async def close(self) -> None:
        """Wait for what is under way and end the threads."""
        await asyncio.to_thread(self._pool.shutdown)


def code_of(fault: Exception) -> str:
    """Give the S3 code of a fault; empty where it has none."""
    return str(fault.code or "") if isinstance(fault, S3Error) else ""


def may_pass(fault: Exception) -> bool:
    """Say whether the same call may go well a moment later."""
    if isinstance(fault, OutOfTime):
        return False
    if isinstance(fault, S3Error):
        return fault.code in _BUSY or int(fault.response.status) >= _SERVER_FAULT
    if isinstance(fault, ServerError):
        return fault.status_code >= _SERVER_FAULT
    return True  # the network, or a body that is no S3 answer: a proxy that has lost its server
