"""What a paper says of itself: whether it is a copy and of which kind, its heading, whose numbers it names.

Strict on purpose: a class is gained by these words only when they stand as the law has them, and the least
hint of a copy keeps a paper from passing as an original.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from unicodedata import normalize

from policies.trust_classes import Mark, Shown

# Nghị định 30/2020/NĐ-CP, Phụ lục I: the kind of copy, who made it, and when, with the zone (ISO 8601).
_COPIES = ("SAO Y", "SAO LỤC", "TRÍCH SAO")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:[+-]\d{2}:\d{2}|Z)")
# Nghị định 137/2024/NĐ-CP, Điều 4: words, the time, and the full name of who converted.
_CONVERSION = "BẢN SỐ HÓA TỪ VĂN BẢN GIẤY"
_CONVERTED_BY = ("NGƯỜI CHUYỂN ĐỔI:", "THỜI GIAN CHUYỂN ĐỔI:")
# Nghị định 23/2015/NĐ-CP, words of certification; Nghị định 45/2020/NĐ-CP, Điều 10 for the electronic copy.
_CERTIFICATIONS = (
    "CHỨNG THỰC BẢN SAO ĐÚNG VỚI BẢN CHÍNH",
    "CHỨNG THỰC BẢN SAO ĐIỆN TỬ TỪ BẢN CHÍNH",
    "BẢN SAO ĐIỆN TỬ ĐƯỢC CHỨNG THỰC TỪ BẢN CHÍNH",
)
_CERTIFIED_NUMBER = re.compile(r"SỐ CHỨNG THỰC:?\s*\d")
_HINTS = ("BẢN SỐ HÓA", "CHUYỂN ĐỔI TỪ VĂN BẢN GIẤY", "SAO Y BẢN CHÍNH", "CHỨNG THỰC BẢN SAO")
_HINTING_LINES = frozenset({*_COPIES, "BẢN SAO", "COPY"})
# What papers are headed with, beside the name of their type.
_HEADINGS = {
    "TLTDCC": (
        "TRÍCH LỤC CẢI CHÍNH HỘ TỊCH",
        "TRÍCH LỤC THAY ĐỔI HỘ TỊCH",
        "TRÍCH LỤC BỔ SUNG THÔNG TIN HỘ TỊCH",
        "TRÍCH LỤC XÁC ĐỊNH LẠI DÂN TỘC",
    ),
    "GCNQSDD": (
        "GIẤY CHỨNG NHẬN QUYỀN SỬ DỤNG ĐẤT, QUYỀN SỞ HỮU NHÀ Ở VÀ TÀI SẢN KHÁC GẮN LIỀN VỚI ĐẤT",
        "GIẤY CHỨNG NHẬN QUYỀN SỬ DỤNG ĐẤT",
    ),
}
_NUMBERS = {
    "personal_number": re.compile(r"(?<!\d)\d{12}(?!\d)"),
    "tax_code": re.compile(r"(?<![\d-])\d{10}(?:-\d{3})?(?![\d-])"),
}
_LINES_OF_A_HEADING = 5


@dataclass(frozen=True)
class Words:
    """The words of a file, page by page; `complete` is False when a page could not be read or was left out.

    A page that shows only pictures could not be read: what they say is not known.
    """

    pages: tuple[str, ...]
    complete: bool


@dataclass(frozen=True)
class Showing:
    """What a paper shows: see `policies.trust_classes.Evidence`."""

    mark: Mark
    type: Shown
    owner: Shown


def showing(
    words: Words,
    kind: str,
    names: Mapping[str, str],
    owners: Sequence[Collection[tuple[str, str]]],
    places: int,
) -> Showing:
    """Hold the words of a paper against what it is said to be.

    Args:
        kind: the record type it is said to be of.
        names: record type -> its name in Vietnamese, of every type that there is.
        owners: for each owner the (scheme, value) that they are known by.
        places: how many owners a paper of the type has, so how many numbers come first.
    """
    return Showing(_mark(words), _type(words, kind, names), _owner(words, owners, places))


def _mark(words: Words) -> Mark:
    lines = [_folded(line) for page in words.pages for line in page.splitlines()]
    text = " ".join(one for one in lines if one)
    found: set[Mark] = set()
    if _CONVERSION in text and all(one in text for one in _CONVERTED_BY) and _INSTANT.search(text):
        found.add("conversion")
    if any(one in lines for one in _COPIES) and _INSTANT.search(text):
        found.add("copy")
    if any(one in text for one in _CERTIFICATIONS) and _CERTIFIED_NUMBER.search(text):
        found.add("certified")
    if not words.complete:
        return "unreadable"  # what the rest says may be another thing
    if len(found) == 1:
        return found.pop()
    hinted = any(one in text for one in _HINTS) or any(one in _HINTING_LINES for one in lines)
    return "unreadable" if found or hinted else "none"


def _type(words: Words, kind: str, names: Mapping[str, str]) -> Shown:
    headings = _headings(words.pages[0]) if words.pages else frozenset()
    shown = {
        one
        for one, name in names.items()
        if any(_folded(said) in headings for said in (name, *_HEADINGS.get(one, ())))
    }
    if kind in shown:
        return "yes" if shown == {kind} else "other"
    return "other" if shown else "no"


def _headings(page: str) -> frozenset[str]:
    """Give every run of whole lines of a page: a heading may be broken, but is never part of a line."""
    lines = [one for one in (_folded(line) for line in page.splitlines()) if one]
    runs = range(1, _LINES_OF_A_HEADING + 1)
    return frozenset(" ".join(lines[at : at + run]) for at in range(len(lines)) for run in runs)


def _owner(words: Words, owners: Sequence[Collection[tuple[str, str]]], places: int) -> Shown:
    text = "\n".join(words.pages)
    first = {
        (scheme, number)
        for scheme, pattern in _NUMBERS.items()
        for number in list(dict.fromkeys(pattern.findall(text)))[:places]
    }
    if not owners or not any(scheme == "personal_number" for scheme, _ in first):
        # Ten digits may be a telephone's: where no person is numbered, only the very tax code says anything.
        named = bool(owners) and all(first & set(known) for known in owners)
        return "yes" if named else "no"
    return "yes" if all(first & set(known) for known in owners) else "other"


def _folded(line: str) -> str:
    return " ".join(normalize("NFC", line).upper().split())
