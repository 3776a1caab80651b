"""Numbers and document codes in a text, with separators and without: 123/2024/GKS is also 1232024gks."""

import re
from dataclasses import dataclass

FEWEST_DIGITS = 6  # of digits in groups ("001 180 034 562") that are taken for one number
_CODE = re.compile(r"(?<![^\W_])[a-z0-9]+(?: ?[./_-] ?[a-z0-9]+)+(?![^\W_])")
_GROUPS = re.compile(r"(?<![\w./-])\d+(?: \d+)+(?![\w/-])")
_LONGEST = 64


@dataclass(frozen=True)
class Code:
    """A number or code at its place in a text: its parts, and all of them run together."""

    start: int
    end: int
    parts: tuple[str, ...]
    spaced: bool  # groups with spaces between, which may be several numbers after all

    @property
    def compact(self) -> str:
        """The code without separators."""
        return "".join(self.parts)[:_LONGEST]


def codes(aligned: str) -> list[Code]:
    """Find codes with a digit in them in a folded text (`vietnamese.aligned`), in order."""
    found = []
    for match in _CODE.finditer(aligned):
        if any(one.isdigit() for one in match[0]):
            parts = tuple(re.split(r" ?[./_-] ?", match[0]))
            found.append(Code(match.start(), match.end(), parts, spaced=False))
    for match in _GROUPS.finditer(aligned):
        parts = tuple(match[0].split(" "))
        inside = any(one.start < match.end() and match.start() < one.end for one in found)
        if sum(map(len, parts)) >= FEWEST_DIGITS and not inside:
            found.append(Code(match.start(), match.end(), parts, spaced=True))
    return sorted(found, key=lambda one: one.start)
