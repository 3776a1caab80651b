"""Tells the demo's story in a vault of several processes: as `staff` of docker-compose.yml, who may register.

Two arguments: a folder of its own, and the language. Everybody who comes at a door comes over HTTP, as in
`kho demo`; who is registered is registered beside `kho serve`, as an operator's command would do it.
"""

import asyncio
import sys
from pathlib import Path

from reuse_api.demo import story
from reuse_api.demo.door import Door
from reuse_api.demo.people import STAFF, Office
from reuse_api.demo.teller import Teller
from reuse_api.settings import Settings, read_settings
from reuse_api.wiring import open_vault
from vault import officer_sign_ins


def has_one(_office: Office) -> None:
    """Offices' seal keys were registered with the sealer, by its own user."""


async def inhabit(settings: Settings, folder: Path, lang: str) -> None:
    teller = Teller(lang)  # type: ignore[arg-type]
    async with open_vault(settings) as vault:
        door = Door(settings.host, settings.port)
        await story.tell(vault, teller, folder, door, has_one, folder)
        if settings.staff_provider:
            for one in STAFF:
                who = {"agency": one.office.code, "officer": one.office.officer}
                at = {"issuer": settings.staff_provider, "subject": one.office.officer}
                await officer_sign_ins.let_sign_in(vault, **who, **at)


if __name__ == "__main__":
    asyncio.run(inhabit(read_settings(), Path(sys.argv[1]), sys.argv[2]))
