"""Elasticsearch, and OpenSearch through the same client: only the core that every build of both has.

Text is split at spaces and nothing else; folding is ours. An alias names the index in use; moving it is the
switch. Documents' sources are not kept: what is shown comes from the rows.
"""

import re
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from secrets import token_hex
from typing import Any
from urllib.parse import unquote, urlsplit

import elasticsearch
from elastic_transport import AiohttpHttpNode, HttpHeaders, TlsError, TransportError

from search.access import IndexAccess, read_credentials
from search.elastic_answers import acknowledged, blocked, count, kinds, layout, page, places, refused
from search.elastic_bulk import deleting, indexing, requests
from search.elastic_queries import MAPPINGS, finding_body, leftover_body, placed
from search.errors import (
    DocumentsRefused,
    IndexAddressInvalid,
    IndexMissing,
    IndexNameTaken,
    IndexNewer,
    IndexNotTrusted,
    IndexReadOnly,
    IndexRefused,
    IndexUnavailable,
    QueryInvalid,
    SearchError,
)
from search.index import LAYOUT, Cursor, Document, Page, Search

NodeAnswer = Any  # (meta, body): the client exports no name for it
DEFAULT_NAME = "kho"
_BUILT = "-[0-9a-f]{12}"  # what follows the alias in the names of indexes that we build
_PORT = 9200
_DEADLINE = 10.0  # seconds for one search
_PUT_DEADLINE = 60.0  # and for one writing
_TOO_MANY = {"too_many_clauses", "too_many_nested_clauses"}  # what servers say of a query that is too big
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
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
        rounds = range(cursor.round if cursor else 0, len(search.asked.rounds))
        asking = [(number, finding_body(search, number, cursor)) for number in rounds]
        async with self._asked():
            await self._check()
            for number, one in asking:
                found = page(await self._client.search(index=self._alias, **one), search, number)
                if found.total or number == rounds[-1]:
                    return found
        raise AssertionError("a query has a round")

    async def put(self, documents: Sequence[Document], gone: Sequence[str] = ()) -> None:
        """As the contract says."""
        if not documents and not gone:
            return
        operations, unsent = indexing(documents)
        old = leftover_body({*(one.id for one in documents), *gone}, list(placed(documents)))
        async with self._asked():
            await self._check()
            found = places(await self._client.search(index=self._alias, **old))
            deletes = [deleting(one) for one in found]
            await self._bulk(self._alias, [*deletes, *operations], unsent, seen=True)

    @asynccontextmanager
    async def building(self) -> AsyncIterator["_Fresh"]:
        """As the contract says."""
        name = f"{self._alias}-{token_hex(6)}"
        mappings = {**MAPPINGS, "_meta": {"layout": LAYOUT}}
        async with self._asked():
            await self._sweep(list(await self._in_use()))
            acknowledged(await self._client.indices.create(index=name, mappings=mappings, settings=_SETTINGS))
        try:
            yield _Fresh(self, name)
        except BaseException:
            with suppress(SearchError):  # else the next building sweeps it away
                async with self._asked():
                    await self._client.indices.delete(index=name, ignore_unavailable=True)
            raise
        async with self._asked():
            await self._client.indices.refresh(index=name)
            actions: list[dict[str, Any]] = [{"add": {"index": name, "alias": self._alias}}]
            for one in await self._in_use():
                actions.append({"remove": {"index": one, "alias": self._alias}})
            acknowledged(await self._client.indices.update_aliases(actions=actions))  # all of it at once
            self._known = True
            await self._sweep([name])

    async def ready(self) -> int:
        """As the contract says."""
        self._known = False
        async with self._asked():
            await self._check()
            return count((await self._client.count(index=self._alias))["count"])

    async def close(self) -> None:
        """As the contract says."""
        await self._client.close()

    async def bulk(self, name: str, documents: Sequence[Document]) -> None:
        """Add documents to an index that is being built."""
        operations, unsent = indexing(documents)
        async with self._asked():
            await self._bulk(name, operations, unsent, seen=False)

    async def _bulk(self, name: str, operations: Sequence[bytes], unsent: set[str], *, seen: bool) -> None:
        """Write; `seen`: searches find it on return, and the name must be the alias.

        Raises:
            DocumentsRefused: some documents are in no request, or were refused for their own sake.
        """
        patient = self._client.options(request_timeout=_PUT_DEADLINE)
        cut, not_taken = list(requests(operations)), set(unsent)
        for number, one in enumerate(cut, start=1):
            last = number == len(cut)
            lines: Any = one  # its type leaves out lines that are made already, which the client takes too
            told = await patient.bulk(index=name, operations=lines, require_alias=seen, refresh=seen and last)
            not_taken |= refused(told, len(one), self._place)
        if not_taken:
            raise DocumentsRefused(not_taken, f"{self._place}: {len(not_taken)}")

    async def _check(self) -> None:
        if self._known:
            return
        used = await self._in_use()
        if not used:
            raise IndexMissing(self._place)
        for said in used.values():
            if said < LAYOUT:
                raise IndexMissing(f"{self._place}: an index of another layout")
            if said > LAYOUT:
                raise IndexNewer(f"{self._place}: layout {said}, this Kho knows {LAYOUT}")
        self._known = True

    async def _in_use(self) -> dict[str, int]:
        """Give the indexes behind the alias, with their layouts.

        Raises:
            IndexNameTaken: an index has the name itself, or one that no Kho made is behind the alias.
        """
        try:
            told = await self._client.indices.get_mapping(index=self._alias)
        except elasticsearch.NotFoundError:
            return {}
        found: dict[str, int] = {}
        for name, one in told.items():
            said = layout(one)
            if said is None or name == self._alias:
                raise IndexNameTaken(f"{self._place}: {self._alias}")
            found[name] = said
        if not found:
            raise ValueError("neither an index nor none")
        return found

    async def _sweep(self, kept: Sequence[str]) -> None:
        """Delete what we built before and is not in use; what only begins like it is somebody else's."""
        found = await self._client.indices.get(index=f"{self._alias}-*")
        built = re.compile(re.escape(self._alias) + _BUILT)
        for one, told in found.items():
            ours = set(told["aliases"]) <= {self._alias} and layout(told) is not None
            if ours and built.fullmatch(one) and one not in kept:
                await self._client.indices.delete(index=one, ignore_unavailable=True)

    @asynccontextmanager
    async def _asked(self) -> AsyncIterator[None]:
        """Let only our errors out; none repeats the address's password, or what was searched for.

        Inside stands nothing but asking and reading what was answered: what fails at that is an answer that
        no search server gives.
        """
        try:
            yield
        except elasticsearch.NotFoundError as problem:
            self._known = False
            raise IndexMissing(self._place) from problem
        except elasticsearch.ApiError as problem:
            raise self._said(problem) from None
        except TlsError as problem:
            raise IndexNotTrusted(f"{self._place}: {_vouched_for(problem) or 'TLS'}") from None
        except TransportError as problem:
            raise IndexUnavailable(f"{self._place}: {type(problem).__name__}") from None
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ) as problem:
            said = f"an answer that cannot be read ({type(problem).__name__})"
            raise IndexUnavailable(f"{self._place}: {said}") from None

    def _said(self, problem: elasticsearch.ApiError) -> SearchError:
        told = kinds(problem.body)
        if _TOO_MANY & told:
            return QueryInvalid("query_too_many_words")
        if blocked(told):
            return IndexReadOnly(self._place)
        if isinstance(problem, elasticsearch.AuthenticationException | elasticsearch.AuthorizationException):
            return IndexRefused(self._place)
        return IndexUnavailable(f"{self._place}: answered {problem.meta.status}")


def _vouched_for(problem: TlsError) -> str:
    """Say what is wrong with the certificate; the address does not stand in it."""
    for one in problem.errors:  # of each try, and within them what the network said
        found = _vouched_for(one) if isinstance(one, TlsError) else _verified(one)
        if found:
            return found
    return ""


def _verified(problem: Exception) -> str:
    return str(getattr(getattr(problem, "certificate_error", None), "verify_message", ""))


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
        "retry_backoff_base": 0.1,  # with what is random added (seconds): others wait for the same server
        "retry_backoff_cap": 1.0,
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
