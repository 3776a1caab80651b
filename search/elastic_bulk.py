"""What is written to a search server in one go, cut into requests that proxies let pass.

A server takes far more in one request (http.max_content_length is 100 MB), but what stands in front of it
often stops at one megabyte.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from search.elastic_queries import body, placed
from search.index import Document

MOST_BYTES = 900_000  # of one request


def deleting(place: str) -> bytes:
    """Give the operation that takes away what a server has under an id."""
    return _lines({"delete": {"_id": place}})


def indexing(documents: Sequence[Document]) -> tuple[list[bytes], set[str]]:
    """Give the operations that put documents, and the records of those that no request can hold."""
    made, refused = [], set[str]()
    for place, one in placed(documents).items():
        try:
            made.append((one.id, _lines({"index": {"_id": place}}, body(one))))
        except UnicodeEncodeError:  # half a letter, as a text cut out of a file may have
            refused.add(one.id)
    refused |= {id for id, operation in made if len(operation) > MOST_BYTES}
    return [operation for id, operation in made if id not in refused], refused


def requests(operations: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Cut operations into requests, none larger than MOST_BYTES."""
    gathered: list[bytes] = []
    size = 0
    for one in operations:
        if gathered and size + len(one) > MOST_BYTES:
            yield gathered
            gathered, size = [], 0
        gathered.append(one)
        size += len(one)
    if gathered:
        yield gathered


def _lines(*of: dict[str, Any]) -> bytes:
    said = (json.dumps(one, ensure_ascii=False, separators=(",", ":")) + "\n" for one in of)
    return "".join(said).encode()
