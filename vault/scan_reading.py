"""Reading a scan for its officer: a worker draws each page, tesseract reads it, patterns suggest."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.scan_rules import paper_sizes
from signing.errors import RewritingFailed
from signing.ocr import ReadPage
from signing.reading import LEAST_SURE, Suggestion, suggestions
from vault.keeping import scratch_file, write_private
from vault.services import Vault

PAGES_READ = 5  # of one scan: a minute and a half at the worst, some seconds as a rule
_LARGEST_PAGE = 64 * 2**20  # bytes, grey: A3 at 300 dots an inch has 17 million
_MOST_WORDS = 8_000  # that go into the copy's text layer


@dataclass(frozen=True)
class Reading:
    """What was read of the first pages; nothing at all where tesseract is not installed."""

    pages: tuple[ReadPage, ...]
    suggestions: tuple[Suggestion, ...]

    @property
    def needs_person(self) -> bool:
        """Whether a page could not be read well enough to suggest anything by."""
        return any(one.needs_person for one in self.pages)

    def layer(self) -> list[list[Any]]:
        """Give the words that were read surely, as the copy's text layer takes them."""
        words = [
            [page.number, one.left, one.top, one.width, one.height, one.text]
            for page in self.pages
            for one in page.words
            if one.confidence >= LEAST_SURE and any(letter.isalnum() for letter in one.text)
        ]
        return words[:_MOST_WORDS]


async def read(vault: Vault, file: Path, pages: int, types: Mapping[str, str]) -> Reading:
    """Read the first pages of a scan.

    Args:
        pages: how many it has.
        types: record types that may be meant, code -> name in Vietnamese.
    """
    if vault.ocr.state != "ready":
        return Reading((), ())
    found = [await _read(vault, file, number) for number in range(1, min(pages, PAGES_READ) + 1)]
    return Reading(tuple(found), suggestions(found, types))


async def _read(vault: Vault, file: Path, number: int) -> ReadPage:
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
