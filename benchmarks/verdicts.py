"""Validations a second on one core, and single-byte flips in a sealed file: how many are found.

A real file is judged with the certificates that it brings as anchors (its issuers' are not to be had), so
that its path, time stamp and algorithms are looked into; without any nothing would be, behind its digest.
"""

import asyncio
import json
import logging
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pikepdf
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter

from benchmarks.table import Row
from reuse_api.demo.pki import DemoAuthority
from signing.anchors import Anchor, for_tests
from signing.sealing import seal
from signing.validation import validate

_AT = datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC)
_ROOT = Path(__file__).parent.parent
_REAL = {  # each with the file whose certificates are its anchors: those of 2020 and 2023 cannot be read
    "2020-sha1-malformed-cms": "2021-sha256-certificate-expired-since",
    "2021-sha256-certificate-expired-since": "2021-sha256-certificate-expired-since",
    "2023-compressed-after-signing": "2021-sha256-certificate-expired-since",
    "government-signed": "government-signed",
}
_FOLDERS = (_ROOT / "tests/real_files", _ROOT / "reuse_api/demo/samples")
_SEED = 5
_COLD = 3  # fresh processes; each imports everything
_ALONE = """
import asyncio, json, sys, time
from pathlib import Path
from benchmarks.verdicts import quiet, verdict_of
from signing.anchors import Anchor
path, anchors = sys.argv[1], tuple(Anchor.from_json(one) for one in json.loads(sys.stdin.read()))
quiet()
told = asyncio.run(verdict_of(Path(path), anchors))
print(json.dumps({"verdict": told, "seconds": time.process_time()}))
"""


class FlipMissed(Exception):
    """A changed byte was not noticed: the figures do not matter any more."""


async def measure(folder: Path, flips: int) -> Iterable[Row]:
    """Change `flips` bytes of a sealed file, one at a time (all, if it has fewer); judge each.

    Raises FlipMissed when one of those files is still valid.
    """
    quiet()
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
    rows = [await _cold("sealed (B-LTA)", sealed, anchors)]
    rows.append(await _speed("sealed (B-LTA), warm", sealed, anchors, 10))
    for name, of in _REAL.items():
        rows.append(await _speed(f"{name}, warm", _real(name), _brought(_real(of)), 5))
    government = _real("government-signed")
    rows.append(await _cold("government-signed", government, _brought(government)))
    return [*rows, await _flips(folder, sealed.read_bytes(), anchors, flips)]


def quiet() -> None:
    """Keep what libraries say about files to ourselves."""
    for library in ("pyhanko", "pyhanko_certvalidator"):
        logging.getLogger(library).setLevel(logging.CRITICAL)


def _real(name: str) -> Path:
    return next(path for folder in _FOLDERS if (path := folder / f"{name}.pdf").exists())


def _brought(path: Path) -> tuple[Anchor, ...]:
    """Trust the certificates in a file's signature and in its time stamp."""
    with path.open("rb") as stream:
        signature = PdfFileReader(stream, strict=False).embedded_signatures[0]
        stamps = extract_tst_data_iter(signature.signer_info, signed=False)
        held = (signature.signed_data, *stamps)
        return for_tests([one.chosen.dump() for each in held for one in each["certificates"]])


async def verdict_of(path: Path, anchors: Sequence[Anchor]) -> str:
    """Judge a file."""
    with path.open("rb") as stream:
        return (await validate(stream, anchors=anchors, at=_AT)).verdict


async def _speed(what: str, path: Path, anchors: Sequence[Anchor], times: int) -> Row:
    verdict = await verdict_of(path, anchors)  # once before: imports, caches
    started = time.process_time()
    for _ in range(times):
        verdict = await verdict_of(path, anchors)
    return _row(what, (time.process_time() - started) / times, verdict)


async def _cold(what: str, path: Path, anchors: Sequence[Anchor]) -> Row:
    """Judge a file in fresh processes: the whole life of one, with everything that it imports."""
    asked = json.dumps([one.to_json() for one in anchors])
    seconds, verdict = [], ""
    for _ in range(_COLD):
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", _ALONE, str(path)],
            input=asked,
            capture_output=True,
            text=True,
            check=True,
            cwd=_ROOT,
        )
        told = json.loads(done.stdout)
        seconds.append(told["seconds"])
        verdict = told["verdict"]
    return _row(f"{what}, a fresh process", median(seconds), verdict)


def _row(what: str, seconds: float, verdict: str) -> Row:
    note = f"{seconds * 1000:.0f} ms of processor, {verdict}"
    return Row(f"validate {what}", f"{1 / seconds:.1f}/s", "", note)


async def _flips(folder: Path, content: bytes, anchors: Sequence[Anchor], count: int) -> Row:
    chosen = random.Random(_SEED)
    places = chosen.sample(range(len(content)), min(count, len(content)))
    path = folder / "flipped.pdf"
    missed = []
    for place in places:
        flipped = bytearray(content)
        flipped[place] ^= chosen.randrange(1, 256)
        path.write_bytes(flipped)
        if await verdict_of(path, anchors) == "valid":
            missed.append(place)
    if missed:
        raise FlipMissed(f"{len(missed)} of {len(places)} changed bytes were not noticed, at {missed[:20]}")
    return Row("single-byte flips found", f"{len(places)} of {len(places)}", "", "anywhere in the file")
