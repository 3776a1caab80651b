"""Headings of national packages: which of them are groups, which are cases, and under which key.

A heading is a *group* (its rows are for every case) when its name is empty or one of the book's group names,
also with something in brackets after it; any other is a *case*. The packages give cases no code. The book has
keys for those it knows, matched by name and component codes. Every other case gets a derived key: the first
words of its name without marks, and eight hex digits of a SHA-256 over the name as it is compared. Where one
package has that name more than once, the hash goes over the component codes as well; what is then still equal
is numbered. So the same package always gives the same keys, and two cases of one name have different ones.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from policies.book import canonical
from policies.entries import CaseKey, Text
from policies.errors import PackageUnreadable

_BULLETS = re.compile(r"^[\s*+–-]+|[\s:]+$")
_NO_WORD = re.compile(r"[^a-z0-9]+")
_SLUG = 40  # characters of the readable part of a derived key
_DIGITS = 8


@dataclass(frozen=True)
class Heading:
    """A heading of a package with the codes of its rows."""

    name: str
    codes: frozenset[str]


@dataclass(frozen=True)
class Keyed:
    """What a case is called by: our key and names, and whether the key was derived."""

    key: str
    name: Text
    derived: bool
    additional: bool


def clean(text: str) -> str:
    """Make a national text fit to be shown: NFC, single spaces, no control, format or bidirectional marks.

    What is left is text: markup in it stays as it is written, and is escaped wherever it is shown.
    """
    kept = (
        " " if letter.isspace() else letter
        for letter in unicodedata.normalize("NFC", text)
        if letter.isspace() or not unicodedata.category(letter).startswith("C")
    )
    return " ".join("".join(kept).split())


def plain(text: str) -> str:
    """Even out a heading or a name: no bullets or colon around it, clean, in small letters."""
    return clean(_BULLETS.sub("", clean(text))).lower()


def is_group(name: str, group_names: frozenset[str]) -> bool:
    """Say whether a heading is a group: `Giấy tờ phải nộp`, also `Giấy tờ phải nộp (hồ sơ của ...)`."""
    words = plain(name)
    return words in group_names or words.partition(" (")[0] in group_names


def keyed(procedure: str, headings: Sequence[Heading], known: Sequence[CaseKey]) -> tuple[Keyed, ...]:
    """Give the key of every case heading of one package, in order.

    Raises PackageUnreadable when the book's keys do not tell two cases apart.
    """
    found = [_by_book(procedure, heading, known) for heading in headings]
    twice = [key for key, count in Counter(one.key for one in found if one).items() if count > 1]
    if twice:
        raise PackageUnreadable(procedure, "case_key_twice", key=twice[0])
    names = Counter(plain(heading.name) for heading in headings)
    taken = {one.key for one in found if one}
    answer = []
    for heading, one in zip(headings, found, strict=True):
        if one is not None:
            answer.append(Keyed(one.key, one.name, False, one.additional))
            continue
        key = _free(_derived(heading, alone=names[plain(heading.name)] == 1), taken)
        taken.add(key)
        shown = _BULLETS.sub("", clean(heading.name))
        answer.append(Keyed(key, Text(shown, shown), True, False))
    return tuple(answer)


def _by_book(procedure: str, heading: Heading, known: Sequence[CaseKey]) -> CaseKey | None:
    wanted = plain(heading.name)
    keys = [
        key
        for key in known
        if key.procedure == procedure
        and plain(key.package_name) == wanted
        and key.components <= heading.codes
    ]
    if len(keys) > 1:
        raise PackageUnreadable(procedure, "case_unclear", count=len(keys), case=clean(heading.name))
    return keys[0] if keys else None


def _derived(heading: Heading, *, alone: bool) -> str:
    words = plain(heading.name)
    told = [words] if alone else [words, sorted(heading.codes)]
    digest = hashlib.sha256(canonical(told).encode()).hexdigest()[:_DIGITS]
    unmarked = "".join(
        letter
        for letter in unicodedata.normalize("NFD", words.replace("đ", "d"))
        if not unicodedata.combining(letter)
    )
    slug = _NO_WORD.sub("-", unmarked).strip("-")
    short = slug if len(slug) <= _SLUG else slug[: _SLUG + 1].rpartition("-")[0] or slug[:_SLUG]
    return f"{short}-{digest}" if short else digest


def _free(key: str, taken: set[str]) -> str:
    number, free = 1, key
    while free in taken:
        number += 1
        free = f"{key}-{number}"
    return free
