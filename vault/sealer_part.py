"""The sealer as a process of its own: it has no rows, no store, and workers of its own for foreign bytes."""

import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from signing.appearance import Appearance
from signing.place import Place
from signing.workers import WorkerPool
from storage.keyring import check_key_folder, create_key_folder
from vault.sealer import Sealer
from vault.services import MAX_UPLOAD
from vault.socket_serving import Asked, Call, Journal, Told, listening
from vault.wire import FrameMalformed
from vault.wire_values import Said, blob, blobs, inside, moment, number, several, text, truth, written

_LARGEST = 2 * MAX_UPLOAD  # bytes of a file, as it comes and as it goes


class SealerPart:
    """What may be asked of a sealer."""

    def __init__(self, sealer: Sealer, pool: WorkerPool, scratch: Path) -> None:
        self._sealer = sealer
        self._pool = pool
        self._scratch = scratch

    @property
    def calls(self) -> dict[str, Call]:
        """What may be asked, by name."""
        return {
            "hello": self._told,
            "told": self._told,
            "seal": self._seal,
            "seal_foreign": self._seal_foreign,
            "renew": self._renew,
            "stamp_lasts": self._stamp_lasts,
            "settle": self._settle,
        }

    async def _told(self, _asked: Asked) -> Told:
        return Told({"told": written(await self._sealer.told())})

    async def _seal(self, asked: Asked) -> Told:
        said, target = asked.said, self._target()
        await self._sealer.seal(
            text(said, "agency"),
            _content(asked),
            target,
            at=moment(said, "at"),
            reason=text(said, "reason"),
            name=text(said, "name"),
            appearance=_appearance(inside(said, "appearance")) if "appearance" in said else None,
            request=text(said, "request"),
        )
        return Told(content=target)

    async def _seal_foreign(self, asked: Asked) -> Told:
        said, target = asked.said, self._target()
        await self._sealer.seal_foreign(
            text(said, "agency"),
            self._pool,
            _content(asked),
            target,
            place=_edges(said),
            mark=blob(said, "mark") if "mark" in said else None,
            at=moment(said, "at"),
            reason=text(said, "reason"),
            name=text(said, "name"),
            max_bytes=min(number(said, "max_bytes"), _LARGEST),
            request=text(said, "request"),
        )
        return Told(content=target)

    async def _renew(self, asked: Asked) -> Told:
        said, target = asked.said, self._target()
        most = min(number(said, "max_bytes"), _LARGEST)
        known, at = blobs(said, "known"), moment(said, "at")
        await self._sealer.renew(self._pool, _content(asked), target, known=known, at=at, max_bytes=most)
        return Told(content=target)

    async def _stamp_lasts(self, asked: Asked) -> Told:
        return Told(written({"until": await self._sealer.stamp_lasts(moment(asked.said, "at"))}))

    async def _settle(self, asked: Asked) -> Told:
        await self._sealer.settle(text(asked.said, "request"), used=truth(asked.said, "used"))
        return Told()

    def _target(self) -> Path:
        return self._scratch / f"{secrets.token_hex(16)}.pdf"


def _content(asked: Asked) -> Path:
    if asked.content is None:
        raise FrameMalformed("a file was to come with that")
    return asked.content


def _edges(said: Said) -> list[float]:
    try:
        return [float(text({"edge": one}, "edge")) for one in several(said, "place")]
    except ValueError:
        raise FrameMalformed("`place` is no list of numbers") from None


def _appearance(said: Said) -> Appearance:
    place = inside(said, "place")
    box = several(place, "box")
    if len(box) != 4 or not all(isinstance(edge, int) for edge in box):
        raise FrameMalformed("`box` is no box")
    left, bottom, right, top = box
    return Appearance(blob(said, "drawn"), Place(number(place, "page"), (left, bottom, right, top)))


@asynccontextmanager
async def sealing(
    sealer: Sealer,
    *,
    keys: Path,
    scratch: Path,
    place: Path,
    peers: Collection[int],
    create: bool,
    journal: Journal,
) -> AsyncIterator[None]:
    """Seal while inside.

    Args:
        create: make the folder of the keys where there is none.

    Raises:
        MasterKeyExposed, MasterKeyMissing, SocketInvalid, VaultLocked.
    """
    (create_key_folder if create else check_key_folder)(keys)
    pool = WorkerPool()
    await pool.start()
    try:
        calls = SealerPart(sealer, pool, scratch).calls
        async with listening(place, calls, peers=peers, journal=journal, scratch=scratch):
            yield
    finally:
        await pool.close()
