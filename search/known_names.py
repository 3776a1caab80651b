"""Names that mean each other: abbreviations, what people call papers, and provinces, by spelling and across
mergers (dated data).
"""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from search.vietnamese import Word, fold, words

_LONGEST = 5  # words of a name
_LEADS = (("tỉnh",), ("thành", "phố"), ("tp",))  # what a province is called before its name


Meanings = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Wider:
    """Another name under which documents of a place are found; of documents issued from a day on, if one."""

    name: tuple[str, ...]
    since: date | None


@dataclass(frozen=True)
class Province:
    """A name of a province in every way that its words are spelled alike but for accents."""

    spelled: tuple[tuple[Word, ...], ...]
    wider: tuple[Wider, ...]


@cache
def abbreviations() -> dict[str, Meanings]:
    """Give folded abbreviation -> the folded words that each of its meanings is written in."""
    return {
        fold(short): tuple(tuple(one.folded for one in words(long)) for long in meanings)
        for short, meanings in _data("abbreviations").items()
    }


@cache
def everyday_names() -> dict[tuple[str, ...], tuple[tuple[Word, ...], Meanings]]:
    """Give folded everyday name of a paper ("sổ đỏ") -> its words, and the folded words of what it means."""
    return {
        _folded(name): (tuple(words(name)), tuple(_folded(long) for long in meanings))
        for name, meanings in _data("everyday_names").items()
    }


def everyday_at(typed: list[Word], place: int, *, spelled: bool = False) -> tuple[int, Meanings] | None:
    """Say how many words from `place` on are an everyday name of a paper, and what it means.

    A word typed with accents must have the name's: "sơ đồ" is no "sổ đỏ".

    Args:
        spelled: every word must have them, as in a document: "so do" may be either there.
    """
    for count in range(_LONGEST, 1, -1):
        these = typed[place : place + count]
        known = everyday_names().get(tuple(one.folded for one in these)) if len(these) == count else None
        if known is None or not _may_be(these, known[0]):
            continue
        if not spelled or all(one.exact == each.exact for one, each in zip(these, known[0], strict=True)):
            return count, known[1]
    return None


@cache
def provinces() -> dict[tuple[str, ...], Province]:
    """Give folded name -> the name as it is spelled, and under which other names its documents may be.

    Every spelling of a name finds every other. A name that goes on finds what was issued under the names that
    ended; one that ended finds, from the day of the merger on, what is issued under the one that goes on.
    """
    data = _data("provinces")
    related: dict[str, list[tuple[str, date | None]]] = {}
    for change in data["changes"]:
        since = date.fromisoformat(change["since"])
        for now, before in change["provinces"].items():
            related.setdefault(now, [])
            for ended in before:
                if ended != now:
                    related[now].append((ended, None))
                    related.setdefault(ended, []).append((now, since))
    return _by_spelling(related, data["spellings"])


def _by_spelling(
    related: dict[str, list[tuple[str, date | None]]], spellings: dict[str, list[str]]
) -> dict[tuple[str, ...], Province]:
    found: dict[tuple[str, ...], Province] = {}
    for name, others in related.items():
        mine = [name, *spellings.get(name, ())]
        wider = [Wider(_folded(one), None) for one in mine]
        wider += [
            Wider(_folded(one), day) for other, day in others for one in (other, *spellings.get(other, ()))
        ]
        for one in mine:
            key = _folded(one)
            spelled = tuple(tuple(words(each)) for each in mine if _folded(each) == key)
            found[key] = Province(spelled, tuple(dict.fromkeys(each for each in wider if each.name != key)))
    return found


def province_at(typed: list[Word], place: int) -> tuple[int, tuple[Wider, ...]] | None:
    """Say how many words from `place` on name a province, and its other names; the longest name counts.

    A word typed with accents must have the province's: "Hòa Bình" is one, "Hoá Bình" is not.
    """
    for count in range(_LONGEST, 0, -1):
        these = typed[place : place + count]
        known = provinces().get(tuple(one.folded for one in these)) if len(these) == count else None
        if known is not None and known.wider and any(_may_be(these, one) for one in known.spelled):
            return count, known.wider
    return None


def lead_at(typed: list[Word], place: int) -> int:
    """Say how many words from `place` on are what a province is called before its name ("tỉnh"); 0: none."""
    for lead in _LEADS:
        these = typed[place : place + len(lead)]
        own = words(" ".join(lead))
        alike = [one.folded for one in these] == [one.folded for one in own]
        if alike and _may_be(these, tuple(own)) and province_at(typed, place + len(lead)) is not None:
            return len(lead)
    return 0


def _may_be(these: list[Word], own: tuple[Word, ...]) -> bool:
    return all(not one.accented or one.exact == each.exact for one, each in zip(these, own, strict=True))


def _folded(name: str) -> tuple[str, ...]:
    return tuple(one.folded for one in words(name))


def _data(name: str) -> Any:
    return json.loads(files("search").joinpath("data", f"{name}.json").read_text(encoding="utf-8"))
