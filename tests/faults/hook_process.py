"""One of several workers that tell web hooks; for `test_webhook_workers.py`.

The first line of input says what it opens. It says when it has opened that, waits for another line, and tells
what is due until it is told to end.
"""

import asyncio
import json
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from reuse_api.demo.pki import DemoAuthority
from signing.hook_sending import HookSender
from tests.conftest import opened_house
from vault import hooks, outbox
from vault.hook_delivering import HookPost
from vault.rows_address import RowsAddress


async def work(said: dict[str, Any]) -> None:
    outbox._LEASE = hooks._LEASE = timedelta(seconds=said["lease"])
    folder = Path(said["folder"])
    authority = DemoAuthority.load(folder / "keys" / "authority")
    rows = RowsAddress(said["rows"])
    async with opened_house(folder, authority, said["keys"], 1, rows=rows) as house:
        sender = HookSender(said["inside"])
        post = HookPost(replace(house.vault, hook_sender=sender), failed)
        ending = threading.Event()
        print("open", flush=True)
        sys.stdin.readline()
        threading.Thread(target=lambda: (sys.stdin.readline(), ending.set()), daemon=True).start()
        while not ending.is_set():
            await post.look()
            await asyncio.sleep(0.02)
        await post.idle()
        await sender.close()


def failed(code: str, problem: Exception) -> None:
    print(code, repr(problem), file=sys.stderr, flush=True)


if __name__ == "__main__":
    asyncio.run(work(json.loads(sys.stdin.readline())))
