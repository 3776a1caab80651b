"""One of several workers that share an outbox; for `test_workers_share_an_outbox.py`.

The first line of input says what it opens. It says when it has opened that, waits for another line, and works
until it is told to end. What it puts into the index it writes down, as it begins and as it ends.
"""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from reuse_api.demo.pki import DemoAuthority
from search.index import Document
from tests.conftest import opened_house
from vault import outbox
from vault.indexing import index_due
from vault.rows_address import RowsAddress

_PUT = 0.05  # seconds, so that another would be seen beside it


class Written:
    """An index that is a journal: a line as it begins with documents, and one as it has ended with them."""

    def __init__(self, said: dict[str, Any]) -> None:
        self._said = said
        self._journal = os.open(said["journal"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def ready(self) -> int:
        return 0

    async def put(self, documents: Sequence[Document], gone: Sequence[str] = ()) -> None:
        ids = [one.id for one in documents]
        self._write("begins", ids)
        if self._said["stops"]:
            await asyncio.sleep(3600)  # in the middle of its work, until it is killed
        await asyncio.sleep(_PUT)
        self._write("ends", ids)

    def _write(self, what: str, ids: list[str]) -> None:
        line = {"who": self._said["name"], "what": what, "ids": ids, "at": time.monotonic()}
        os.write(self._journal, json.dumps(line).encode() + b"\n")


async def work(said: dict[str, Any]) -> None:
    outbox._LEASE = timedelta(seconds=said["lease"])
    folder = Path(said["folder"])
    authority = DemoAuthority.load(folder / "keys" / "authority")
    rows = RowsAddress(said["rows"])
    async with opened_house(folder, authority, said["keys"], 1, rows=rows) as house:
        vault = replace(house.vault, index=Written(said))  # type: ignore[arg-type]
        ending = threading.Event()
        print("open", flush=True)
        sys.stdin.readline()
        threading.Thread(target=lambda: (sys.stdin.readline(), ending.set()), daemon=True).start()
        while not ending.is_set():
            await index_due(vault, failed)
            await asyncio.sleep(0.02)


def failed(code: str, problem: Exception) -> None:
    print(code, problem, file=sys.stderr, flush=True)


if __name__ == "__main__":
    asyncio.run(work(json.loads(sys.stdin.readline())))
