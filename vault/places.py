"""Where the parts of a vault are, and whom it trusts: what an opening is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from search.access import IndexAccess
from signing.ocr import Ocr
from signing.revocation import RevocationSource
from signing.timestamps import TimestampSource
from signing.trust_folder import TrustFolder
from storage.opening import folder_of
from storage.s3_address import StoreAccess
from vault.rows_address import RowsAddress


@dataclass(frozen=True)
class PartPlaces:
    """Where signer, gate and sealer listen, where they are processes of their own (docs/processes.md).

    `log_key` is the public line that the signer is held to; empty: what it says itself.
    """

    signer: Path
    gate: Path
    sealer: Path
    log_key: str = ""


@dataclass(frozen=True)
class VaultPlaces:
    """Where a vault lives: rows, bytes, keys, the published log, scratch files on the store's file system.

    With `parts` there are no keys here, but the one that signs what is sent to web hooks.
    """

    database: RowsAddress
    store: str
    keys: Path
    log: Path
    scratch: Path
    seal_passphrase: Path | None = None  # by default beside the keys
    search: str | None = None  # the address of the search index; None: none
    search_access: IndexAccess = field(default_factory=IndexAccess)
    full_text: frozenset[str] = frozenset()  # record types found by their content too
    store_access: StoreAccess = field(default_factory=StoreAccess)
    parts: PartPlaces | None = None

    @property
    def folders(self) -> Mapping[str, Path]:
        """The folders of this machine that must not run full, by what lies there."""
        found = {"scratch": self.scratch}
        if self.parts is None:
            found |= {"log": self.log, "keys": self.keys}
        if not self.database.server:
            found["rows"] = self.database.file.parent
        folder = folder_of(self.store)
        return found | ({"store": folder} if folder is not None else {})


@dataclass(frozen=True)
class Authorities:
    """Whom the vault trusts, where time stamps and certificate status come from, and who reads its scans.

    `demonstration`: its own seals lead to a root for tests, so that such roots count for what documents are
    worth; in any other vault they count for nothing.
    `timestamper` and `revocation` serve our own seals; the status of certificates in documents from outside
    is fetched from `status_hosts` alone ("HOST" or "HOST:PORT"). Web hooks point to the open Internet alone,
    or to addresses of `hook_hosts` ("ADDRESS" or "ADDRESS:PORT").
    """

    trust: TrustFolder = field(default_factory=TrustFolder)
    timestamper: TimestampSource | None = None
    revocation: RevocationSource | None = None
    demonstration: bool = False
    status_hosts: Sequence[str] = ()
    hook_hosts: Sequence[str] = ()
    ocr: Ocr = field(default_factory=Ocr.off)
