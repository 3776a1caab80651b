"""Under load: a hundred seals at once, and a scan of 46 MB in bounded memory."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from asn1crypto import cms
from PIL import Image

from signing.anchors import for_tests
from signing.workers import WorkerPool
from tests.scans import making

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(900)]
SEALS = 100
BYTES = 46 * 2**20
MOST_MEMORY = 200 * 2**20  # bytes, of the main process
MOST_OF_A_WORKER = 300 * 2**20

PROGRAM = """
import asyncio, base64, json, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from reuse_api.demo.pki import DemoAuthority
from signing.conversion import compose_mark
from signing.foreign import seal_foreign
from signing.sealing import Sealing
from signing.workers import WorkerPool

MOST, SIZES = 2**26, [(210.0, 297.0)]
folder, step = Path(sys.argv[1]), sys.argv[2]
scan, copy, at = folder / "scan.pdf", folder / "copy.pdf", datetime.now(UTC)

async def measure(pool):
    found = await pool.measure(scan, declared_type="application/pdf", paper_sizes=SIZES, max_bytes=MOST)
    assert found.measured is not None, found.refusal
    assert {(page.colour, page.others) for page in found.measured.pages} == {("rgb", 0)}

async def archive(pool):
    mark = base64.b64encode(compose_mark("Công an phường", "Ngô Quang Huy", at)).decode()
    asked = {"task": "archive", "mark": mark, "title": "x", "at": at.isoformat(), "words": []}
    asked["paper_sizes"] = SIZES
    copy.touch()
    told = await pool.rewrite(scan, copy, asked, max_bytes=MOST)
    (folder / "place.json").write_text(json.dumps(told["place"]))

async def seal(pool):
    authority = DemoAuthority.create(folder / "pki", at)
    key = authority.issue_seal_key("Công an phường", "G01.26.05")
    order = Sealing(key, authority.timestamper(), authority.revocation(), authority.roots(), at, "x", "x")
    place = json.loads((folder / "place.json").read_text())
    await seal_foreign(pool, copy, folder / "sealed.pdf", place=place, order=order, max_bytes=MOST)

async def main():
    pool = WorkerPool()
    await pool.start()
    await {"measure": measure, "archive": archive, "seal": seal}[step](pool)
    await pool.close()

asyncio.run(main())
# Of itself by its own memory: what getrusage tells begins before the program did.
status = Path("/proc/self/status").read_text()
print(1024 * int(status.partition("VmHWM:")[2].split()[0]))
print(1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def long_scan(path: Path) -> None:
    """Pages of A4 in colour at 200 dots an inch, each a JPEG of grain that hardly packs."""
    grain = Image.effect_noise((1654, 2339), 90).convert("L")
    picture = Image.merge("RGB", [grain, grain.transpose(Image.Transpose.ROTATE_180), grain])
    content = making.as_jpeg(picture)
    with pikepdf.new() as paper:
        for _ in range(BYTES // len(content) + 1):
            leaf = paper.add_blank_page(page_size=(595.44, 842.04)).obj
            held = making.jpeg_in(paper, content, picture.size, "/DeviceRGB")
            leaf.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Scan=held))
            leaf.Contents = pikepdf.Stream(paper, b"q 595.44 0 0 842.04 0 0 cm /Scan Do Q")
        paper.save(path)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read as Linux tells it")
def test_a_scan_of_46_megabytes_is_measured_copied_and_sealed_in_little_memory(tmp_path: Path) -> None:
    long_scan(tmp_path / "scan.pdf")
    assert (tmp_path / "scan.pdf").stat().st_size > 45 * 2**20
    for step in ("measure", "archive", "seal"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, tmp_path, step],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        )
        main, worker = (int(line) for line in done.stdout.split())
        print(f"{step}: peaks in MiB: main {main / 2**20:.0f}, its worker {worker / 2**20:.0f}")
        assert main < MOST_MEMORY
        assert worker < MOST_OF_A_WORKER


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
