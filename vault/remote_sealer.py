"""The sealer as other processes have it: files go there and come back sealed; no seal key is here."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn, Self

from signing.appearance import Appearance
from signing.errors import SealerAway
from signing.keys_file import FileKey
from signing.workers import WorkerPool
from vault.errors import PartAway, VaultIncomplete
from vault.socket_calling import Part
from vault.wire_values import inside, moment, written

_SECONDS = 600.0  # for a seal: time stamps and status are fetched meanwhile, workers draw and write


class RemoteSealer:
    """Asks the sealer, whose own workers touch what comes from outside; while it is away nobody seals."""

    def __init__(self, place: Path) -> None:
        self._part = Part("sealer", place)

    @classmethod
    async def reached(cls, place: Path) -> Self:
        """Give it without waiting: all but sealing works while it is away."""
        return cls(place)

    async def close(self) -> None:
        """Close the connections."""
        await self._part.close()

    def add(self, agency: str, key: FileKey) -> NoReturn:
        """Refuse: keys are registered where the sealer keeps them. Raises VaultIncomplete."""
        raise VaultIncomplete("seal keys are registered by the sealer's own user: `kho seal-key`")

    def holds(self, agency: str) -> NoReturn:
        """Refuse, as `add` does."""
        raise VaultIncomplete("seal keys are listed by the sealer's own user: `kho seal-key list`")

    async def seal(
        self,
        agency: str,
        content: Path,
        target: Path,
        *,
        at: datetime,
        reason: str,
        name: str,
        appearance: Appearance | None = None,
        request: str = "",
    ) -> None:
        """Have a file sealed that Kho composed, as `Sealer.seal` does it."""
        said: dict[str, Any] = {"agency": agency, "at": at, "reason": reason, "name": name}
        said["request"] = request
        if appearance is not None:
            place = {"page": appearance.place.page, "box": list(appearance.place.box)}
            said["appearance"] = {"drawn": appearance.page, "place": place}
        await self._ask("seal", said, content, target)

    async def seal_foreign(
        self,
        agency: str,
        pool: WorkerPool,
        content: Path,
        target: Path,
        *,
        place: Sequence[float] = (),
        mark: bytes | None = None,
        at: datetime,
        reason: str,
        name: str,
        max_bytes: int,
        request: str = "",
    ) -> None:
        """Have a file from outside sealed, as `Sealer.seal_foreign` does it, by the sealer's own workers."""
        said: dict[str, Any] = {"agency": agency, "at": at, "reason": reason, "name": name}
        said |= {"request": request, "max_bytes": max_bytes, "mark": mark}
        await self._ask("seal_foreign", said | {"place": [str(edge) for edge in place]}, content, target)

    async def renew(
        self,
        pool: WorkerPool,
        content: Path,
        target: Path,
        *,
        known: Sequence[bytes],
        at: datetime,
        max_bytes: int,
    ) -> None:
        """Have a further archive time stamp put over a file, as `Sealer.renew` does it."""
        said = {"known": list(known), "at": at, "max_bytes": max_bytes}
        await self._ask("renew", said, content, target)

    async def stamp_lasts(self, at: datetime) -> datetime:
        """Ask until when an archive time stamp would last, as `Sealer.stamp_lasts` does it."""
        return moment(await self._ask("stamp_lasts", {"at": at}), "until")

    async def settle(self, request: str, *, used: bool) -> None:
        """Say of a request that ended what became of its signature, as `Sealer.settle` takes it.

        A sealer that is away is not told: as if this process had died before it could.
        """
        with suppress(SealerAway):
            await self._ask("settle", {"request": request, "used": used})

    async def told(self) -> dict[str, Any]:
        """Say what sealing rests on, or that the sealer is away."""
        try:
            return dict(inside(await self._ask("told", {}), "told"))
        except SealerAway as problem:
            return {"state": problem.code}

    async def _ask(
        self, call: str, said: dict[str, Any], content: Path | None = None, target: Path | None = None
    ) -> dict[str, Any]:
        try:
            return await self._part.ask(call, written(said), content=content, target=target, seconds=_SECONDS)
        except PartAway as problem:
            raise SealerAway(problem.detail, reason="unreachable") from problem
