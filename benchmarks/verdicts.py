"""Validations a second on one core, and single-byte flips in a sealed file: how many are found."""

import logging
import random
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pikepdf

from benchmarks.table import Row
from reuse_api.demo.pki import DemoAuthority
from signing.anchors import Anchor
from signing.sealing import seal
from signing.validation import validate

_AT = datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC)
_ROOT = Path(__file__).parent.parent
_REAL = (
    _ROOT / "tests/real_files/2021-sha256-certificate-expired-since.pdf",
    _ROOT / "reuse_api/demo/samples/government-signed.pdf",
)
_SEED = 5


async def measure(folder: Path, flips: int) -> Iterable[Row]:
    """Flip one bit in each of `flips` bytes of a sealed file (all, if it has fewer); judge each."""
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)
    authority = DemoAuthority.create(folder / "pki", _AT)
    plain, sealed = folder / "plain.pdf", folder / "sealed.pdf"
    with pikepdf.new() as document:
        document.add_blank_page(page_size=(595, 842))
        document.save(plain)
    await seal(
        plain,
        sealed,
        key=authority.issue_seal_key("UBND phường Ba Đình", "H26.1"),
        timestamper=authority.timestamper(),
        revocation=authority.revocation(),
        roots=authority.roots(),
        at=_AT,
        reason="",
        name="UBND",
    )
    anchors = authority.anchors()
    rows = [await _speed("sealed (B-LTA), first time", sealed, anchors, 1)]
    rows.append(await _speed("sealed (B-LTA), warm", sealed, anchors, 10))
    rows += [await _speed(f"{one.stem}, warm", one, (), 5) for one in _REAL]
    return [*rows, await _flips(folder, sealed.read_bytes(), anchors, flips)]


async def _verdict(path: Path, anchors: tuple[Anchor, ...]) -> str:
    with path.open("rb") as stream:
        return (await validate(stream, anchors=anchors, at=_AT)).verdict


async def _speed(what: str, path: Path, anchors: tuple[Anchor, ...], times: int) -> Row:
    started = time.process_time()
    for _ in range(times):
        verdict = await _verdict(path, anchors)
    each = (time.process_time() - started) / times
    return Row(f"validate {what}", f"{1 / each:.1f}/s", "", f"{each * 1000:.0f} ms of processor, {verdict}")


async def _flips(folder: Path, content: bytes, anchors: tuple[Anchor, ...], count: int) -> Row:
    chosen = random.Random(_SEED)
    places = chosen.sample(range(len(content)), min(count, len(content)))
    path = folder / "flipped.pdf"
    missed = []
    for place in places:
        flipped = bytearray(content)
        flipped[place] ^= 1 << chosen.randrange(8)
        path.write_bytes(flipped)
        if await _verdict(path, anchors) == "valid":
            missed.append(place)
    note = "every one" if not missed else f"missed at {missed[:20]}"
    return Row("single-bit flips found", f"{len(places) - len(missed)} of {len(places)}", "", note)
