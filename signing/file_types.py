"""What the bytes of a file say that it is: rules of our own, and libmagic where it can be loaded.

Our rules decide what is taken. libmagic may only object to what they call a PDF: a newcomer's machine may
lack it, and nothing that must be refused is taken for that.
"""

import ctypes
import re
import struct
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

PDF = "application/pdf"
XML = "application/xml"
UNKNOWN = "application/octet-stream"
HEAD, TAIL = 4096, 66_000  # bytes; a comment behind an archive has up to 65,535

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
    (b"#!", "text/x-script"),
    (b"{\\rtf", "application/rtf"),
)
_HEIF = re.compile(rb"....ftyp(?:heic|heix|hevc|hevx|heim|heis|mif1|msf1)", re.DOTALL)
# XHTML and SVG are taken by a browser for pages, whatever declaration stands before them.
_BEFORE = rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml\s[^>]*\?>\s*)?(?:<!--.*?-->\s*)*"
_PAGE = re.compile(
    _BEFORE + rb"<(?:!doctype\s+(?:html|svg)|html|\?php|svg|script|(?:body|head|iframe)\b)",
    re.IGNORECASE | re.DOTALL,
)
_XML = re.compile(_BEFORE + rb"<[^\s!?/<>=\"'\d-][^\s<>=\"']*(?:\s[^<>]*)?>", re.DOTALL)
_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml\s")
# What no paper has behind its end, wherever it stands there: pages of the web, programs, archives.
_MARKS = (
    (
        re.compile(rb"<\s*(?:!doctype\s+html|html|script|svg|\?php|hta:)", re.IGNORECASE),
        "text/html",
    ),
    (re.compile(rb"MZ"), "application/x-msdownload"),
    (re.compile(rb"PK[\x01-\x08]"), "application/zip"),
    (re.compile(rb"Rar!|7z\xbc\xaf\x27\x1c|\x1f\x8b\x08"), "application/x-archive"),
    (re.compile(rb"\x7fELF"), "application/x-elf"),
)
# Marks long enough not to come up by chance in what a program writes into a picture; short ones begin it.
_HIDDEN = (
    (re.compile(rb"%PDF-\d"), PDF),
    (
        re.compile(rb"<(?:!doctype\s+html|html|script|svg|iframe|\?php|hta:\w+)[\s>/]", re.IGNORECASE),
        "text/html",
    ),
    (re.compile(rb"PK\x03\x04|PK\x05\x06"), "application/zip"),
    (re.compile(rb"Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|\A\x1f\x8b\x08"), "application/x-archive"),
    (re.compile(rb"\x7fELF"), "application/x-elf"),
    (re.compile(rb"\AMZ|MZ.{50,4000}This program cannot be run", re.DOTALL), "application/x-msdownload"),
)
_SPACE = b"\x00\t\n\x0c\r "
_ARCHIVE_END = b"PK\x05\x06"  # of a directory of 22 bytes and a comment
_ENTRY, _LONG_END = b"PK\x01\x02", b"PK\x06\x06"  # in such a directory, and the end of one of many entries
_EARLY = 1024  # bytes in which a browser or a mail reader looks for the kind of a file
_END, _TABLE = b"%%EOF", b"startxref"
_MOST_ENTRIES = 10_000
_LONGEST_TYPES = 1024 * 1024  # bytes of [Content_Types].xml
# Main parts of Office Open XML (ECMA-376, part 1) and the media types of such documents.
_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_OFFICE = ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation")
MACROS = "application/vnd.ms-office.macroenabled"  # ours: any office document with a program in it


@dataclass(frozen=True)
class Kind:
    """What a file is: its media type, and what else it is at the same time (absent where nothing is).

    `goes_on` tells of a PDF that something other than space follows its last end.
    """

    media_type: str
    also: str | None = None
    goes_on: bool = False


def media_type_of(head: bytes) -> str:
    """Return the media type that the first bytes (4 KiB) give away."""
    if head.startswith(b"%PDF-"):
        return PDF
    for magic, name in _LOOKS:
        if head.startswith(magic):
            return name
    if _HEIF.match(head):
        return "image/heic"
    if _PAGE.match(head):
        return "text/html"
    return XML if _DECLARED.match(head) or _XML.match(head) else UNKNOWN


def kind_of(stream: BinaryIO) -> Kind:
    """Return what a file is by its bytes, and by the list of an archive's entries."""
    stream.seek(0)
    head = stream.read(HEAD)
    found = media_type_of(head)
    if found == PDF:
        stream.seek(0)
        content = stream.read()
        rest = _behind_the_end(content)
        return Kind(_magic(head) or PDF, _also(content, rest), bool(rest))
    if found == "application/zip":
        return Kind(_in_archive(stream))
    return Kind(found)


def _behind_the_end(content: bytes) -> bytes:
    """Give what follows the last end of a PDF, space aside; without any end, what follows its last table."""
    end = _END if _END in content else _TABLE
    return content[content.rfind(end) + len(end) :].strip(_SPACE) if end in content else b""


def _also(content: bytes, rest: bytes) -> str | None:
    """Name what a PDF is besides: by what follows its end, by an archive within it, by a page at its head."""
    if _ARCHIVE_END in rest or holds_archive(content):
        return "application/zip"
    known = media_type_of(rest)
    if known not in (UNKNOWN, PDF):
        return known
    page, name = _MARKS[0]
    if page.search(content[:_EARLY]):
        return name
    return next((name for mark, name in _MARKS if mark.search(rest)), None)


def holds_archive(content: bytes) -> bool:
    """Say whether readers of ZIP archives find one in a file, wherever it begins and whatever follows it.

    They look for the end of its directory in the last 65,557 bytes, and for its entries before that: where
    these are is said there, but readers allow for bytes before and between.
    """
    first = min((one for one in map(content.find, (_ENTRY, _LONG_END)) if one >= 0), default=len(content))
    at = content.find(_ARCHIVE_END, max(0, len(content) - TAIL))
    while at >= 0:
        end = content[at : at + 22]
        empty = len(end) == 22 and end[8:16] == bytes(8)
        if len(end) == 22 and (empty or first < at):
            return True
        at = content.find(_ARCHIVE_END, at + 1)
    return False


def hidden_in(note: bytes) -> str | None:
    """Name what hides in a note inside a picture: a paper, a page of the web, an archive or a program."""
    return next((name for mark, name in _HIDDEN if mark.search(note)), None)


def archive_at_end(tail: bytes) -> bool:
    """Say whether the last bytes of a file (66,000) are those of a ZIP archive, whatever it begins with."""
    at = tail.rfind(_ARCHIVE_END)
    end = tail[at:] if at >= 0 else b""
    return len(end) >= 22 and len(end) == 22 + struct.unpack_from("<H", end, 20)[0]


def _in_archive(stream: BinaryIO) -> str:
    """Tell office documents apart, and those with programs in them; nothing is unpacked but the list."""
    found = "application/zip"
    damaged = (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError)
    with suppress(*damaged), zipfile.ZipFile(stream) as archive:
        names = archive.namelist()[:_MOST_ENTRIES]
        if any(name.lower().endswith("vbaproject.bin") for name in names):
            return MACROS
        if "[Content_Types].xml" in names:
            with archive.open("[Content_Types].xml") as types:
                text = types.read(_LONGEST_TYPES)
            if b"macroEnabled" in text:
                return MACROS
            main = (_OPEN_XML + one for one in _OFFICE if f"{one}.main+xml".encode() in text)
            found = next(main, found)
    return found


class _Magic:
    """libmagic of this machine, loaded once; its database is in memory before files are shut off."""

    _MIME_TYPE = 0x10  # magic.h
    _NO_CHECKS = 0x1000 | 0x10000  # nothing is unpacked, no program is taken apart: compress, elf

    def __init__(self) -> None:
        self._cookie: int | None = None
        try:
            library = ctypes.CDLL("libmagic.so.1")
            library.magic_open.restype = ctypes.c_void_p
            library.magic_load.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
            library.magic_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
            library.magic_buffer.restype = ctypes.c_char_p
            cookie = library.magic_open(self._MIME_TYPE | self._NO_CHECKS)
        except (OSError, AttributeError):
            return
        if cookie and library.magic_load(cookie, None) == 0:
            self._cookie, self._library = cookie, library

    @property
    def loaded(self) -> bool:
        return self._cookie is not None

    def name(self, head: bytes) -> str | None:
        if self._cookie is None:
            return None
        said: bytes | None = self._library.magic_buffer(self._cookie, head, len(head))
        return said.decode("ascii", "replace") if said else None


_loaded: list[_Magic] = []


def load_magic() -> bool:
    """Load libmagic if this machine has it; tell whether it has. Once a process, before it is confined."""
    if not _loaded:
        _loaded.append(_Magic())
    return _loaded[0].loaded


def _magic(head: bytes) -> str | None:
    """Give what libmagic calls it, None where that says nothing."""
    said = _loaded[0].name(head) if _loaded else None
    return None if said in (None, UNKNOWN, "inode/x-empty") else said
