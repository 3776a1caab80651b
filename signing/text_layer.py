# mypy: allow-untyped-calls
"""Reading the words of a PDF, those of annotations too, inside a worker process. No key and no network."""

from collections.abc import Mapping
from typing import Any, BinaryIO

import pikepdf
import pypdfium2

from signing.errors import FileRefused
from signing.intake import containers
from signing.layers import hides, hides_in_catalogue

_RAW: Any = pypdfium2.raw
_MOST_PAGES = 60
_MOST_LETTERS = 20_000  # of one page


def read_words(stream: BinaryIO, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain JSON values: words (a text for each page), complete (whether nothing was left out).

    A page that draws something but has no words is one that could not be read, and so are words of a file
    that shows another paper on another occasion (layers.py). `request` holds nothing more. Raises MemoryError
    when the process has no more, nothing else for the sake of the file.
    """
    del request
    try:
        with pypdfium2.PdfDocument(stream) as document:
            count = len(document)
            read = [_page(document, at) for at in range(min(count, _MOST_PAGES))]
    except (pypdfium2.PdfiumError, ValueError, OverflowError):
        return {"words": [], "complete": False}
    complete = 0 < count <= _MOST_PAGES and all(whole for _, whole in read)
    return {"words": [text for text, _ in read], "complete": complete and not _hides(stream)}


def _hides(stream: BinaryIO) -> bool:
    """Say whether something is not always shown, or not in print; of a damaged file, that it may be so."""
    stream.seek(0)
    try:
        with pikepdf.open(stream, attempt_recovery=False, suppress_warnings=True) as document:
            hidden = any(hides(node, node.keys()) for node in containers(document))
            return hidden or hides_in_catalogue(document)
    except (pikepdf.PdfError, FileRefused, ValueError, TypeError, KeyError, RuntimeError):
        return True


def _page(document: Any, at: int) -> tuple[str, bool]:
    """Give the words of a page, and whether they are all it may say."""
    # Form fields, seals and other annotations become part of the page, in memory alone.
    failed = _RAW.FPDFPage_Flatten(document[at], _RAW.FLAT_NORMALDISPLAY) == _RAW.FLATTEN_FAIL
    page = document[at]
    text = page.get_textpage()
    letters = text.count_chars()
    words = text.get_text_range(0, min(letters, _MOST_LETTERS)).replace("\r\n", "\n")
    draws = next(iter(page.get_objects(max_depth=2)), None) is not None
    whole = not failed and letters <= _MOST_LETTERS
    return words, whole and (bool(words.strip()) or not draws)
