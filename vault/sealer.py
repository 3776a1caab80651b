"""The sealer: it alone reaches the agencies' seal keys, wherever they are (DESIGN 6, 8)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from signing.appearance import Appearance
from signing.errors import SealingFailed
from signing.foreign import seal_foreign
from signing.keys_file import FileKey
from signing.renewal import Renewing, lasts, renew
from signing.revocation import RevocationSource
from signing.sealing import Sealing, seal
from signing.timestamps import TimestampSource
from signing.trust_folder import TrustFolder
from signing.workers import WorkerPool
from vault.seal_keys import SealKeys


def sealing_request(purpose: str, caller: str, key: str) -> str:
    """Name what a signature is for, the same at each try: the operation, its caller, its Idempotency-Key."""
    return sha256("\0".join(("kho/1/seal", purpose, caller, key)).encode()).hexdigest()


class Sealer:
    """Seals with the key of the agency that issues: what Kho composed itself, and what workers prepared."""

    def __init__(
        self,
        folder: Path,
        *,
        timestamper: TimestampSource | None,
        revocation: RevocationSource | None,
        trust: TrustFolder,
        passphrase: Path | None = None,
    ) -> None:
        self.keys = SealKeys(folder, passphrase)
        self._timestamper = timestamper
        self._revocation = revocation
        self._trust = trust

    def add(self, agency: str, key: FileKey) -> None:
        """Take over an agency's seal key, into an encrypted file of ours."""
        self.keys.add(agency, key)

    def holds(self, agency: str) -> bool:
        """Say whether a seal key is registered for the agency."""
        return self.keys.holds(agency)

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
        """Seal `content`, which Kho composed, into `target` as PAdES B-LTA, shown as `appearance` says.

        Args:
            request: what the signature is for (`sealing_request`).

        Raises:
            SealingFailed: no key, no time-stamp authority, or sealing failed; nothing is left behind.
        """
        order = replace(self._order(agency, at, reason, name, request), appearance=appearance)
        await seal(content, target, **vars(order))

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
        """Seal a file from outside around what workers prepare (`signing.foreign`).

        Args:
            place: of the seal on page 1, where it is drawn there already.
            mark: else what is drawn in a strip above page 1.
            request: what the signature is for (`sealing_request`).

        Raises:
            RewritingFailed: the file cannot be prepared.
            SealingFailed: as in `seal`.
        """
        order = self._order(agency, at, reason, name, request)
        await seal_foreign(pool, content, target, mark=mark, place=place, order=order, max_bytes=max_bytes)

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
        """Put a further archive time stamp over a sealed file (`signing.renewal`); no seal key signs.

        Args:
            known: the certificates (DER) of the file; of them only ours are looked into, the rest is not
                parsed here.

        Raises:
            RewritingFailed: the file cannot be stamped.
            SealingFailed: no stamp could be had.
        """
        found = set(known)
        ours = [one for one in self.keys.certificates() if one in found]
        await renew(pool, content, target, order=self._renewing(at, ours), max_bytes=max_bytes)

    async def stamp_lasts(self, at: datetime) -> datetime:
        """Ask the services until when an archive time stamp would last that is made now; opens no file.

        Raises:
            SealingFailed: they give no usable answer.
        """
        return await lasts(self._renewing(at, self.keys.certificates()))

    def _renewing(self, at: datetime, known: Sequence[bytes]) -> Renewing:
        if self._timestamper is None or self._revocation is None:
            raise SealingFailed("no time-stamp and certificate status authority is configured")
        return Renewing(self._timestamper, self._revocation, self._trust.current().certificates, at, known)

    def _order(self, agency: str, at: datetime, reason: str, name: str, request: str) -> Sealing:
        key = self.keys.open(agency)
        if self._timestamper is None or self._revocation is None:
            raise SealingFailed("no time-stamp and certificate status authority is configured")
        return Sealing(
            key=key,
            timestamper=self._timestamper,
            revocation=self._revocation,
            roots=self._trust.current().certificates,
            at=at,
            reason=reason,
            name=name,
            request=request,
        )

    async def settle(self, request: str, *, used: bool) -> None:
        """Say of a request that ended whether its signature is in a record now, or of no use to anybody."""
        await asyncio.to_thread(self.keys.settle, request, used=used)

    async def told(self) -> dict[str, Any]:
        """Say what sealing rests on: kinds of keys, and how the services were when they were last asked."""
        none = {"kind": "none"}
        stamps, status = self._timestamper, self._revocation
        return {
            "keys": self.keys.kinds(),
            "timestamps": none if stamps is None else dict(stamps.state.told()),
            "status": none if status is None else dict(status.state.told()),
        }
