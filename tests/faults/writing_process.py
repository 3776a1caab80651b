"""One of several processes that write to one vault at once; for `test_several_processes.py`.

The first line of input says what it opens. When it has opened that it says so, waits for another line, works,
and says as JSON what it was answered.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from reuse_api.demo import people
from reuse_api.demo.pki import DemoAuthority
from signing.checkpoint import LogVerifier
from signing.leaf import Kind, Parts
from signing.merkle import verify_inclusion
from tests.conftest import House, opened_house
from tests.unit.vault.conftest import Lending
from vault import entries
from vault.publishing import publish
from vault.rows_address import RowsAddress
from vault.services import Refusal
from vault.telling import VAULT_HOLDER, nothing_to_check


async def work(said: dict[str, Any]) -> None:
    folder = Path(said["folder"])
    authority = DemoAuthority.load(folder / "keys" / "authority")
    rows = RowsAddress(said["rows"])
    async with opened_house(folder, authority, said["keys"], 1, rows=rows) as house:
        house.daughters = said["daughters"]
        print("open", flush=True)
        sys.stdin.readline()
        told = dict(zip(("entries", "fetched", "same", "published"), await at_once(house, said), strict=True))
        print(json.dumps(told), flush=True)
        sys.stdin.readline()  # both are open until both have ended


async def at_once(house: House, said: dict[str, Any]) -> list[Any]:
    bank = Lending(house, await house.system(people.BANK, officer=False))
    return await asyncio.gather(
        appended(house, said["count"]),
        asyncio.gather(*(fetched(bank, said["few"], f"{said['name']}-{n}") for n in range(said["tries"]))),
        asyncio.gather(*(fetched(bank, said["many"], f"same-{n}") for n in range(said["tries"]))),
        published(house),
    )


async def appended(house: House, count: int) -> list[Any]:
    """Append entries, prove each; gives what was proven and the heads that were signed for it."""
    async with house.vault.db.read() as db:
        held = await entries.holders(db, [VAULT_HOLDER])
    verifier = LogVerifier.from_line(house.vault.signer.verifier_line)

    async def one(number: int) -> Any:
        at = house.vault.clock.now()
        event = {"type": "tried", "result": "permitted", "number": number, "at": at.isoformat()}
        parts = Parts({}, {"system": "vault"}, {}, {}, event)
        kind = {"at": at, "caller_kind": "vault", "caller": "vault"}
        prepared = entries.prepare(Kind.HEARTBEAT, parts, held, **kind)
        (logged,) = await house.vault.appender.append([prepared], nothing_to_check)
        proof, note, size = await house.vault.appender.proof(logged.index)
        head = verifier.open_checkpoint(note)
        verify_inclusion(prepared.leaf_hash, logged.index, size, proof, head.root)
        return [logged.index, logged.receipt, prepared.leaf_hash.hex(), size, head.root.hex()]

    return list(await asyncio.gather(*(one(number) for number in range(count))))


async def fetched(bank: Lending, consent: str, key: str) -> Any:
    told = await bank.fetches(consent, key=key)
    return list(told.reasons) if isinstance(told, Refusal) else told


async def published(house: House) -> int:
    """Publish without a pause, as no service would."""
    done = 0
    for _ in range(20):
        done += await publish(house.vault)
        await asyncio.sleep(0.02)
    return done


if __name__ == "__main__":
    asyncio.run(work(json.loads(sys.stdin.readline())))
