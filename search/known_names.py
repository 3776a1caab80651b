"""Names that mean each other: abbreviations, and provinces before and since they were merged (dated data)."""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from search.vietnamese import Word, fold, words


@dataclass(frozen=True)
class Wider:
    """Another name under which documents of a place are found; of documents issued from a day on, if one."""

    name: tuple[str, ...]
    since: date | None


@cache
def abbreviations() -> dict[str, tuple[tuple[str, ...], ...]]:
    """Give folded abbreviation -> the folded words that each of its meanings is written in."""
    return {
        fold(short): tuple(tuple(one.folded for one in words(long)) for long in meanings)
        for short, meanings in _data("abbreviations").items()
    }


@cache
def provinces() -> dict[tuple[str, ...], tuple[tuple[Word, ...], tuple[Wider, ...]]]:
    """Give folded name -> the name's words, and under which other names its documents may be.

    A name that goes on finds what was issued under the names that ended; one that ended finds, from the day
    of the merger on, what is issued under the one that goes on.
    """
    data = _data("provinces")
    since = date.fromisoformat(data["since"])
    found: dict[tuple[str, ...], tuple[tuple[Word, ...], tuple[Wider, ...]]] = {}
    for now, before in data["provinces"].items():
        ended = [one for one in before if one != now]
        found[_folded(now)] = (tuple(words(now)), tuple(Wider(_folded(one), None) for one in ended))
        for one in ended:
            found[_folded(one)] = (tuple(words(one)), (Wider(_folded(now), since),))
    return found


def province_at(typed: list[Word], place: int) -> tuple[int, tuple[Wider, ...]] | None:
    """Say how many words from `place` on name a province, and its other names; the longest name counts.

    A word typed with accents must have the province's: "Hòa Bình" is one, "Hoá Bình" is not.
    """
    for count in (5, 4, 3, 2, 1):
        these = typed[place : place + count]
        known = provinces().get(tuple(one.folded for one in these)) if len(these) == count else None
        if known is None or not known[1]:
            continue
        if all(not one.accented or one.exact == own.exact for one, own in zip(these, known[0], strict=True)):
            return count, known[1]
    return None


def _folded(name: str) -> tuple[str, ...]:
    return tuple(one.folded for one in words(name))


def _data(name: str) -> Any:
    return json.loads(files("search").joinpath("data", f"{name}.json").read_text(encoding="utf-8"))
