"""Whether a file is of a kind that is taken at all. Runs in a worker process.

Only the shape is looked at, ceilings first (ceilings.py): nothing is held unpacked, nothing is repaired.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import pikepdf
from pikepdf import settings

from signing import ceilings
from signing.active_content import ActiveContent, Container
from signing.circles import Circles
from signing.drawings import measure_drawings
from signing.errors import FileRefused
from signing.file_types import MACROS, PDF, UNKNOWN, kind_of
from signing.inflation import Tally
from signing.measuring import measure, measure_pages

_OBJECT_STARTS = (b" obj", b"\nobj", b"\robj", b"\tobj")


@dataclass(frozen=True)
class Look:
    """What a file was found to be: its media type and its number of pages."""

    media_type: str
    pages: int


def look_at(stream: BinaryIO, *, declared_type: str, sealing: bool = False) -> Look:
    """Return what the file is; raises FileRefused for whatever is not an honest, passive, whole PDF.

    `sealing` is for a file that is about to be sealed: it may neither hide anything in layers nor go on
    behind its end.
    """
    _check_kind(stream, declared_type.partition(";")[0].strip().lower(), sealing)
    _check_raw(stream)
    stream.seek(0)
    exceeded = settings.qpdf_limit_errors()
    try:
        with _qpdf_limits(), pikepdf.open(stream, attempt_recovery=False, suppress_warnings=True) as document:
            if document.is_encrypted:
                raise FileRefused("encrypted")
            _look_through(document, sealing)
            pages = measure_pages(document)
            measure_drawings(document)
            return Look(PDF, pages)
    except pikepdf.PasswordError as error:
        raise FileRefused("encrypted") from error
    except RecursionError as error:
        raise FileRefused("too_complex", found=("nesting",)) from error
    except pikepdf.PdfError as error:
        if settings.qpdf_limit_errors() > exceeded:
            raise FileRefused("too_large_inside", found=("stream_inflated",)) from error
        raise FileRefused("unreadable", "the file is damaged: PdfError") from error
    except (ValueError, TypeError, KeyError, OverflowError, RuntimeError) as error:
        raise FileRefused("unreadable", f"the file is damaged: {type(error).__name__}") from error


def _check_kind(stream: BinaryIO, declared: str, sealing: bool) -> None:
    kind = kind_of(stream)
    if kind.media_type == MACROS:
        raise FileRefused("active_content", found=("macros",))
    if kind.also is not None:
        raise FileRefused("polyglot", f"a PDF and {kind.also} at once", found=("two_kinds",))
    if kind.media_type != declared:
        known = kind.media_type != UNKNOWN
        raise FileRefused(
            "mislabelled" if known else "not_a_pdf", f"declared {declared!r}, is {kind.media_type}"
        )
    if kind.media_type != PDF:
        raise FileRefused("not_a_pdf", f"the file is {kind.media_type}")
    if sealing and kind.goes_on:
        raise FileRefused("polyglot", found=("behind_the_end",))


def _check_raw(stream: BinaryIO) -> None:
    """Count what a parser would read before it could be asked."""
    stream.seek(0)
    content = stream.read()
    if content.count(b"startxref") > ceilings.MOST_REVISIONS:
        raise FileRefused("too_complex", found=("revisions",))
    if sum(content.count(one) for one in _OBJECT_STARTS) > ceilings.MOST_OBJECTS:
        raise FileRefused("too_complex", found=("objects",))


@contextmanager
def _qpdf_limits() -> Iterator[None]:
    """Hold qpdf to the same ceilings: it unpacks the streams that objects lie in while it opens a file."""
    before = settings.set_qpdf_limits(
        flate_max_memory=ceilings.STREAM_INFLATED,
        run_length_max_memory=ceilings.STREAM_INFLATED,
        png_max_memory=ceilings.STREAM_INFLATED,
        tiff_max_memory=ceilings.STREAM_INFLATED,
        max_stream_filters=ceilings.MOST_FILTERS,
    )
    try:
        yield
    finally:
        settings.set_qpdf_limits(**before)  # type: ignore[arg-type]


def _look_through(document: pikepdf.Pdf, sealing: bool) -> None:
    """Look at every object once, without recursion; references are met where their object stands."""
    if len(document.objects) > ceilings.MOST_OBJECTS:
        raise FileRefused("too_complex", found=("objects",))
    tally = Tally()
    active = ActiveContent(document)
    circles = Circles()
    for node in containers(document):
        active.look(node)
        measure(node, tally)
        circles.look(node)
    circles.check()
    if active.found:
        raise FileRefused("active_content", found=active.found)
    if document.get_warnings():  # what had to be mended while it was read is shown otherwise by others
        raise FileRefused("unreadable", found=("mended",))
    if sealing and active.hides_layers:
        raise FileRefused("active_content", found=("hidden_layers",))


def containers(document: pikepdf.Pdf) -> Iterator[Container]:
    """Give every dictionary and stream of a file once. Raises FileRefused where they are too many."""
    left = ceilings.MOST_NODES
    waiting: list[tuple[object, int]] = [(document.trailer, 0)]
    for found in document.objects:
        waiting.append((found, 0))
        while waiting:
            node, depth = waiting.pop()
            left -= 1
            if left < 0 or depth > ceilings.DEEPEST:
                raise FileRefused("too_complex", found=("nesting" if left >= 0 else "objects",))
            if isinstance(node, (pikepdf.Dictionary, pikepdf.Stream)):
                yield node
            waiting.extend((child, depth + 1) for child in _children(node))


def _children(node: object) -> list[object]:
    if isinstance(node, (pikepdf.Dictionary, pikepdf.Stream)):
        values = [value for _, value in node.items()]
    elif isinstance(node, pikepdf.Array):
        values = list(node)
    else:
        return []
    containers = (pikepdf.Dictionary, pikepdf.Array)
    return [value for value in values if isinstance(value, containers) and not value.is_indirect]
