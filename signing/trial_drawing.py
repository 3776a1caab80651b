# mypy: allow-untyped-calls
"""Drawing the first pages of a file on trial before it is sealed, inside a worker process.

What cannot be drawn, or takes too long, could not be examined either once it is sealed: that is told before
anybody's key is asked. As many pages are drawn, and as large, as a second look may draw (second_look.py).
"""

import time
from collections.abc import Mapping
from typing import Any, BinaryIO

import pypdfium2

_MOST_PAGES = 40
_MOST_SECONDS = 12.0  # of processor, for all of them: what is left then is not drawn
_LONGEST = 5.0  # seconds of processor, for one of them: it is drawn twice later
_MOST_PIXELS = 600_000


def draw_on_trial(stream: BinaryIO, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain JSON values: drawn (how many pages), or failure ("unreadable", "too_slow").

    `request` holds nothing more. Raises MemoryError when the process has no more, nothing else for the sake
    of the file.
    """
    del request
    try:
        with pypdfium2.PdfDocument(stream) as document:
            document.init_forms()
            return _drawn(document)
    except (pypdfium2.PdfiumError, ValueError, OverflowError, ZeroDivisionError):
        return {"failure": "unreadable"}


def _drawn(document: pypdfium2.PdfDocument) -> dict[str, Any]:
    started = time.process_time()
    most = min(len(document), _MOST_PAGES)
    for number in range(most):
        before = time.process_time()
        page = document[number]
        width, height = page.get_size()
        page.render(scale=min(1.0, (_MOST_PIXELS / (width * height)) ** 0.5))
        page.close()
        now = time.process_time()
        if now - before > _LONGEST:
            return {"failure": "too_slow"}
        if now - started > _MOST_SECONDS:
            return {"drawn": number + 1}
    return {"drawn": most}
