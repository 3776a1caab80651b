"""Pictures of agencies' round seals: taken through a worker, kept by hash and moment, drawn from then on.

Rows are only ever added, so that it can be told which picture stood on a result of any day.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.errors import SealImageDamaged
from signing.seal_image import SealImage, checked_image
from vault import agencies, registering
from vault.entries import instant, stamp
from vault.errors import NotFound
from vault.evidence_tables import seal_image
from vault.keeping import scratch_file, write_private
from vault.services import Vault

IMAGE_KEPT = "seal_image_kept"
IMAGE_REMOVED = "seal_image_removed"
_MICROMETRES = 25_400 / 72  # in a point


@dataclass(frozen=True)
class KeptImage:
    """What is told of a kept picture: its hash (hexadecimal), since when it is drawn, how wide it is (mm)."""

    sha256: str
    since: datetime
    millimetres: float


async def in_force(db: AsyncConnection, agency: str, at: datetime) -> SealImage | None:
    """Read the picture that an agency's seal shows at a moment; None where it shows text alone.

    Raises:
        SealImageDamaged: the row is not what was kept.
    """
    query = select(seal_image).where(seal_image.c.agency == agency, seal_image.c.since <= stamp(at))
    row = (await db.execute(query.order_by(seal_image.c.n.desc()).limit(1))).first()
    if row is None or row.sha256 is None:
        return None
    if sha256(row.content or b"").hexdigest() != row.sha256:
        raise SealImageDamaged
    return SealImage(row.content, row.width_um / _MICROMETRES, row.height_um / _MICROMETRES)


async def keep(vault: Vault, agency: str, file: Path, *, millimetres: float | None = None) -> KeptImage:
    """Take a picture for an agency's seals; one that was there before is drawn no more.

    Args:
        millimetres: how wide it is on paper, where the file does not say.

    Raises:
        NotFound: there is no such agency.
        SealImageRefused: the picture is not taken; its code says why.
        RewritingFailed, WorkerFailed: nobody could look at it. OSError: it cannot be read.
    """
    await _known(vault, agency)
    target = scratch_file(vault)
    write_private(target, b"")
    try:
        image = await checked_image(vault.workers, file, target, millimetres=millimetres)
    finally:
        target.unlink(missing_ok=True)
    digest, since = sha256(image.png).hexdigest(), vault.clock.now()
    width, height = round(image.width * _MICROMETRES), round(image.height * _MICROMETRES)
    values = {"sha256": digest, "content": image.png, "width_um": width, "height_um": height}
    await _add(vault, agency, since, values, IMAGE_KEPT, {"agency": agency, "image": digest})
    return KeptImage(digest, since, width / 1000)


async def remove(vault: Vault, agency: str) -> None:
    """Let an agency's seals show text alone from now on; what was sealed keeps its look.

    Raises:
        NotFound: there is no such agency, or it has no picture.
    """
    await _known(vault, agency)
    now = vault.clock.now()
    async with vault.db.read() as db:
        held = (await current(db)).get(agency)
    if held is None:
        raise NotFound("this agency has no picture of its seal")
    await _add(vault, agency, now, {}, IMAGE_REMOVED, {"agency": agency, "image": held.sha256})


async def current(db: AsyncConnection) -> dict[str, KeptImage]:
    """Read for each agency which picture was kept last, where it was not removed."""
    columns = (seal_image.c.agency, seal_image.c.sha256, seal_image.c.since, seal_image.c.width_um)
    last: dict[str, KeptImage] = {}
    for row in await db.execute(select(*columns).order_by(seal_image.c.agency, seal_image.c.n)):
        last.pop(row.agency, None)
        if row.sha256 is not None:
            last[row.agency] = KeptImage(row.sha256, instant(row.since), row.width_um / 1000)
    return last


async def _known(vault: Vault, agency: str) -> None:
    async with vault.db.read() as db:
        if not await agencies.registered(db, agency):
            raise NotFound(f"no agency is registered under the code {agency[:64]}")


async def _add(
    vault: Vault, agency: str, since: datetime, values: dict[str, object], event: str, facts: dict[str, str]
) -> None:
    async def rows(db: AsyncConnection) -> None:
        newest = select(func.max(seal_image.c.n)).where(seal_image.c.agency == agency)
        n = ((await db.execute(newest)).scalar() or 0) + 1
        row = {"agency": agency, "n": n, "since": stamp(since)}
        await db.execute(insert(seal_image).values(**row, **values))

    await registering.act(vault, event, facts, rows)
