"""Everything an operation works with: one frozen `Vault`, and what an operation answers when it refuses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from policies.book import Book
from search.index import Index
from signing.hook_sending import HookSender
from signing.malware import Clamd
from signing.ocr import Ocr
from signing.status_fetching import StatusFetcher
from signing.trust_folder import TrustFolder
from signing.workers import WorkerPool
from storage.blobs import BlobStore
from vault.appending import Appender
from vault.clock import Clock
from vault.database import Database
from vault.delegations import Grounds
from vault.facts_kept import FactsKept
from vault.grown_log import GrownLog
from vault.in_hand import InHand
from vault.key_gate import Gate
from vault.looks import Looks
from vault.remote_gate import RemoteGate
from vault.remote_sealer import RemoteSealer
from vault.scan_drafts import ScanDrafts
from vault.sealer import Sealer
from vault.tallying import Tally
from vault.tried_again import TriedAgain

Answer = dict[str, Any]
MAX_UPLOAD = 50 * 2**20  # bytes of one file, whoever hands it in
MAX_AFRESH = 3  # times a decision is made again when an epoch moved under it


@dataclass(frozen=True)
class Refusal:
    """A decided no: it is logged, it has reasons, and it is a value, not an exception."""

    reasons: tuple[str, ...]
    receipts: tuple[str, ...]
    status: Literal["refused", "ended"] = "refused"

    @property
    def code(self) -> str:
        """The first condition that stood in the way."""
        return self.reasons[0]


@dataclass
class SearchState:
    """What this process last saw of the search index; every answer that does without it may say so."""

    away: bool = False
    building: TriedAgain = field(default_factory=lambda: TriedAgain(longest=timedelta(minutes=10)))
    writing: TriedAgain = field(default_factory=lambda: TriedAgain(longest=timedelta(seconds=30)))


@dataclass(frozen=True)
class Vault:
    """The open vault."""

    db: Database
    store: BlobStore
    appender: Appender
    signer: GrownLog
    gate: Gate | RemoteGate
    sealer: Sealer | RemoteSealer
    workers: WorkerPool
    ocr: Ocr
    drafts: ScanDrafts
    trust: TrustFolder
    demonstration: bool  # a vault for tests: roots for tests count for classes
    status: StatusFetcher
    book: Book
    clock: Clock
    scratch: Path
    log_folder: Path
    scanner: Clamd | None = None  # of malware; None: none is set
    index: Index | None = None  # None: nothing can be searched for
    full_text: frozenset[str] = frozenset()  # record types found by their content too, if not sensitive
    search: SearchState = field(default_factory=SearchState)
    in_hand: InHand = field(default_factory=InHand)
    facts_kept: FactsKept = field(default_factory=FactsKept)
    folders: Mapping[str, Path] = field(default_factory=dict)  # of this machine, whose disks may fill
    looks: Looks = field(default_factory=Looks)
    hook_folder: Path = Path()  # of the keys that sign what is sent to web hooks; read by whoever sends
    hook_sender: HookSender = field(default_factory=HookSender)

    @property
    def tally(self) -> Tally:
        """What was done since this process started, counted."""
        return self.appender.tally

    @property
    def grounds(self) -> Grounds:
        """What delegations are judged by."""
        return Grounds(self.book, self.gate.tags)
