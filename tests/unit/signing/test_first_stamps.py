"""How often a time-stamp authority is asked: for the stamps of a seal, and once before for all of them."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from reuse_api.demo.pki import DemoAuthority
from signing import timestamps
from signing.errors import TimestampFailed
from signing.sealing import seal
from signing.service_state import ServiceState
from signing.timestamps import LocalTimestamper, StampingAt

pytestmark = pytest.mark.anyio


class Counted:
    """A real authority that may be away, or be replaced by another."""

    def __init__(self, real: LocalTimestamper) -> None:
        self.real = real
        self.state = ServiceState("local")
        self.issuers = real.issuers
        self.asked = 0
        self.away = False

    async def answer(self, request: bytes, at: datetime) -> bytes:
        self.asked += 1
        if self.away:
            raise TimestampFailed("away")
        return await self.real.answer(request, at)


@pytest.fixture
def source(sealed_certificate: Any) -> Counted:
    return Counted(sealed_certificate.authority.timestamper())


async def test_a_seal_asks_twice_once_the_authority_is_known(
    source: Counted, sealed_certificate: Any, tmp_path: Path
) -> None:
    asked = []
    for name in ("first.pdf", "second.pdf", "third.pdf"):
        await seal(
            sealed_certificate.composed,
            tmp_path / name,
            key=sealed_certificate.key,
            timestamper=source,
            revocation=sealed_certificate.authority.revocation(),
            roots=sealed_certificate.roots,
            at=sealed_certificate.at,
            reason="Kết quả",
            name="Ủy ban",
        )
        asked.append(source.asked)
    assert asked == [3, 5, 7]


async def test_what_is_kept_ends_with_its_hour(
    source: Counted, sealed_certificate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        await StampingAt(source, sealed_certificate.at).async_dummy_response("sha256")
    assert source.asked == 1
    monkeypatch.setattr(timestamps, "_KEPT_FOR", 0.0)
    await StampingAt(source, sealed_certificate.at).async_dummy_response("sha256")
    assert source.asked == 2


async def test_after_a_failure_it_is_asked_before_a_key_signs(
    source: Counted, sealed_certificate: Any
) -> None:
    await StampingAt(source, sealed_certificate.at).async_dummy_response("sha256")
    source.away = True
    with pytest.raises(TimestampFailed):
        await StampingAt(source, sealed_certificate.at).async_timestamp(bytes(32), "sha256")
    with pytest.raises(TimestampFailed):
        await StampingAt(source, sealed_certificate.at).async_dummy_response("sha256")


async def test_a_certificate_that_nobody_has_looked_at_stamps_nothing(
    source: Counted, sealed_certificate: Any, tmp_path: Path
) -> None:
    at = sealed_certificate.at
    await StampingAt(source, at).async_dummy_response("sha256")
    source.real = DemoAuthority.create(tmp_path / "another", at).timestamper()
    with pytest.raises(TimestampFailed, match="another certificate"):
        await StampingAt(source, at).async_timestamp(bytes(32), "sha256")
    later = StampingAt(source, at)
    await later.async_dummy_response("sha256")
    assert await later.async_timestamp(bytes(32), "sha256"), "once it was looked at again"
