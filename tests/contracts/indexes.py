"""The back ends that the suites of the search index are run through."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

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
