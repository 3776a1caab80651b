"""Documents and conditions as Elasticsearch and OpenSearch take them; their query strings are never used."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from search.conditions import (
    MOST_ENDINGS,
    All,
    Begins,
    Condition,
    Either,
    Has,
    IssuedSince,
    Near,
    Phrase,
    PhraseBegins,
)
from search.index import EXPIRED, FACETS, IN_FORCE, NEVER, Cursor, Document, Search, day_number
from search.terms import analysed

Json = dict[str, Any]
_MOST_VALUES = 1000  # of one facet
_MOST_LEFT = 10_000  # the most that a server gives at once; 20 for each record in one go are far fewer


def _text(options: str) -> Json:
    return {"type": "text", "analyzer": "whitespace", "norms": False, "index_options": options}


MAPPINGS: Json = {
    "dynamic": "strict",
    "_source": {"enabled": False},
    "properties": {
        "record": {"type": "keyword"},
        "readers": {"type": "keyword"},
        **{name: {"type": "keyword"} for name in FACETS},
        "words": _text("positions"),
        "words_exact": _text("docs"),
        "names": _text("positions"),
        "names_exact": _text("docs"),
        **{name: {"type": "long"} for name in ("order", "issued", "valid_until")},
    },
}


def placed(documents: Iterable[Document]) -> dict[str, Document]:
    """Give each document the id that the server has it under: several may be of one record."""
    counted: Counter[str] = Counter()
    found = {}
    for one in documents:
        found[f"{counted[one.id]}/{one.id}"] = one
        counted[one.id] += 1
    return found


def record_of(place: str) -> str:
    """Give the record of a server's id."""
    return place.partition("/")[2]


def leftover_body(records: Iterable[str], kept: list[str]) -> Json:
    """Give the request for what there is of some records but for what is about to be put."""
    query = {"filter": [{"terms": {"record": sorted(records)}}], "must_not": [{"ids": {"values": kept}}]}
    return {"query": {"bool": query}, "size": _MOST_LEFT, "sort": ["_doc"], "source": False}


def body(one: Document) -> Json:
    """Give a document as it is put."""
    words, names = analysed(one.texts, one.issued_on), analysed(one.names)
    kept = {
        "record": one.id,
        "readers": list(one.readers),
        "type": one.type,
        "issuer": one.issuer,
        "state": one.state,
        "trust": one.trust,
        "year": one.year,
        "words": list(words.folded),
        "words_exact": list(words.exact),
        "names": list(names.folded),
        "names_exact": list(names.exact),
        "order": one.order,
        "issued": day_number(one.issued_on, 0),
        "valid_until": day_number(one.valid_until, NEVER),
    }
    return {name: value for name, value in kept.items() if value is not None}


def finding_body(search: Search, number: int, cursor: Cursor | None) -> Json:
    """Give the request for one round of a search.

    The score is twice the class, and one more for what is in force, so that all back ends agree.
    """
    one = search.asked.rounds[number]
    fields = ("words", "names") if search.names else ("words",)
    ranked = [
        {"constant_score": {"filter": _said(each, fields), "boost": 2.0 * (len(one.classes) - rank)}}
        for rank, each in enumerate(one.classes)
    ]
    query: Json = {"bool": {"filter": [*_filters(search), _said(one.must, fields)]}}
    query["bool"]["should"] = [{"constant_score": {"filter": _state(IN_FORCE, search), "boost": 1.0}}]
    if ranked:
        query["bool"]["should"].append({"dis_max": {"queries": ranked, "tie_breaker": 0.0}})
    asked: Json = {
        "query": query,
        "sort": [{"_score": "desc"}, {"order": "desc"}],
        "size": search.limit + 1,
        "track_total_hits": True,
        "source": False,
    }
    if cursor is not None:
        asked["search_after"] = [score(len(one.classes), cursor), cursor.order]
    if search.facets:
        asked["aggregations"] = _counting(search)
    return asked


def score(classes: int, cursor: Cursor) -> float:
    """Give the score of where a page ended, of a round of so many classes."""
    return 2.0 * (classes - cursor.rank) + (1 - cursor.ended)


def placed_at(classes: int, score: float) -> tuple[int, int]:
    """Give the class of a score, and whether what is there has ended."""
    twice = round(score)
    return classes - twice // 2, 1 - twice % 2


def _counting(search: Search) -> Json:
    counted: Json = {name: {"terms": {"field": name, "size": _MOST_VALUES}} for name in FACETS}
    over = [_term("state", IN_FORCE), _between("valid_until", 0, day_number(search.day, 0) - 1)]
    return counted | {"over": {"filter": _all(over)}}


def _filters(search: Search) -> list[Json]:
    found: list[Json] = [{"terms": {"readers": sorted(search.visible_to)}}]
    for name, values in search.filters.items():
        if name == "state":
            found.append(_any([_state(one, search) for one in sorted(values)]))
        else:
            found.append({"terms": {name: sorted(values)}})
    if search.issued_from or search.issued_until:
        first, last = day_number(search.issued_from, 1), day_number(search.issued_until, NEVER)
        found.append(_between("issued", first, last))
    return found


def _state(state: str, search: Search) -> Json:
    today = day_number(search.day, 0)
    if state == EXPIRED:
        over = _between("valid_until", 0, today - 1)
        return _any([_term("state", EXPIRED), _all([_term("state", IN_FORCE), over])])
    if state == IN_FORCE:
        return _all([_term("state", IN_FORCE), _between("valid_until", today, NEVER)])
    return _term("state", state)


def _said(condition: Condition, fields: tuple[str, ...]) -> Json:
    if isinstance(condition, All):
        return _all([_said(one, fields) for one in condition.of])
    if isinstance(condition, Either):
        return _any([_said(one, fields) for one in condition.of])
    if isinstance(condition, IssuedSince):
        return _between("issued", day_number(condition.day, 0), NEVER)
    return _any([_word(condition, name) for name in fields])


def _word(condition: Has | Begins | Near | Phrase | PhraseBegins, name: str) -> Json:
    if isinstance(condition, Has):
        return _term(f"{name}_exact" if condition.exact else name, condition.word)
    if isinstance(condition, Begins):
        return {"prefix": {name: {"value": condition.letters}}}
    if isinstance(condition, Near):
        # As a constant score every word that is near counts; scored, only the fifty best would.
        how = {"fuzziness": 1, "transpositions": True, "prefix_length": 0, "rewrite": "constant_score"}
        return {"fuzzy": {name: {"value": condition.word, **how}}}
    if isinstance(condition, PhraseBegins):
        begun = " ".join((*condition.words, condition.letters))
        how = {"query": begun, "analyzer": "whitespace", "max_expansions": MOST_ENDINGS}
        return {"match_phrase_prefix": {name: how}}
    return {"match_phrase": {name: {"query": " ".join(condition.words), "analyzer": "whitespace"}}}


def _term(name: str, value: str) -> Json:
    return {"term": {name: {"value": value}}}


def _between(name: str, first: int, last: int) -> Json:
    return {"range": {name: {"gte": first, "lte": last}}}


def _all(conditions: list[Json]) -> Json:
    return {"bool": {"filter": conditions}} if conditions else {"match_all": {}}


def _any(conditions: list[Json]) -> Json:
    return (
        conditions[0] if len(conditions) == 1 else {"bool": {"should": conditions, "minimum_should_match": 1}}
    )
