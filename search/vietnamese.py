"""Vietnamese words as they are compared: folded, exact, and in the spellings of one name (DESIGN 9).

Every text goes through `normal` first (NFC), on every path, so that no back end ever sees decomposed text or
folds by rules of its own. Pure.
"""

import re
import unicodedata
from dataclasses import dataclass

LONGEST_WORD = 64  # characters; what is longer is cut, in documents and queries alike
_WORD = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+")
_TONES = {"\u0300": "2", "\u0301": "1", "\u0309": "3", "\u0303": "4", "\u0323": "5"}
_VARIANT = re.compile(r"(?:b|d|h|k|l|m|qu|s|t|v)[iy]")
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"))
_SPACE = "\t\n\r\x0b\x0c\x85"


@dataclass(frozen=True)
class Word:
    """A word at its place in a normal text: as written, folded, and with its accents."""

    start: int
    end: int
    written: str
    folded: str
    exact: str

    @property
    def accented(self) -> bool:
        """Whether it was written with accents, or with đ."""
        return self.folded != self.exact


def normal(text: str) -> str:
    """Give the text in NFC, marks of format (zero-width characters) dropped, what is no character a space."""
    kept = []
    for character in unicodedata.normalize("NFC", text):
        kind = unicodedata.category(character)
        if kind != "Cf":
            kept.append(" " if kind in ("Cc", "Cs", "Zs", "Zl", "Zp") else character)
    return unicodedata.normalize("NFC", "".join(kept))


def controls(text: str) -> bool:
    """Say whether the text holds control characters or broken ones; line ends and tabs are none."""
    return any(unicodedata.category(one) in ("Cc", "Cs") and one not in _SPACE for one in text)


def fold(text: str) -> str:
    """Give the text in lower case without marks, đ as d: "Đường Hoà Bình" is "duong hoa binh"."""
    marked = unicodedata.normalize("NFD", text.lower())
    bare = "".join(one for one in marked if unicodedata.category(one) != "Mn")
    return unicodedata.normalize("NFC", bare.replace("đ", "d").replace("Đ", "d"))


def aligned(text: str) -> str:
    """Fold a normal text character by character, every dash a hyphen, so that places in it stay the same."""
    folded = (fold(one) for one in text.translate(_DASHES))
    return "".join(one if len(one) == 1 else "\ufffd" for one in folded)


def exact(word: str) -> str:
    """Give a word in lower case with its accents, the tone said last: "hoà" and "hòa" are both "hoa.2"."""
    letters, tones = [], []
    for one in unicodedata.normalize("NFD", word.lower()):
        if one in _TONES:
            tones.append(_TONES[one])
        else:
            letters.append(one)
    spelled = unicodedata.normalize("NFC", "".join(letters))
    return f"{spelled}.{''.join(tones)}" if tones else spelled


def words(text: str) -> list[Word]:
    """Give the words of a normal text, in order."""
    found = []
    for match in _WORD.finditer(text):
        written = match[0][:LONGEST_WORD]
        found.append(Word(match.start(), match.end(), written, fold(written), exact(written)))
    return found


def other_spelling(folded: str) -> str | None:
    """Give the other way to spell a name that ends in i or y after one consonant: "ly" and "li", or None."""
    if not _VARIANT.fullmatch(folded):
        return None
    return folded[:-1] + ("i" if folded[-1] == "y" else "y")


def scripts(word: str) -> set[str]:
    """Give the scripts of a word's letters, by the first word of their Unicode names ("LATIN" ...)."""
    return {unicodedata.name(one, "UNKNOWN").partition(" ")[0] for one in word if one.isalpha()}
