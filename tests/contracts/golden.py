"""Queries with graded answers: grades come from what a paper is, never from how it is searched."""

import json
import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.contracts.golden_papers import Paper, papers

_FILE = Path(__file__).with_name("golden_queries.jsonl")
_DEEP = 10


@dataclass(frozen=True)
class Golden:
    """A query, and paper id -> grade, 1 to 3, of everything that answers it."""

    kind: str
    text: str
    grades: dict[str, int]

    def ndcg(self, found: tuple[str, ...]) -> float:
        """Give the normalised discounted cumulative gain of the first ten."""
        ideal = _gain(sorted(self.grades.values(), reverse=True)[:_DEEP])
        return _gain([self.grades.get(one, 0) for one in found[:_DEEP]]) / ideal


def _gain(grades: list[int]) -> float:
    return sum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades))


@cache
def queries() -> tuple[Golden, ...]:
    """Read the golden file."""
    read = [json.loads(line) for line in _FILE.read_text(encoding="utf-8").splitlines()]
    return tuple(Golden(one["kind"], one["q"], _graded(one["grades"])) for one in read)


def _graded(rules: list[dict[str, Any]]) -> dict[str, int]:
    graded: dict[str, int] = {}
    for rule in sorted(rules, key=lambda one: one["grade"]):
        wanted = {name: value for name, value in rule.items() if name != "grade"}
        for paper in papers():
            if all(_JUDGES[name](paper, value) for name, value in wanted.items()):
                graded[paper.id] = rule["grade"]
    return graded


@cache
def _bare(text: str) -> str:
    marked = unicodedata.normalize("NFD", text.lower())
    return "".join(one for one in marked if unicodedata.category(one) != "Mn").replace("đ", "d")


_JUDGES: dict[str, Callable[[Paper, Any], bool]] = {
    "person": lambda paper, value: paper.person == value,
    "person_bare": lambda paper, value: _bare(paper.person) == value,
    "person_words": lambda paper, value: sorted(paper.person.split()) == value,
    "person_bare_words": lambda paper, value: sorted(_bare(paper.person).split()) == value,
    "person_begins": lambda paper, value: paper.person.startswith(value),
    "person_bare_begins": lambda paper, value: _bare(paper.person).startswith(value),
    "person_ends": lambda paper, value: paper.person.endswith(f" {value}"),
    "person_bare_ends": lambda paper, value: _bare(paper.person).endswith(f" {value}"),
    "personal_number": lambda paper, value: paper.personal_number == value,
    "personal_number_begins": lambda paper, value: paper.personal_number.startswith(value),
    "in_force": lambda paper, value: paper.in_force == value,
    "type_name": lambda paper, value: paper.type_name == value,
    "type": lambda paper, value: paper.type == value,
    "number": lambda paper, value: paper.number == value,
    "number_begins": lambda paper, value: paper.number.startswith(value),
    "issued_on": lambda paper, value: paper.issued_on.isoformat() == value,
    "issued_since": lambda paper, value: paper.issued_on.isoformat() >= value,
    "month": lambda paper, value: paper.issued_on.isoformat().startswith(value),
    "year": lambda paper, value: paper.issued_on.year == value,
    "ward": lambda paper, value: paper.ward == value,
    "province": lambda paper, value: paper.province == value,
}
