"""What a paper says of itself: whether it is a copy and of which kind, its heading, whose numbers it names.

Strict on purpose: a class is gained by these words only when they stand as the law has them, and the least
hint of a copy keeps a paper from passing as an original.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from policies.paper_heading import Line, folded, title_of
from policies.trust_classes import Mark, Shown

# Nghị định 30/2020/NĐ-CP, Phụ lục I: the kind of copy, who made it, and when, with the zone (ISO 8601).
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
# A line that begins so, brackets and points apart, or breaks after the first word of it.
_HINTING = re.compile(
    r"(?:SAO Y|SAO LỤC|TRÍCH SAO|BẢN SAO|BẢN PHOTO|BẢN PHÔ TÔ|PHÔ TÔ|PHOTO|BẢN CHỤP|BẢN SCAN|COPY)\b"
)
_BROKEN = frozenset({"SAO", "TRÍCH", "BẢN", "PHÔ"})
_COPY_MARK = re.compile(r"(?:SAO Y|SAO LỤC|TRÍCH SAO)(?:\s*[;:,.].*)?")
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
    "GCNDKDN": tuple(
        f"GIẤY CHỨNG NHẬN ĐĂNG KÝ DOANH NGHIỆP {form}"
        for form in (
            "DOANH NGHIỆP TƯ NHÂN",
            "CÔNG TY CỔ PHẦN",
            "CÔNG TY HỢP DANH",
            "CÔNG TY TRÁCH NHIỆM HỮU HẠN MỘT THÀNH VIÊN",
            "CÔNG TY TRÁCH NHIỆM HỮU HẠN HAI THÀNH VIÊN TRỞ LÊN",
        )
    ),
}
_NUMBERS = {
    "personal_number": re.compile(r"(?<!\d)\d{12}(?!\d)"),
    "tax_code": re.compile(r"(?<![\d-])\d{10}(?:-\d{3})?(?![\d-])"),
}


@dataclass(frozen=True)
class Words:
    """The words of a file that can be seen, page by page.

    A page that shows only pictures could not be read: what they say is not known.

    Args:
        pages: a text for each page.
        complete: False when a page could not be read or was left out, or holds words that nobody sees.
        lines: the lines of page 1 as they stand on it.
        layer: a text for each page of what lies unseen over its picture, as character recognition leaves it.
        layer_lines: the lines of page 1 in that layer.
    """

    pages: tuple[str, ...]
    complete: bool
    lines: tuple[Line, ...] = ()
    layer: tuple[str, ...] = ()
    layer_lines: tuple[Line, ...] = ()


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
    mark = _mark(words)
    if mark == "conversion" and words.layer:
        # The scan says what the paper does; whoever converted it answers for what was recognised in it.
        pages = tuple(map("\n".join, zip(words.pages, words.layer, strict=True)))
        words = Words(pages, words.complete, words.layer_lines)
    return Showing(mark, _type(words, kind, names), _owner(words, owners, places))


def _mark(words: Words) -> Mark:
    lines = [one for page in words.pages for one in map(folded, page.splitlines()) if one]
    text = " ".join(lines)
    found: set[Mark] = set()
    if _CONVERSION in text and all(one in text for one in _CONVERTED_BY) and _INSTANT.search(text):
        found.add("conversion")
    if any(map(_COPY_MARK.fullmatch, lines)) and _INSTANT.search(text):
        found.add("copy")
    if any(one in text for one in _CERTIFICATIONS) and _CERTIFIED_NUMBER.search(text):
        found.add("certified")
    if not words.complete or (words.layer and found != {"conversion"}):
        return "unreadable"  # what the rest says may be another thing
    if len(found) == 1:
        return found.pop()
    return "unreadable" if found or _is_hinted(text, lines) else "none"


def _is_hinted(text: str, lines: Sequence[str]) -> bool:
    """Tell whether anything says that a paper is a copy, however it is set."""
    bare = [one for one in (" ".join(re.findall(r"\w+", line)) for line in lines) if one]
    broken = (f"{one} {after}" for one, after in pairwise(bare) if one in _BROKEN)
    return any(one in text for one in _HINTS) or any(map(_HINTING.match, (*bare, *broken)))


def _type(words: Words, kind: str, names: Mapping[str, str]) -> Shown:
    """Hold the title of page 1 against the type; a title of another type or of none is another one."""
    known = {folded(said): one for one, name in names.items() for said in (name, *_HEADINGS.get(one, ()))}
    title = title_of(words.lines, known)
    if title is None:
        return "no"
    if known.get(title.text) != kind:
        return "other"
    return "yes" if title.largest else "no"


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
