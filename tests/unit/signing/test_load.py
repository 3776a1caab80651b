"""Under load: a hundred seals at once, and a scan of 46 MB in bounded memory."""

import asyncio
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from asn1crypto import cms

from signing.anchors import for_tests
from signing.workers import WorkerPool

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(900)]
SEALS = 100
PAGES = 60
BYTES = 46 * 2**20
MOST_MEMORY = 200 * 2**20  # bytes, of each process

PROGRAM = """
import asyncio, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from reuse_api.demo.pki import DemoAuthority
from signing.conversion import compose_mark
from signing.foreign import seal_foreign
from signing.sealing import Sealing
from signing.workers import WorkerPool

async def main(folder: Path) -> None:
    at = datetime.now(UTC)
    authority = DemoAuthority.create(folder / "pki", at)
    key = authority.issue_seal_key("Công an phường", "G01.26.05")
    order = Sealing(key, authority.timestamper(), authority.revocation(), authority.roots(), at, "x", "x")
    pool = WorkerPool()
    await pool.start()
    mark = compose_mark("Công an phường", "Ngô Quang Huy", at)
    await seal_foreign(pool, folder / "scan.pdf", folder / "s.pdf", mark=mark, order=order, max_bytes=2**26)
    await pool.close()

asyncio.run(main(Path(sys.argv[1])))
# Of itself by its own memory: what getrusage tells begins before the program did.
status = Path("/proc/self/status").read_text()
print(1024 * int(status.partition("VmHWM:")[2].split()[0]))
print(1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def long_scan(path: Path) -> None:
    """Sixty pages, each one picture that does not pack."""
    made = BytesIO()
    high = BYTES // PAGES // 1000
    with pikepdf.new() as paper:
        for _ in range(PAGES):
            paper.add_blank_page(page_size=(595, 842))
            picture = pikepdf.Stream(
                paper,
                os.urandom(1000 * high),
                Type=pikepdf.Name.XObject,
                Subtype=pikepdf.Name.Image,
                Width=1000,
                Height=high,
                ColorSpace=pikepdf.Name.DeviceGray,
                BitsPerComponent=8,
            )
            page = paper.pages[-1]
            page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Scan=picture))
            page.obj.Contents = pikepdf.Stream(paper, b"q 595 0 0 842 0 0 cm /Scan Do Q")
        paper.save(made)
    path.write_bytes(made.getvalue())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read as Linux tells it")
def test_a_scan_of_46_megabytes_is_sealed_in_little_memory(tmp_path: Path) -> None:
    long_scan(tmp_path / "scan.pdf")
    assert (tmp_path / "scan.pdf").stat().st_size > 45 * 2**20
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )
    peaks = [int(line) for line in done.stdout.split()]
    print(f"peaks in MiB: main {peaks[0] / 2**20:.0f}, largest worker {peaks[1] / 2**20:.0f}")
    assert max(peaks) < MOST_MEMORY


async def test_a_hundred_seals_at_once_are_valid_and_none_is_shared(
    sealed_certificate: Any, tmp_path: Path
) -> None:
    targets = [tmp_path / f"{number}.pdf" for number in range(SEALS)]
    await asyncio.gather(*(sealed_certificate.seal(sealed_certificate.composed, one) for one in targets))
    signatures, serials = set(), set()
    for one in targets:
        with pikepdf.open(one) as document:
            for field in document.Root.AcroForm.Fields:
                signed = cms.ContentInfo.load(bytes(field.V.Contents))["content"]
                signatures.add(signed["signer_infos"][0]["signature"].native)
                content = signed["encap_content_info"]["content"]
                if content.native is not None:
                    serials.add(content.parsed["serial_number"].native)
    assert (len(signatures), len(serials)) == (2 * SEALS, SEALS)
    pool = WorkerPool(size=2)
    await pool.start()
    anchors = for_tests(sealed_certificate.roots)
    at = sealed_certificate.at
    found = await asyncio.gather(
        *(pool.examine(one, anchors=anchors, at=at, max_bytes=2**25) for one in targets)
    )
    await pool.close()
    assert {one.report.verdict for one in found} == {"valid"}
