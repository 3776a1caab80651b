"""Numbers and document codes in a text, with separators and without: 123/2024/GKS is also 1232024gks.

A code is what stands together without a space: "12/2024/QĐ-UBND", "KS-2024/015". With spaces around its
separators it is one only where it begins with two numbers ("889 - 2023 - KHAC"): a dash with spaces mostly
stands between two things ("Giấy khai sinh - 12/2024/GKS"), and a full stop with a space ends a sentence.
Letters and digits that stand apart ("AA 261127061106") may be typed as one all the same: see `runs`.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

FEWEST_DIGITS = 6  # of digits in groups ("001 180 034 562") that are taken for one number
_TIGHT = re.compile(r"(?<![^\W_])[a-z0-9]+(?:[./_-][a-z0-9]+)*(?![^\W_])")
_PARTS = re.compile(r"[./_-]")
_BETWEEN = re.compile(r" ?[/_-] ?")
_GROUPS = re.compile(r"(?<![\w./-])\d+(?: \d+)+(?![\w/-])")
_FEWEST_NUMBERS = 2  # at the beginning of a code that is written with spaces
_APART = re.compile(r" {1,2}| ?[/_-] ?")
_MOST_APART = 3  # of what stands apart and is joined
_LONGEST = 64


@dataclass(frozen=True)
class Code:
    """A number or code at its place in a text.

    Args:
        parts: what its separators are between.
        within: where it is written with spaces, what stands in it without: it may be several after all.
    """

    start: int
    end: int
    parts: tuple[str, ...]
    within: tuple["Code", ...] = field(default=())

    @property
    def compact(self) -> str:
        """The code without separators."""
        return "".join(self.parts)[:_LONGEST]

    @property
    def endings(self) -> tuple[str, ...]:
        """What it is called by without the letters before its first number: KS-2024/015 is also 2024015."""
        first = next((place for place, one in enumerate(self.parts) if one[0].isdigit()), 0)
        return ("".join(self.parts[first:])[:_LONGEST],) if 0 < first < len(self.parts) - 1 else ()


def codes(aligned: str) -> list[Code]:
    """Find codes with a digit in them in a folded text (`vietnamese.aligned`), in order, none in another."""
    whole = _tight(aligned)
    found = [*_spaced(aligned, whole), *_groups(aligned)]
    for one in whole:
        if len(one.parts) > 1 and any(each.isdigit() for each in one.compact):
            found.append(one)
    apart: list[Code] = []
    for one in found:
        if all(one.end <= other.start or other.end <= one.start for other in apart):
            apart.append(one)
    return sorted(apart, key=lambda one: one.start)


def runs(normal: str, aligned: str, days: Sequence[tuple[int, int]] = ()) -> list[Code]:
    """Find letters and digits that stand apart and may be typed as one: "AA 261127061106", "29A 123.45".

    Two words of letters are never joined, nor is a word with accents, nor two numbers before any letter: so
    what is joined begins with no letters, and with no digits, that do not begin it apart too, and whoever
    types those alone finds nothing more by it.

    Args:
        normal: the text whose folding is `aligned`.
        days: places of what is said to be a day, in order; it is no part of a number.
    """
    grouped = _groups(aligned)
    within = {each.start for one in grouped for each in one.within}
    pieces = sorted(
        (*grouped, *(one for one in _tight(aligned) if one.start not in within)), key=lambda one: one.start
    )
    pieces = [one for one in pieces if _plain(normal, one) and not _in_one(days, one)]
    found = []
    for place, first in enumerate(pieces):
        run = [first]
        for one in pieces[place + 1 : place + _MOST_APART]:
            if not _goes_on(aligned, run, one):
                break
            run.append(one)
            found.append(Code(first.start, one.end, tuple(part for each in run for part in each.parts)))
    return found


def _in_one(days: Sequence[tuple[int, int]], one: Code) -> bool:
    place = bisect_left(days, (one.end,)) - 1  # the last that begins before its end
    return place >= 0 and one.start < days[place][1]


def _goes_on(text: str, run: Sequence[Code], one: Code) -> bool:
    if _APART.fullmatch(text, run[-1].end, one.start) is None:
        return False
    before, after = run[-1].parts[-1][-1].isdigit(), one.parts[0][0].isdigit()
    lettered = any(letter.isalpha() for each in run for letter in each.compact)
    return before != after or (before and lettered)


def _plain(normal: str, one: Code) -> bool:
    marked = unicodedata.normalize("NFD", normal[one.start : one.end])
    return not any(unicodedata.category(each) == "Mn" for each in marked)


def _tight(text: str) -> list[Code]:
    return [Code(one.start(), one.end(), tuple(_PARTS.split(one[0]))) for one in _TIGHT.finditer(text)]


def _spaced(text: str, whole: list[Code]) -> list[Code]:
    """Give what is joined by separators with spaces, from two numbers on, to the first word at most."""
    found: list[Code] = []
    place = 0
    while place < len(whole):
        end = place + 1
        while end < len(whole) and _joined(text, whole[place:end], whole[end]):
            end += 1
        parts = tuple(part for one in whole[place:end] for part in one.parts)
        numbers = next((count for count, one in enumerate(parts) if not one[0].isdigit()), len(parts))
        if end - place > 1 and numbers >= _FEWEST_NUMBERS:
            found.append(Code(whole[place].start, whole[end - 1].end, parts, tuple(whole[place:end])))
        place = end
    return found


def _joined(text: str, before: list[Code], one: Code) -> bool:
    if not before[0].parts[0][0].isdigit() or not before[-1].compact[0].isdigit():
        return False
    return _BETWEEN.fullmatch(text, before[-1].end, one.start) is not None


def _groups(text: str) -> list[Code]:
    found = []
    for match in _GROUPS.finditer(text):
        within = tuple(
            Code(match.start() + one.start(), match.start() + one.end(), (one[0],))
            for one in re.finditer(r"\d+", match[0])
        )
        parts = tuple(one.parts[0] for one in within)
        if sum(map(len, parts)) >= FEWEST_DIGITS:
            found.append(Code(match.start(), match.end(), parts, within))
    return found
