"""What was found of a scan before anything is made of it: measured, judged, read."""

from dataclasses import asdict, dataclass
from typing import Any

from policies.scan_rules import ScanQuality
from signing.measured import MeasuredScan
from signing.ocr import ReadPage
from signing.reading import LEAST_SURE, Suggestion

_MOST_WORDS = 8_000  # that go into the copy's text layer


@dataclass(frozen=True)
class JudgedScan:
    """The file as it was handed in, what was measured of it, and what follows."""

    sha256: bytes
    size: int
    measured: MeasuredScan
    quality: ScanQuality


@dataclass(frozen=True)
class Reading:
    """What was read of the first pages; nothing at all where tesseract is not installed."""

    pages: tuple[ReadPage, ...]
    suggestions: tuple[Suggestion, ...]

    @property
    def needs_person(self) -> bool:
        """Whether a page could not be read well enough to suggest anything by."""
        return any(one.needs_person for one in self.pages)

    def told(self) -> dict[str, Any]:
        """Tell how each page was read, and what the fields may be; places in parts of 10,000 of the page.

        A page that `needs_person` suggests nothing. Confidence is 0 to 100.
        """
        pages = [
            {
                "page": one.number,
                "words": len(one.words),
                "confidence": round(one.confidence, 1),
                "needs_person": one.needs_person,
                "failure": one.failure,
            }
            for one in self.pages
        ]
        return {"pages": pages, "suggestions": [asdict(one) for one in self.suggestions]}

    def layer(self) -> list[list[Any]]:
        """Give the words that were read surely, as the copy's text layer takes them."""
        words = [
            [page.number, one.left, one.top, one.width, one.height, one.text]
            for page in self.pages
            for one in page.words
            if one.confidence >= LEAST_SURE and any(letter.isalnum() for letter in one.text)
        ]
        return words[:_MOST_WORDS]
