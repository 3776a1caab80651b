"""The sealer: it alone holds the agencies' seal keys, one file each in a folder of its own (DESIGN 6, 8)."""

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from signing.appearance import Appearance
from signing.errors import SealingFailed
from signing.foreign import seal_foreign
from signing.keys_file import FileKey
from signing.revocation import RevocationSource
from signing.sealing import Sealing, seal
from signing.timestamps import TimestampSource
from signing.trust_folder import TrustFolder
from signing.workers import WorkerPool


class Sealer:
    """Seals with the key of the agency that issues: what Kho composed itself, and what workers prepared."""

    def __init__(
        self,
        folder: Path,
        *,
        timestamper: TimestampSource | None,
        revocation: RevocationSource | None,
        trust: TrustFolder,
    ) -> None:
        self._folder = folder
        self._timestamper = timestamper
        self._revocation = revocation
        self._trust = trust

    def add(self, agency: str, key: FileKey) -> None:
        """Take over an agency's seal key (file mode 600)."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for half_written in self._folder.glob(".*"):  # by a process that was killed: this one has the vault
            half_written.unlink()
        key.to_pem(self._path(agency))

    def holds(self, agency: str) -> bool:
        """Say whether the agency's seal key is here."""
        return self._path(agency).exists()

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
    ) -> None:
        """Seal `content`, which Kho composed, into `target` as PAdES B-LTA, shown as `appearance` says.

        Raises:
            SealingFailed: no key, no time-stamp authority, or sealing failed; nothing is left behind.
        """
        order = replace(self._order(agency, at, reason, name), appearance=appearance)
        await seal(content, target, **vars(order))

    async def seal_foreign(
        self,
        agency: str,
        pool: WorkerPool,
        content: Path,
        target: Path,
        *,
        mark: bytes,
        at: datetime,
        reason: str,
        name: str,
        max_bytes: int,
    ) -> None:
        """Have workers mark a file from outside and seal it around what they prepare (`signing.foreign`).

        Raises:
            RewritingFailed: the file cannot be marked or prepared.
            SealingFailed: as in `seal`.
        """
        order = self._order(agency, at, reason, name)
        await seal_foreign(pool, content, target, mark=mark, order=order, max_bytes=max_bytes)

    def _order(self, agency: str, at: datetime, reason: str, name: str) -> Sealing:
        path = self._path(agency)
        if not path.exists():
            raise SealingFailed(f"no seal key is registered for agency {agency}")
        if self._timestamper is None or self._revocation is None:
            raise SealingFailed("no time-stamp and certificate status authority is configured")
        return Sealing(
            key=FileKey.from_pem(path),
            timestamper=self._timestamper,
            revocation=self._revocation,
            roots=self._trust.current().certificates,
            at=at,
            reason=reason,
            name=name,
        )

    def _path(self, agency: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9.]{1,64}", agency):
            raise SealingFailed("an agency code cannot name a key file")
        return self._folder / f"{agency}.pem"
