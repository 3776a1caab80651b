"""Answers of Elasticsearch and OpenSearch, believed only where they are of the form that is documented.

What is not raises ValueError, TypeError, LookupError, AttributeError or ArithmeticError, as it comes.
"""

from typing import Any

from search.elastic_queries import placed_at, record_of
from search.errors import CursorInvalid, IndexMissing, IndexReadOnly, IndexUnavailable
from search.index import FACETS, Cursor, Page, Search, with_expired

Json = dict[str, Any]
_REFUSED = 400  # the one status of a single document that is the document's own fault
_CLOSED = "index_closed_exception"  # though it has that status, too
_BLOCKED = "cluster_block_exception"
_MISSING = "index_not_found_exception"


def count(value: Any) -> int:
    """Give a number of things."""
    if type(value) is not int or value < 0:
        raise ValueError("no count")
    return value


def acknowledged(told: Any) -> None:
    """See that a change was made, on every node."""
    if told["acknowledged"] is not True:
        raise ValueError("not acknowledged")


def kinds(answer: Any) -> set[str]:
    """Give the kinds of error that an answer tells of."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return set()
    causes = error.get("root_cause")
    told = [error, *(causes if isinstance(causes, list) else ())]
    return {str(one.get("type")) for one in told if isinstance(one, dict)}


def blocked(kinds: set[str]) -> bool:
    """Say whether errors tell of an index that is read-only."""
    return _BLOCKED in kinds


def layout(told: Any) -> int | None:
    """Give the layout that an index says it has; None where no Kho made it."""
    said = told["mappings"].get("_meta", {}).get("layout")
    return said if type(said) is int else None


def refused(told: Any, sent: int, place: str) -> set[str]:
    """Give the records whose documents a bulk request did not take for their own sake.

    Args:
        sent: how many operations there were.
        place: the server, for words.

    Raises:
        IndexMissing, IndexReadOnly, IndexUnavailable: it took others not, for no fault of theirs.
    """
    items = told["items"]
    if not isinstance(items, list) or len(items) != sent or type(told["errors"]) is not bool:
        raise ValueError("no answer to this request")
    found: set[str] = set()
    for item in items:
        ((_, outcome),) = item.items()
        status, error = count(outcome["status"]), outcome.get("error")
        if error is None:
            if status >= _REFUSED and status != 404:  # what is to be deleted may be gone already
                raise IndexUnavailable(f"{place}: answered {status}")
            continue
        kind = str(error["type"])
        if kind == _BLOCKED:
            raise IndexReadOnly(place)
        if kind == _MISSING:
            raise IndexMissing(f"{place}: {kind}")
        if status != _REFUSED or kind == _CLOSED:
            raise IndexUnavailable(f"{place}: {kind}")
        found.add(record_of(_text(outcome["_id"])))
    return found


def page(told: Any, search: Search, number: int) -> Page:
    """Read what was found in one round of a search."""
    total = count(told["hits"]["total"]["value"])
    hits = told["hits"]["hits"]
    if not isinstance(hits, list):
        raise TypeError
    shown = hits[: search.limit]
    return Page(
        ids=tuple(dict.fromkeys(record_of(_text(one["_id"])) for one in shown)),
        total=total,
        facets=_facets(told["aggregations"]) if search.facets else {},
        next=_cursor(shown[-1]["sort"], search, number) if len(hits) > search.limit else None,
        loose=number > 0 and total > 0,
    )


def places(told: Any) -> list[str]:
    """Read under which ids the server has what was found."""
    return [_text(one["_id"]) for one in told["hits"]["hits"]]


def _cursor(sort: Any, search: Search, number: int) -> str:
    score, order = sort
    made = Cursor(number, *placed_at(len(search.asked.rounds[number].classes), score), count(order))
    try:
        Cursor.read(str(made), search.asked)
    except CursorInvalid:
        raise ValueError("no place in this search") from None
    before = Cursor.read(search.after, search.asked)
    if before is not None and _place(made) <= _place(before):
        raise ValueError("a page that does not go on")
    return str(made)


def _place(cursor: Cursor) -> tuple[int, int, int, int]:
    return cursor.round, cursor.rank, cursor.ended, -cursor.order


def _facets(told: Any) -> dict[str, dict[str, int]]:
    counted = {
        name: {_text(one["key"]): count(one["doc_count"]) for one in told[name]["buckets"]} for name in FACETS
    }
    counted["state"] = with_expired(counted["state"], count(told["over"]["doc_count"]))
    return counted


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
