"""Sealing what came from outside: three steps, and no key where foreign bytes are parsed."""

import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from cryptography import x509

from reuse_api.demo.pki import DemoAuthority
from signing.anchors import for_tests
from signing.conversion import compose_mark
from signing.errors import RewritingFailed, SealingFailed
from signing.foreign import digest_around, seal_foreign
from signing.keys_file import FileKey
from signing.sealing import Sealing
from signing.workers import WorkerPool

pytestmark = pytest.mark.anyio
MOST = 50 * 2**20
AGENCY = "Công an phường Nghĩa Đô"


@pytest.fixture(scope="module")
def mark() -> bytes:
    return compose_mark(AGENCY, "Trung úy Ngô Quang Huy", datetime.now(UTC))


class Watched(WorkerPool):
    """The real workers; what they are asked is kept, and what they answer may be spoilt on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[dict[str, Any]] = []
        self.written: list[Path] = []
        self.spoil: tuple[bytes, bytes] | None = None

    async def rewrite(
        self, path: Path, target: Path, request: Mapping[str, Any], *, max_bytes: int
    ) -> Mapping[str, Any]:
        self.asked.append(dict(request))
        self.written.append(target)
        return await super().rewrite(path, target, request, max_bytes=max_bytes)

    async def extend(self, path: Path, request: Mapping[str, Any], *, max_bytes: int) -> Mapping[str, Any]:
        self.asked.append(dict(request))
        self.written.append(path)
        told = await super().extend(path, request, max_bytes=max_bytes)
        if self.spoil is not None and request["task"] == "stamp":
            path.write_bytes(path.read_bytes().replace(*self.spoil))
        return told


@pytest.fixture
async def pool(anyio_backend: str) -> AsyncIterator[Watched]:
    pool = Watched()
    await pool.start()
    yield pool
    await pool.close()


@pytest.fixture
def order(tmp_path_factory: pytest.TempPathFactory) -> Sealing:
    at = datetime.now(UTC)
    authority = DemoAuthority.create(tmp_path_factory.mktemp("pki") / "keys", at)
    return Sealing(
        key=authority.issue_seal_key(AGENCY, "G01.26.05"),
        timestamper=authority.timestamper(),
        revocation=authority.revocation(),
        roots=authority.roots(),
        at=at,
        reason="Số hóa",
        name=AGENCY,
    )


def scan(folder: Path, *, size: int = 1000, change: Any = None) -> Path:
    """A page that is one picture, as a scanner makes it: `size` bytes that do not pack."""
    made = BytesIO()
    with pikepdf.new() as paper:
        paper.add_blank_page(page_size=(595, 842))
        page = paper.pages[0]
        wide = max(1, size // 100)
        picture = pikepdf.Stream(
            paper,
            os.urandom(wide * 100),
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=wide,
            Height=100,
            ColorSpace=pikepdf.Name.DeviceGray,
            BitsPerComponent=8,
        )
        page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Scan=picture))
        page.obj.Contents = pikepdf.Stream(paper, b"q 595 0 0 842 0 0 cm /Scan Do Q")
        if change is not None:
            change(paper)
        paper.save(made)
    path = folder / "scan.pdf"
    path.write_bytes(made.getvalue())
    return path


async def test_it_is_valid_marked_and_certified_against_change(
    pool: Watched, order: Sealing, mark: bytes, tmp_path: Path
) -> None:
    target = tmp_path / "sealed.pdf"
    await seal_foreign(pool, scan(tmp_path), target, mark=mark, order=order, max_bytes=MOST)
    found = await pool.examine(target, anchors=for_tests(order.roots), at=datetime.now(UTC), max_bytes=MOST)
    assert found.report.verdict == "valid", found.report
    (seal,) = found.report.signatures
    assert (seal.level, seal.signer, seal.covers_whole_file) == ("B-LTA", AGENCY, True)
    with pikepdf.open(target) as document:
        assert document.Root.Perms.DocMDP.Reference[0].TransformParams.P == 1
        fields = {str(field.T): field for field in document.Root.AcroForm.Fields}
        box = [float(edge) for edge in fields["Seal"].Rect]
        assert box[1] >= 842, "on the strip above the page"
        assert box[2] > 595 / 2, "at the right"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["scan.pdf", "sealed.pdf"]


async def test_what_a_killed_process_leaves_has_the_ending_that_is_swept(
    pool: Watched, order: Sealing, mark: bytes, tmp_path: Path
) -> None:
    target = tmp_path / "sealed.tmp"
    await seal_foreign(pool, scan(tmp_path), target, mark=mark, order=order, max_bytes=MOST)
    assert {one.suffix for one in pool.written} == {".tmp"}
    for half_written in pool.written:
        half_written.touch()
    assert len(list(tmp_path.glob("*.tmp"))) == 2


async def test_a_long_scan_comes_through_whole(
    pool: Watched, order: Sealing, mark: bytes, tmp_path: Path
) -> None:
    content, target = scan(tmp_path, size=6 * 2**20), tmp_path / "sealed.pdf"
    await seal_foreign(pool, content, target, mark=mark, order=order, max_bytes=MOST)
    found = await pool.examine(target, anchors=for_tests(order.roots), at=datetime.now(UTC), max_bytes=MOST)
    assert found.report.verdict == "valid"
    with pikepdf.open(content) as before, pikepdf.open(target) as after:
        pictures = [
            document.pages[0].obj.Resources.XObject.Scan.read_raw_bytes() for document in (before, after)
        ]
    assert pictures[0] == pictures[1], "the scan itself is not touched"


async def test_no_process_that_parses_it_holds_the_key(
    pool: Watched, order: Sealing, mark: bytes, tmp_path: Path
) -> None:
    await seal_foreign(pool, scan(tmp_path), tmp_path / "s.pdf", mark=mark, order=order, max_bytes=MOST)
    assert [one["task"] for one in pool.asked] == ["mark", "seal", "stamp"]
    said = {name for one in pool.asked for name in one}
    assert said == {
        *("task", "mark", "certificates", "status", "lists", "at", "reason", "name", "reserved"),
        "place",
    }
    order.key.to_pem(tmp_path / "key.pem")
    secret = "".join((tmp_path / "key.pem").read_text().partition("-----END")[0].splitlines()[1:])
    assert len(secret) > 100
    assert secret not in str(pool.asked)


async def test_bytes_changed_on_the_way_are_seen_by_who_examines(
    pool: Watched, order: Sealing, mark: bytes, tmp_path: Path
) -> None:
    pool.spoil = (b"/Height 100", b"/Height 101")
    target = tmp_path / "sealed.pdf"
    await seal_foreign(pool, scan(tmp_path), target, mark=mark, order=order, max_bytes=MOST)
    found = await pool.examine(target, anchors=for_tests(order.roots), at=datetime.now(UTC), max_bytes=MOST)
    assert found.report.verdict == "invalid"


@pytest.mark.parametrize(
    ("gap", "digits"),
    [
        ({"start": 5, "stop": 15}, 7),  # another size than was agreed
        ({"start": 5, "stop": 15}, 8),  # holds something else than zeros
        ({"start": 0, "stop": 10}, 8),
        ({"start": 40, "stop": 50}, 8),  # outside the file
        ({"start": 20, "stop": 10}, 8),
        ({"start": "x", "stop": 10}, 8),
        ({}, 8),
    ],
)
def test_a_gap_is_not_believed(tmp_path: Path, gap: dict[str, Any], digits: int) -> None:
    path = tmp_path / "prepared.pdf"
    path.write_bytes(b"%PDF-<00000100>%%EOF\n")
    with pytest.raises(SealingFailed):
        digest_around(path, gap, digits)


@pytest.mark.parametrize("fault", ["no PDF", "signed", "too large"])
async def test_what_cannot_be_marked_leaves_nothing(
    pool: Watched, order: Sealing, mark: bytes, tmp_path: Path, fault: str
) -> None:
    content, target = scan(tmp_path), tmp_path / "sealed.pdf"
    if fault == "no PDF":
        content.write_bytes(b"just words")
    if fault == "signed":
        await seal_foreign(pool, content, target, mark=mark, order=order, max_bytes=MOST)
        target.replace(content)
    most = 100 if fault == "too large" else MOST
    with pytest.raises(RewritingFailed):
        await seal_foreign(pool, content, target, mark=mark, order=order, max_bytes=most)
    assert [one.name for one in tmp_path.iterdir()] == ["scan.pdf"]


async def test_a_revoked_seal_seals_nothing(
    pool: Watched, order: Sealing, mark: bytes, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    authority = DemoAuthority.create(tmp_path_factory.mktemp("other") / "keys", order.at)
    key: FileKey = authority.issue_seal_key(AGENCY, "G01.26.05")
    serial = x509.load_der_x509_certificate(key.certificates[0]).serial_number
    revoked = replace(
        order,
        key=key,
        timestamper=authority.timestamper(),
        roots=authority.roots(),
        revocation=authority.revocation({serial: order.at - timedelta(hours=1)}),
    )
    target = tmp_path / "sealed.pdf"
    with pytest.raises(SealingFailed):
        await seal_foreign(pool, scan(tmp_path), target, mark=mark, order=revoked, max_bytes=MOST)
    assert not target.exists()
