"""The set-ups that are measured side by side: embedded, and on real servers of this machine."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers import postgres, seaweed
from tests.servers.search_nodes import Elasticsearch, Node
from tests.servers.sharing import Unobtainable


@dataclass(frozen=True)
class SetUp:
    """Where a vault is: its name, settings in place of the embedded ones, what of it could not be had."""

    name: str
    places: Mapping[str, Any] = field(default_factory=dict)
    lacking: str = ""
    apart: bool = False  # whether signer, gate and sealer are processes of their own


EMBEDDED = SetUp("embedded")


@contextmanager
def set_ups(folder: Path, *, search: bool = True, apart: bool = False) -> Iterator[list[SetUp]]:
    """Start PostgreSQL, SeaweedFS and Elasticsearch until the block ends.

    PostgreSQL flushes to the disk here, as SQLite does; Elasticsearch is left out where it cannot be had.

    Args:
        search: false where nothing is searched for.
        apart: whether there is a third: the same servers, and each part of Kho a process of its own.
    """
    with ExitStack() as running:
        rows = postgres.PrivatePostgres()
        running.callback(rows.close)
        rows.flushing()
        store = seaweed.PrivateSeaweed()
        running.callback(store.close)
        seaweed.client_of(store.host, store.access, store.secret).make_bucket("kho")
        folder.mkdir(parents=True, exist_ok=True)
        places: dict[str, Any] = {
            "database": postgres.fresh_database(sockets=rows.sockets),
            "store": f"s3+http://{store.host}/kho",
            "store_credentials": seaweed.access_of(store.offers, folder).credentials,
        }
        names, lacking = [rows.offers["version"], store.offers["version"]], ""
        try:
            if not search:
                raise Unobtainable
            node = running.enter_context(search_node())
            places["search"] = f"{node.url}/kho"
            names.append(node.offers["version"])
        except Unobtainable as missing:
            lacking = str(missing)
        found = [EMBEDDED, SetUp(", ".join(names), places, lacking)]
        if apart:
            others = {
                "database": postgres.fresh_database(sockets=rows.sockets),
                "store": f"{places['store']}/apart",
            }
            if "search" in places:
                others["search"] = f"{places['search']}-apart"
            found.append(SetUp("the same, parts apart", places | others, lacking, apart=True))
        yield found


@contextmanager
def search_node(kind: type[Node] = Elasticsearch) -> Iterator[Node]:
    """Start a search node in a folder that the user it runs as can reach.

    Raises:
        Unobtainable: its program is not here and cannot be had.
    """
    folder = Path(tempfile.mkdtemp(prefix="kho-bench-node-"))
    folder.chmod(0o755)
    try:
        node = kind(folder)
        try:
            yield node
        finally:
            node.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
