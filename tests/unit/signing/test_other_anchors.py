"""What a seal embeds: the certificates of its own chains, and none of the others that are trusted."""

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from reuse_api.demo.pki import DemoAuthority
from signing.anchors import for_tests
from signing.conversion import compose_mark
from signing.errors import SealingFailed
from signing.foreign import seal_foreign
from signing.renewal import Renewing, renew
from signing.sealing import Sealing, seal
from signing.workers import WorkerPool

pytestmark = pytest.mark.anyio
MOST = 2**22


@pytest.fixture(scope="module")
def unrelated(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Ten roots that are trusted for others; the demonstration's have one name, as some real ones have."""
    folder = tmp_path_factory.mktemp("others")
    at = datetime.now(UTC)
    return [DemoAuthority.create(folder / str(one), at).roots()[0] for one in range(10)]


@pytest.fixture
def order(tmp_path: Path, unrelated: list[bytes]) -> Sealing:
    at = datetime.now(UTC)
    authority = DemoAuthority.create(tmp_path / "authority", at)
    return Sealing(
        key=authority.issue_seal_key("Công an phường Nghĩa Đô", "G01.26.05"),
        timestamper=authority.timestamper(),
        revocation=authority.revocation(),
        roots=[*unrelated[:5], *authority.roots(), *unrelated[5:]],
        at=at,
        reason="Kết quả",
        name="Công an phường Nghĩa Đô",
    )


def embedded(path: Path) -> set[bytes]:
    with pikepdf.open(path) as document:
        return {one.read_bytes() for one in document.Root.DSS.Certs}


async def test_no_other_root_is_in_the_file(
    workers: WorkerPool, order: Sealing, unrelated: list[bytes], sealed_certificate: Any, tmp_path: Path
) -> None:
    made = BytesIO()
    with pikepdf.new() as paper:
        paper.add_blank_page()
        paper.save(made)
    foreign, composed, renewed = (tmp_path / name for name in ("foreign.pdf", "composed.pdf", "renewed.pdf"))
    (tmp_path / "paper.pdf").write_bytes(made.getvalue())
    mark = compose_mark(order.name, "Ngô Quang Huy", order.at)
    await seal_foreign(workers, tmp_path / "paper.pdf", foreign, mark=mark, order=order, max_bytes=MOST)
    await seal(sealed_certificate.composed, composed, **vars(order))
    known = [*order.key.certificates, *embedded(foreign)]
    again = Renewing(order.timestamper, order.revocation, order.roots, order.at, known)
    await renew(workers, foreign, renewed, order=again, max_bytes=MOST)
    for file in (foreign, composed, renewed):
        found = await workers.examine(
            file, anchors=for_tests(order.roots), at=datetime.now(UTC), max_bytes=MOST
        )
        assert found.report.verdict == "valid", (file, found.report)
        assert {one.level for one in found.report.signatures} == {"B-LTA"}
        held, content = embedded(file), file.read_bytes()
        assert not held & set(unrelated)
        assert not [one for one in unrelated if one.hex().encode() in content.lower()], "nor in a signature"
    (own,) = set(order.roots) - set(unrelated)
    assert own in embedded(foreign)


async def test_a_seal_whose_root_is_not_trusted_is_not_made(
    workers: WorkerPool, order: Sealing, unrelated: list[bytes], sealed_certificate: Any, tmp_path: Path
) -> None:
    with pytest.raises(SealingFailed):
        await seal(sealed_certificate.composed, tmp_path / "x.pdf", **vars(replace(order, roots=unrelated)))
