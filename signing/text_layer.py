# mypy: allow-untyped-calls
"""Reading the words of a PDF, those of annotations too, inside a worker process. No key and no network.

Only letters that can be seen count. Each page is drawn with its letters and without: where that makes no
difference (white on white, under a shape, clipped, beside the page, too small, not painted), nothing is said.
"""

from collections.abc import Mapping
from dataclasses import astuple
from typing import Any, BinaryIO

import pikepdf
import pypdfium2

from signing.errors import FileRefused
from signing.intake import containers
from signing.layers import hides, hides_in_catalogue
from signing.letters import Letter, layer_of, letters_of
from signing.letters_drawn import without_unseen
from signing.lines_of_page import lines_of, text_of

_RAW: Any = pypdfium2.raw
_MOST_PAGES = 60
_MOST_LETTERS = 20_000  # of one page
_NOTHING: dict[str, Any] = {"words": [], "complete": False, "lines": [], "layer": [], "layer_lines": []}


def read_words(stream: BinaryIO, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain JSON values: words and layer (a text for each page), complete, lines and layer_lines.

    See signing/worded.py. A page that draws something but has no words is one that could not be read, and so
    are words of a file that shows another paper on another occasion (layers.py). `request` holds nothing
    more. Raises MemoryError when the process has no more, nothing else for the sake of the file.
    """
    del request
    try:
        with pypdfium2.PdfDocument(stream) as document:
            count = len(document)
            pages = [_page(document, at) for at in range(min(count, _MOST_PAGES))]
    except (pypdfium2.PdfiumError, ValueError, OverflowError, ZeroDivisionError):
        return dict(_NOTHING)
    layer = [text_of(unseen) for _, unseen, _ in pages]
    first = pages[0] if pages else ([], [], False)
    complete = 0 < count <= _MOST_PAGES and all(whole for _, _, whole in pages)
    return {
        "words": [text_of(seen) for seen, _, _ in pages],
        "complete": complete and not _hides(stream),
        "lines": [list(astuple(one)) for one in lines_of(first[0])],
        "layer": layer if any(one.strip() for one in layer) else [],
        "layer_lines": [list(astuple(one)) for one in lines_of(first[1])],
    }


def _hides(stream: BinaryIO) -> bool:
    """Say whether something is not always shown, or not in print; of a damaged file, that it may be so."""
    stream.seek(0)
    try:
        with pikepdf.open(stream, attempt_recovery=False, suppress_warnings=True) as document:
            hidden = any(hides(node, node.keys()) for node in containers(document))
            return hidden or hides_in_catalogue(document)
    except (pikepdf.PdfError, FileRefused, ValueError, TypeError, KeyError, RuntimeError):
        return True


def _page(document: Any, at: int) -> tuple[list[Letter], list[Letter], bool]:
    """Give the letters of a page that are seen, those of its layer, and whether that is all it may say."""
    # Form fields, seals and other annotations become part of the page, in memory alone.
    failed = _RAW.FPDFPage_Flatten(document[at], _RAW.FLAT_NORMALDISPLAY) == _RAW.FLATTEN_FAIL
    page = document[at]
    draws = next(iter(page.get_objects(max_depth=2)), None) is not None
    letters, all_read = letters_of(page, _MOST_LETTERS)
    letters, layer = layer_of(page, letters)
    seen, all_seen = without_unseen(page, letters)
    says = any(one.said for one in (*seen, *layer))
    return seen, layer, not failed and all_read and all_seen and (says or not draws)
