"""Archive time stamps renewed years ahead: what was archived stays so, and begins what follows."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from reuse_api.demo.pki import DemoAuthority
from signing.anchors import for_tests as trusted
from signing.appended import Appended
from signing.errors import RewritingFailed, SealingFailed, TimestampFailed
from signing.renewal import Renewing, renew
from signing.workers import WorkerPool

pytestmark = pytest.mark.anyio
MOST = 2**25


@pytest.fixture(scope="module")
async def pool(anyio_backend: str) -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(size=1)
    await pool.start()
    yield pool
    await pool.close()


def years(start: datetime, count: float) -> datetime:
    return start + timedelta(days=365.25 * count)


def order(authority: DemoAuthority, at: datetime, *also: bytes) -> Renewing:
    above = authority.issue_seal_key("x", "H1").certificates[1:]
    roots = [*authority.roots(), *also]
    return Renewing(authority.timestamper(), authority.revocation(), roots, at, above)


async def level(pool: WorkerPool, file: Path, at: datetime, *roots: bytes) -> tuple[str, str]:
    report = (await pool.examine(file, anchors=trusted(roots), at=at, max_bytes=MOST)).report
    return report.verdict, report.signatures[0].level


async def test_it_is_archived_ten_years_on_and_without_renewal_it_is_not(
    pool: WorkerPool, sealed_certificate: Any, tmp_path: Path
) -> None:
    at, authority = sealed_certificate.at, sealed_certificate.authority
    lasts = await pool.lasts(sealed_certificate.sealed)
    assert lasts == years(at.replace(microsecond=0), 0) + timedelta(days=5 * 365), "its proofs age first"
    once, twice = tmp_path / "once.pdf", tmp_path / "twice.pdf"
    await renew(pool, sealed_certificate.sealed, once, order=order(authority, years(at, 4.8)), max_bytes=MOST)
    assert once.read_bytes().startswith(sealed_certificate.sealed.read_bytes())
    assert once.stat().st_mode & 0o077 == 0
    roots = sealed_certificate.roots
    assert await level(pool, once, years(at, 9), *roots) == ("valid", "B-LTA")
    assert (await level(pool, sealed_certificate.sealed, years(at, 9), *roots))[1] != "B-LTA"
    assert await pool.lasts(once) == years(at.replace(microsecond=0), 4.8) + timedelta(days=5 * 365)

    later = DemoAuthority.create(tmp_path / "later", years(at, 9))  # of the same names, with other keys
    roots += later.roots()
    renewed = order(later, years(at, 9.5), *roots)
    await renew(pool, once, twice, order=renewed, max_bytes=MOST)
    assert twice.read_bytes().startswith(once.read_bytes())
    assert await level(pool, twice, years(at, 9.6), *roots) == ("valid", "B-LTA")
    assert (await level(pool, twice, years(at, 12), *roots))[0] == "valid"
    found = await pool.lasts(twice)
    assert found is not None and found > years(at, 14)
    with pikepdf.open(twice) as document:
        names = [str(field.T) for field in document.Root.AcroForm.Fields]
        assert names == ["Seal", "SealArchiveTimestamp", "SealArchiveTimestamp2", "SealArchiveTimestamp3"]
        with document.open_metadata() as metadata:
            assert metadata.pdfa_status == "2B"


async def test_what_was_not_renewed_in_time_proves_nothing_any_more(
    pool: WorkerPool, sealed_certificate: Any, tmp_path: Path
) -> None:
    at, roots, sealed = sealed_certificate.at, sealed_certificate.roots, sealed_certificate.sealed
    assert (await level(pool, sealed, years(at, 4.9), *roots)) == ("valid", "B-LTA")
    for later in (5.5, 9, 15):
        assert (await level(pool, sealed, years(at, later), *roots)) == ("undetermined", "")

    authority, late = DemoAuthority.create(tmp_path / "later", years(at, 14)), tmp_path / "late.pdf"
    roots += authority.roots()
    await renew(pool, sealed, late, order=order(authority, years(at, 15), *roots), max_bytes=MOST)
    assert (await level(pool, late, years(at, 15.1), *roots)) == ("undetermined", "")


async def test_without_an_authority_nothing_is_written(
    pool: WorkerPool, sealed_certificate: Any, tmp_path: Path
) -> None:
    class NobodyAnswers:
        issuers = ()

        async def answer(self, request: bytes, at: datetime) -> bytes:
            raise TimestampFailed("nobody answers")

    authority = sealed_certificate.authority
    silent = Renewing(NobodyAnswers(), authority.revocation(), authority.roots(), sealed_certificate.at)
    with pytest.raises(SealingFailed):
        await renew(pool, sealed_certificate.sealed, tmp_path / "r.pdf", order=silent, max_bytes=MOST)
    assert not list(tmp_path.iterdir())


async def test_what_is_no_pdf_or_has_no_stamp_is_told(
    pool: WorkerPool, sealed_certificate: Any, tmp_path: Path
) -> None:
    (tmp_path / "words.pdf").write_bytes(b"just words")
    with pytest.raises(RewritingFailed):
        await pool.lasts(tmp_path / "words.pdf")
    at = order(sealed_certificate.authority, sealed_certificate.at)
    with pytest.raises(RewritingFailed):
        await renew(pool, tmp_path / "words.pdf", tmp_path / "r.pdf", order=at, max_bytes=MOST)
    assert [one.name for one in tmp_path.iterdir()] == ["words.pdf"]
    assert await pool.lasts(sealed_certificate.composed) is None


def test_only_what_follows_a_file_can_be_written() -> None:
    whole = Appended(BytesIO(b"0123456789"))
    assert whole.seek(0, SEEK_END) == 10
    whole.write(b"abcdef")
    whole.seek(12)
    whole.write(b"XY")
    whole.seek(8)
    assert (whole.read(4), whole.read()) == (b"89ab", b"XYef")
    assert whole.tail == b"abXYef"
    whole.seek(9)
    with pytest.raises(OSError, match="only what follows"):
        whole.write(b"z")
