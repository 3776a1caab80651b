"""What a file is, and whether it is of a kind that is taken at all. Runs in a worker process.

Only the shape is looked at: nothing is decoded that need not be, nothing is repaired.
"""

import re
from dataclasses import dataclass
from typing import BinaryIO

import pikepdf

from signing.errors import FileRefused

PDF = "application/pdf"
_MOST_PAGES = 5_000
_MOST_OBJECTS = 300_000
_MOST_NODES = 3_000_000
_DEEPEST = 200

# First bytes of what people and attackers call a PDF; more specific ones first.
_LOOKS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"Rar!", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1f\x8b", "application/gzip"),
    (b"MZ", "application/x-msdownload"),
    (b"\x7fELF", "application/x-elf"),
    (b"{\\rtf", "application/rtf"),
)
_MARKUP = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|\?xml|svg|script)", re.IGNORECASE | re.DOTALL
)

# Things a document does rather than shows (ISO 32000-2, 12.6.4 and 12.7.8), and files inside the file.
_ACTIVE_ACTIONS = frozenset(
    {
        "/JavaScript",
        "/Launch",
        "/SubmitForm",
        "/ImportData",
        "/GoToE",
        "/GoToR",
        "/Rendition",
        "/RichMediaExecute",
        "/Movie",
        "/Sound",
    }
)
_ACTIVE_KEYS = frozenset({"/JS", "/JavaScript", "/XFA", "/RichMediaContent", "/EmbeddedFiles", "/EF"})


@dataclass(frozen=True)
class Look:
    """What a file was found to be: its media type and its number of pages."""

    media_type: str
    pages: int


def media_type_of(head: bytes, tail: bytes = b"") -> str:
    """Return the media type that the first (1 KiB) and last (64 KiB) bytes give away.

    A PDF with an archive behind its end is not a PDF but an archive.
    """
    if head.startswith(b"%PDF-"):
        return "application/zip" if b"PK\x05\x06" in tail.rpartition(b"%%EOF")[2] else PDF
    for magic, name in _LOOKS:
        if head.startswith(magic):
            return name
    return "text/html" if _MARKUP.match(head) else "application/octet-stream"


def look_at(stream: BinaryIO, *, declared_type: str) -> Look:
    """Return what the file is; raises FileRefused for whatever is not an honest, passive, whole PDF."""
    found = _media_type(stream)
    if found != declared_type.partition(";")[0].strip().lower():
        known = found != "application/octet-stream"
        raise FileRefused("mislabelled" if known else "not_a_pdf", f"declared {declared_type!r}, is {found}")
    if found != PDF:
        raise FileRefused("not_a_pdf", f"the file is {found}")
    stream.seek(0)
    try:
        with pikepdf.open(stream, attempt_recovery=False, suppress_warnings=True) as document:
            if document.is_encrypted:
                raise FileRefused("encrypted")
            _refuse_active(document)
            return Look(found, _pages(document))
    except pikepdf.PasswordError as error:
        raise FileRefused("encrypted") from error
    except RecursionError as error:
        raise FileRefused("too_complex") from error
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, OverflowError, RuntimeError) as error:
        raise FileRefused("unreadable", f"the file is damaged: {type(error).__name__}") from error


def _media_type(stream: BinaryIO) -> str:
    stream.seek(0)
    head = stream.read(1024)
    size = stream.seek(0, 2)
    stream.seek(max(0, size - 65_536))
    return media_type_of(head, stream.read())


def _pages(document: pikepdf.Pdf) -> int:
    pages = len(document.pages)
    if pages > _MOST_PAGES:
        raise FileRefused("too_complex", f"the file has {pages} pages")
    if pages == 0:
        raise FileRefused("unreadable", "the file has no page")
    return pages


def _refuse_active(document: pikepdf.Pdf) -> None:
    """Walk every object once, without recursion; references are met where their object stands."""
    if len(document.objects) > _MOST_OBJECTS:
        raise FileRefused("too_complex", "the file has too many objects")
    left = _MOST_NODES
    waiting: list[tuple[object, int]] = [(document.trailer, 0)]
    for found in document.objects:
        waiting.append((found, 0))
        while waiting:
            node, depth = waiting.pop()
            left -= 1
            if left < 0 or depth > _DEEPEST:
                raise FileRefused("too_complex", "the objects of the file are too many or too deep")
            waiting.extend((child, depth + 1) for child in _children(node))


def _children(node: object) -> list[object]:
    if isinstance(node, (pikepdf.Dictionary, pikepdf.Stream)):
        _refuse_active_dictionary(node)
        values = [value for _, value in node.items()]
    elif isinstance(node, pikepdf.Array):
        values = list(node)
    else:
        return []
    containers = (pikepdf.Dictionary, pikepdf.Array)
    return [value for value in values if isinstance(value, containers) and not value.is_indirect]


def _refuse_active_dictionary(node: pikepdf.Dictionary | pikepdf.Stream) -> None:
    keys = node.keys()
    active = keys & _ACTIVE_KEYS
    if "/S" in keys and isinstance(node["/S"], pikepdf.Name) and str(node["/S"]) in _ACTIVE_ACTIONS:
        active = active | {str(node["/S"])}
    if "/NeedsRendering" in keys and bool(node["/NeedsRendering"]):
        active = active | {"/NeedsRendering"}
    if isinstance(node, pikepdf.Stream) and "/F" in keys:
        active = active | {"/F"}  # a stream whose content is another file
    if active:
        raise FileRefused("active_content", f"the file holds {', '.join(sorted(active))}")
