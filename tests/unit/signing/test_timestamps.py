"""The time-stamp authority of demo and tests answers several sealings at once."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reuse_api.demo.pki import DemoAuthority
from signing.timestamps import LocalTimestamper, StampingAt
from vault.clock import Clock

AT_ONCE, ROUNDS = 3, 40  # without care for threads, one round in fifteen fails


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Let threads take turns as often as they can, so that what is not safe shows."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("eager_threads")
def test_threads_that_ask_at_once_are_all_answered(tmp_path: Path) -> None:
    at = Clock().now()
    authority = DemoAuthority.create(tmp_path / "authority", at)
    failures: list[Exception] = []

    def ask(source: LocalTimestamper, start: threading.Barrier) -> None:
        start.wait()
        try:
            asyncio.run(StampingAt(source, at).async_dummy_response("sha256"))
        except Exception as problem:  # whatever a torn parse raises
            failures.append(problem)

    for _ in range(ROUNDS):  # a new authority each time: it breaks while its certificate is first read
        fresh, start = authority.timestamper(), threading.Barrier(AT_ONCE)
        threads = [threading.Thread(target=ask, args=(fresh, start)) for _ in range(AT_ONCE)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert failures == []
