"""The back ends that the suites of the search index are run through."""

import json
import shutil
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from search.index import Index
from search.opening import open_index
from tests.servers import search_nodes

BACK_ENDS = ("tantivy", "elasticsearch", "opensearch")


def address_of(kind: str, folder: Path) -> str:
    """Give the address of an index that nobody uses yet; a folder of its own, or a name of its own."""
    return f"tantivy:{folder / 'index'}" if kind == "tantivy" else search_nodes.address(kind)


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[Index]:
    """Open an index as a process would, and close it."""
    index = open_index(address)
    yield index
    await index.close()


def built(address: str) -> list[str]:
    """Name what was built at an address, behind its alias or not, past the index itself."""
    if address.startswith("tantivy:"):
        return sorted(one.name for one in _folder(address).glob("index-*"))
    server, _, name = address.rpartition("/")
    with urllib.request.urlopen(f"{server}/{name}-*/_alias") as told:
        return sorted(json.load(told))


def asked_of(server: str, method: str, path: str, body: Any = None) -> Any:
    """Ask a search server something past the index, in JSON."""
    data = None if body is None else json.dumps(body).encode()
    said = urllib.request.Request(
        f"{server}/{path}", data, {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(said) as told:
        return json.load(told)


def destroy(address: str) -> None:
    """Take the index away, past whoever uses it."""
    if address.startswith("tantivy:"):
        shutil.rmtree(_folder(address))
        return
    server, _, _ = address.rpartition("/")
    for one in built(address):
        with urllib.request.urlopen(urllib.request.Request(f"{server}/{one}", method="DELETE")):
            pass


def _folder(address: str) -> Path:
    return Path(address.partition(":")[2])
