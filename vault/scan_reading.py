"""Reading a scan for its officer: a worker draws each page, tesseract reads it, patterns suggest."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from policies.scan_rules import paper_sizes
from signing.errors import RewritingFailed
from signing.ocr import ReadPage
from signing.reading import suggestions
from vault.keeping import scratch_file, write_private
from vault.scan_found import Reading
from vault.services import Vault

PAGES_READ = 5  # of one scan: some seconds as a rule
SECONDS = 20.0  # for all of them together; what is not read by then needs a person
_LARGEST_PAGE = 64 * 2**20  # bytes, grey: A3 at 300 dots an inch has 17 million


async def read(vault: Vault, file: Path, pages: int, types: Mapping[str, str]) -> Reading:
    """Read the first pages of a scan, as many as can be within 20 seconds: letters help, and may be missing.

    Args:
        pages: how many it has.
        types: record types that may be meant, code -> name in Vietnamese.
    """
    if vault.ocr.state != "ready":
        return Reading((), ())
    until = asyncio.get_running_loop().time() + SECONDS
    found = [await _read(vault, file, number, until) for number in range(1, min(pages, PAGES_READ) + 1)]
    return Reading(tuple(found), suggestions(found, types))


async def _read(vault: Vault, file: Path, number: int, until: float) -> ReadPage:
    """Read one page until a time of the running loop."""
    try:
        async with asyncio.timeout_at(until):
            return await _drawn_and_read(vault, file, number)
    except TimeoutError:
        return ReadPage(number, (), "ocr_timeout")


async def _drawn_and_read(vault: Vault, file: Path, number: int) -> ReadPage:
    picture = scratch_file(vault)
    write_private(picture, b"")
    try:
        asked = {"task": "page", "page": number, "paper_sizes": paper_sizes()}
        told = await vault.workers.rewrite(file, picture, asked, max_bytes=_LARGEST_PAGE)
        if "refusal" in told:
            return ReadPage(number, (), "ocr_failed")
        return await vault.ocr.read(picture, number, int(told["dpi"]))
    except RewritingFailed:
        return ReadPage(number, (), "ocr_failed")
    finally:
        picture.unlink(missing_ok=True)
