"""An address gives an index: the one place that knows which kinds of index there are."""

from pathlib import Path
from typing import TYPE_CHECKING

from search.errors import IndexAddressInvalid

if TYPE_CHECKING:
    from search.access import IndexAccess
    from search.index import Index


def check_address(address: str) -> str:
    """Give the address back if an index can be there, without asking anybody.

    Raises:
        IndexAddressInvalid: it never repeats the address, which may carry a password.
    """
    kind, _, place = address.partition(":")
    if (kind == "tantivy" and place) or (kind in ("http", "https") and place.startswith("//")):
        return address
    raise IndexAddressInvalid('expected "tantivy:FOLDER" or "http(s)://[USER:PASSWORD@]HOST[:PORT][/NAME]"')


def open_index(address: str, access: "IndexAccess | None" = None) -> "Index":
    """Open the index at an address; nothing of it is read or made before it is used.

    Args:
        access: what a server needs beside it.

    Raises:
        IndexAddressInvalid: no index can be there.
        IndexCredentialsUnusable: the file of the credentials is none.
    """
    kind, _, place = check_address(address).partition(":")
    # Each client takes long to import (elasticsearch 1.7 s the first time), so only the one that is used is.
    if kind == "tantivy":
        from search.embedded import EmbeddedIndex  # noqa: PLC0415

        return EmbeddedIndex(Path(place))
    from search.elastic import ElasticIndex  # noqa: PLC0415

    return ElasticIndex(address, access)
