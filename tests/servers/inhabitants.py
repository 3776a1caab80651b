"""Tells the demo's story in a vault of several processes: as `staff` of docker-compose.yml, who may register.

Two arguments: a folder of its own, and the language; on the input the certificate of the proxy. Everybody
who comes at a door comes over HTTP, as in `kho demo`, people through the proxy and their provider; who is
registered is registered beside `kho serve`, as an operator's command would do it.
"""

import asyncio
import ssl
import sys
from pathlib import Path

from reuse_api.demo import story
from reuse_api.demo.door import Door
from reuse_api.demo.people import STAFF, Office
from reuse_api.demo.teller import Teller
from reuse_api.settings import Settings, read_settings
from reuse_api.wiring import open_vault
from tests.servers.coming_in import ByProvider
from tests.servers.realms import CITIZENS
from vault import officer_sign_ins


def has_one(_office: Office) -> None:
    """Offices' seal keys were registered with the sealer, by its own user."""


async def inhabit(settings: Settings, folder: Path, lang: str, trusted: ssl.SSLContext) -> None:
    teller = Teller(lang)  # type: ignore[arg-type]
    async with open_vault(settings) as vault:
        door = Door(settings.host, settings.port)
        accounts = {one.number: name for name, one in CITIZENS.items()}
        people_come = ByProvider(
            vault, settings.address, lambda one: accounts[one.number], settings.staff_provider, trusted
        )
        await story.tell(vault, teller, folder, door, has_one, folder, people_come)
        for one in STAFF:
            who = {"agency": one.office.code, "officer": one.office.officer}
            at = {"issuer": settings.staff_provider, "subject": one.office.officer}
            await officer_sign_ins.let_sign_in(vault, **who, **at)


if __name__ == "__main__":
    proxy = ssl.create_default_context(cadata=sys.stdin.read())
    asyncio.run(inhabit(read_settings(), Path(sys.argv[1]), sys.argv[2], proxy))
