"""What the search pages show beside their hits: by what these can be narrowed, with counts, in words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import FormData, QueryParams

from policies.entries import Text
from policies.facts import TrustClass, Validity
from reuse_api.pages.forms import one
from reuse_api.pages.views import Narrator
from reuse_api.problems import BUSY_SECONDS
from search.highlighting import Pieces
from search.index import FACETS
from vault.errors import FieldInvalid, SearchUnavailable

_LONGEST = 200  # characters of a value to narrow by
_STATES = tuple(each.value for each in Validity)
_CLASSES = tuple(each.value for each in TrustClass)
Marker = Callable[[str | None], Pieces]


@dataclass(frozen=True)
class Fault:
    """Why a search found nothing, and how a page that says so is answered."""

    code: str = ""
    status: int = 200
    headers: Mapping[str, str] | None = None

    @classmethod
    def of(cls, problem: FieldInvalid | SearchUnavailable) -> "Fault":
        """Say whose fault it was: what was typed, or an index that is away."""
        if isinstance(problem, SearchUnavailable):
            return cls(problem.code, 503, {"Retry-After": str(BUSY_SECONDS)})
        return cls(problem.code, 422)


@dataclass(frozen=True)
class Narrowed:
    """What a search of a page is narrowed to, "" where it is not."""

    type: str = ""
    issuer: str = ""
    state: str = ""
    trust: str = ""
    year: str = ""

    @classmethod
    def of(cls, form: FormData | QueryParams) -> "Narrowed":
        """Read it from a form; a value that there cannot be narrows nothing."""
        found = {name: one(form, name) for name in FACETS}
        known = {
            name: value
            for name, value in found.items()
            if len(value) <= _LONGEST
            and (name != "state" or value in _STATES)
            and (name != "trust" or value in _CLASSES)
            and (name != "year" or (value.isascii() and value.isdigit() and len(value) == 4))
        }
        return cls(**known)

    def chosen(self) -> dict[str, str]:
        """Give what it is narrowed to."""
        return {name: value for name in FACETS if (value := getattr(self, name))}


@dataclass(frozen=True)
class FacetView:
    """One way to narrow: the values there are, in words with how many each, and the one chosen."""

    name: str
    chosen: str
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Counted:
    """Counts of an index, the names of the issuers in them, and values that are offered without any too."""

    facets: Mapping[str, Mapping[str, int]]
    issuers: Mapping[str, Text]
    always: Mapping[str, Sequence[str]] = field(default_factory=dict)


def issuer_names(told: Mapping[str, Any]) -> dict[str, Text]:
    """Give the names of the issuers that an answer counts."""
    return {code: Text(name["vi"], name["en"]) for code, name in told.get("issuers", {}).items()}


def facet_views(narrator: Narrator, counted: Counted, narrowed: Narrowed) -> tuple[FacetView, ...]:
    """Give the ways to narrow that leave something out, or that were taken."""
    views = []
    for name in FACETS:
        counts, chosen = counted.facets.get(name, {}), getattr(narrowed, name)
        values = [*counts, *counted.always.get(name, ())] + ([chosen] if chosen else [])
        told = [(value, _words(narrator, counted, name, value)) for value in dict.fromkeys(values)]
        told.sort(key=lambda each: each[0] if name == "trust" else each[1], reverse=name == "year")
        if len(told) > 1 or chosen:
            choices = tuple((value, _with_count(words, counts, value)) for value, words in told)
            views.append(FacetView(name, chosen, choices))
    return tuple(views)


def _words(narrator: Narrator, counted: Counted, name: str, value: str) -> str:
    if name == "type":
        return narrator.kind_of_paper(value)
    if name == "issuer":
        known = counted.issuers.get(value)
        return narrator.text(known) if known is not None else value
    if name == "state":
        return narrator.name("validity", value)
    return narrator.name("trust", value) if name == "trust" else value


def _with_count(words: str, counts: Mapping[str, int], value: str) -> str:
    return f"{words} ({counts.get(value, 0)})" if counts else words


def unmarked(text: str | None) -> Pieces:
    """Mark nothing: the text was not searched for."""
    return ((text, False),) if text else ()
