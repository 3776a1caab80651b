"""Elasticsearch, and OpenSearch through the same client: only the core that every build of both has.

Text is split at spaces and nothing else; folding is ours. An alias names the index in use; moving it is the
switch. Documents' sources are not kept: what is shown comes from the rows.
"""

import re
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from secrets import token_hex
from typing import Any
from urllib.parse import unquote, urlsplit

import elasticsearch
from elastic_transport import AiohttpHttpNode, HttpHeaders, TransportError

from search.access import IndexAccess, read_credentials
from search.elastic_queries import MAPPINGS, body, finding_body, leftover_body, placed, record_of
from search.errors import (
    IndexAddressInvalid,
    IndexMissing,
    IndexNewer,
    IndexRefused,
    IndexUnavailable,
    QueryInvalid,
)
from search.index import FACETS, LAYOUT, Cursor, Document, Page, Search, with_expired

NodeAnswer = Any  # (meta, body): the client exports no name for it
DEFAULT_NAME = "kho"
_BUILT = "-[0-9a-f]{12}"  # what follows the alias in the names of indexes that we build
_PORT = 9200
_DEADLINE = 10.0  # seconds for one search
_PUT_DEADLINE = 60.0  # and for one writing
_TOO_MANY = {"too_many_clauses", "too_many_nested_clauses"}  # what servers say of a query that is too big
_SETTINGS = {"number_of_shards": 1, "auto_expand_replicas": "0-1", "max_result_window": 10_000}


class CoreNode(AiohttpHttpNode):
    """Speaks plain JSON, and lets the client take any server that answers in it.

    OpenSearch neither knows Elastic's media types nor names Elastic's product, which the client asks for.
    """

    async def perform_request(  # type: ignore[override]
        self, method: str, target: str, body: Any = None, headers: Any = None, request_timeout: Any = None
    ) -> NodeAnswer:
        """Send one request."""
        plain = HttpHeaders(
            {
                name: value.replace("vnd.elasticsearch+", "").partition(";")[0]
                if name.lower() in ("accept", "content-type")
                else value
                for name, value in (headers or {}).items()
            }
        )
        answer = await super().perform_request(method, target, body, plain, request_timeout)
        told = HttpHeaders({**answer.meta.headers, "x-elastic-product": "Elasticsearch"})
        return answer._replace(meta=replace(answer.meta, headers=told))


class ElasticIndex:
    """An index of Elasticsearch or OpenSearch (contract: search/index.py)."""

    def __init__(self, address: str, access: IndexAccess | None = None) -> None:
        """Use "http(s)://[USER:PASSWORD@]HOST[:PORT][/NAME]"; nothing is asked of it yet.

        Raises:
            IndexAddressInvalid: it says nothing of the kind.
            IndexCredentialsUnusable: the file of the credentials is none.
        """
        self._client, self._place, self._alias = _client(address, access or IndexAccess())
        self._known = False  # that the layout of the index in use is ours

    async def search(self, search: Search) -> Page:
        """As the contract says."""
        cursor = Cursor.read(search.after, search.asked)
        first = cursor.round if cursor else 0
        async with self._asked():
            await self._check()
            for number in range(first, len(search.asked.rounds)):
                told = await self._client.search(index=self._alias, **finding_body(search, number, cursor))
                if told["hits"]["total"]["value"] or number == len(search.asked.rounds) - 1:
                    return _page(dict(told), search, number)
        raise AssertionError("a query has a round")

    async def put(self, documents: Sequence[Document], gone: Sequence[str] = ()) -> None:
        """As the contract says."""
        if not documents and not gone:
            return
        named = placed(documents)
        async with self._asked():
            await self._check()
            old = leftover_body({*(one.id for one in documents), *gone}, list(named))
            found = await self._client.search(index=self._alias, **old)
            operations: list[dict[str, Any]] = [
                {"delete": {"_id": one["_id"]}} for one in found["hits"]["hits"]
            ]
            for place, one in named.items():
                operations += [{"index": {"_id": place}}, body(one)]
            await self._bulk(self._alias, operations, require_alias=True, refresh=True)

    @asynccontextmanager
    async def building(self) -> AsyncIterator["_Fresh"]:
        """As the contract says."""
        name = f"{self._alias}-{token_hex(6)}"
        async with self._asked():
            await self._sweep(await self._in_use())
            mappings = {**MAPPINGS, "_meta": {"layout": LAYOUT}}
            await self._client.indices.create(index=name, mappings=mappings, settings=_SETTINGS)
        yield _Fresh(self, name)
        async with self._asked():
            await self._client.indices.refresh(index=name)
            old = await self._in_use()
            actions: list[dict[str, Any]] = [{"add": {"index": name, "alias": self._alias}}]
            actions += [{"remove": {"index": one, "alias": self._alias}} for one in old]
            await self._client.indices.update_aliases(actions=actions)  # all of it at once
            self._known = True
            await self._sweep([name])

    async def ready(self) -> int:
        """As the contract says."""
        self._known = False
        async with self._asked():
            await self._check()
            return int((await self._client.count(index=self._alias))["count"])

    async def close(self) -> None:
        """As the contract says."""
        await self._client.close()

    async def bulk(self, name: str, documents: Sequence[Document]) -> None:
        """Add documents to an index that is being built."""
        operations: list[dict[str, Any]] = []
        for place, one in placed(documents).items():
            operations += [{"index": {"_id": place}}, body(one)]
        async with self._asked():
            await self._bulk(name, operations, require_alias=False, refresh=False)

    async def _bulk(self, name: str, operations: list[dict[str, Any]], **how: Any) -> None:
        if not operations:
            return
        patient = self._client.options(request_timeout=_PUT_DEADLINE)
        told = await patient.bulk(index=name, operations=operations, **how)
        if not told["errors"]:
            return
        for item in told["items"]:
            ((kind, outcome),) = item.items()
            if kind == "delete" and outcome["status"] == 404 and "error" not in outcome:
                continue
            if "error" in outcome:
                problem = outcome["error"]["type"]
                missing = problem == "index_not_found_exception"
                raise (IndexMissing if missing else IndexUnavailable)(f"{self._place}: {problem}")

    async def _check(self) -> None:
        if self._known:
            return
        told = await self._client.indices.get_mapping(index=self._alias)
        for one in told.values():
            layout = _layout(one)
            if layout is None or layout < LAYOUT:
                raise IndexMissing(f"{self._place}: an index of another layout")
            if layout > LAYOUT:
                raise IndexNewer(f"{self._place}: layout {layout}, this Kho knows {LAYOUT}")
        self._known = True

    async def _in_use(self) -> list[str]:
        """Give the indexes behind the alias."""
        if not await self._client.indices.exists_alias(name=self._alias):
            return []
        return sorted((await self._client.indices.get_alias(name=self._alias)).keys())

    async def _sweep(self, kept: Sequence[str]) -> None:
        """Delete what we built before and is not in use; what only begins like it is somebody else's."""
        found = await self._client.indices.get(index=f"{self._alias}-*")
        built = re.compile(re.escape(self._alias) + _BUILT)
        for one, told in dict(found).items():
            ours = built.fullmatch(one) and set(told.get("aliases", ())) <= {self._alias}
            if ours and one not in kept and _layout(told) is not None:
                await self._client.indices.delete(index=one, ignore_unavailable=True)

    @asynccontextmanager
    async def _asked(self) -> AsyncIterator[None]:
        """Let only our errors out; none repeats the address's password, or what was searched for."""
        try:
            yield
        except elasticsearch.NotFoundError as problem:
            self._known = False
            raise IndexMissing(self._place) from problem
        except (elasticsearch.AuthenticationException, elasticsearch.AuthorizationException):
            raise IndexRefused(self._place) from None
        except elasticsearch.ApiError as problem:
            if _TOO_MANY & _told_of(problem.body):
                raise QueryInvalid("query_too_many_words") from None
            raise IndexUnavailable(f"{self._place}: answered {problem.meta.status}") from problem
        except TransportError as problem:
            raise IndexUnavailable(f"{self._place}: {type(problem).__name__}") from None


class _Fresh:
    """An index in the making."""

    def __init__(self, index: ElasticIndex, name: str) -> None:
        self._index, self._name = index, name

    async def put(self, documents: Sequence[Document]) -> None:
        if documents:
            await self._index.bulk(self._name, documents)


def _client(address: str, access: IndexAccess) -> tuple[elasticsearch.AsyncElasticsearch, str, str]:
    try:
        said = urlsplit(address)
        port, host = said.port or _PORT, said.hostname
    except ValueError:
        raise IndexAddressInvalid("an address that cannot be read") from None
    name = said.path.strip("/") or DEFAULT_NAME
    plain = name.replace("-", "").replace("_", "").isalnum() and name.isascii() and name == name.lower()
    if said.scheme not in ("http", "https") or not host or not plain or said.query or said.fragment:
        raise IndexAddressInvalid("expected http(s)://[USER:PASSWORD@]HOST[:PORT][/NAME]")
    place = f"{said.scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    how: dict[str, Any] = {
        "node_class": CoreNode,
        "request_timeout": _DEADLINE,
        "max_retries": 1,
        "retry_on_timeout": False,
    }
    told = read_credentials(access.credentials) if access.credentials is not None else None
    if isinstance(told, str):
        how["api_key"] = told
    elif told is not None:
        how["basic_auth"] = told
    elif said.username is not None:
        how["basic_auth"] = (unquote(said.username), unquote(said.password or ""))
    if said.scheme == "https":
        how["ssl_context"] = ssl.create_default_context()  # the system's roots, and those of SSL_CERT_FILE
    return elasticsearch.AsyncElasticsearch(place, **how), place, name


def _told_of(answer: Any) -> set[str]:
    """Give the kinds of error that an answer tells of."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return set()
    causes = error.get("root_cause")
    told = [error, *(causes if isinstance(causes, list) else ())]
    return {str(one.get("type")) for one in told if isinstance(one, dict)}


def _layout(told: Mapping[str, Any]) -> int | None:
    """Give the layout that an index says it has; None where no Kho made it."""
    said = told["mappings"].get("_meta", {}).get("layout")
    return said if type(said) is int else None


def _page(told: dict[str, Any], search: Search, number: int) -> Page:
    hits = told["hits"]["hits"]
    shown = hits[: search.limit]
    classes = len(search.asked.rounds[number].classes)
    cursor = None
    if len(hits) > search.limit:
        score, order = shown[-1]["sort"]
        cursor = str(Cursor(number, classes - round(score), int(order)))
    return Page(
        ids=tuple(dict.fromkeys(record_of(one["_id"]) for one in shown)),
        total=told["hits"]["total"]["value"],
        facets=_facets(told["aggregations"]) if search.facets else {},
        next=cursor,
        loose=number > 0,
    )


def _facets(told: dict[str, Any]) -> dict[str, dict[str, int]]:
    counted = {
        name: {bucket["key"]: bucket["doc_count"] for bucket in told[name]["buckets"]} for name in FACETS
    }
    counted["state"] = with_expired(counted["state"], told["over"]["doc_count"])
    return counted
