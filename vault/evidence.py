"""What an entry proves to the gate: pure checks, with no look at a row or a key (see vault/key_gate.py)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from signing.checkpoint import LogVerifier
from signing.leaf import Kind, Parts
from signing.log_errors import NoteInvalid, ProofInvalid
from signing.merkle import leaf_hash, verify_inclusion
from vault.callers import VAULT_ACTOR, Caller, StaffCaller
from vault.entries import instant
from vault.errors import GateRefused

FRESH = timedelta(seconds=90)  # ranges share one entry for 60 seconds, and a stream may wait 30
REPETITION = "verdict_repeated"  # the one job that may open a file from before a renewal


@dataclass(frozen=True)
class Evidence:
    """A finished inclusion proof of one entry under a signed checkpoint."""

    index: int
    leaf: bytes
    proof: Sequence[bytes]
    checkpoint: str


@dataclass(frozen=True)
class OpenedEntry:
    """An entry whose body was opened for somebody who may read it; kind and time are those committed to."""

    index: int
    kind: Kind
    leaf: bytes
    at: str
    parts: Parts
    seed: bytes


def check_proof(verifier: LogVerifier, evidence: Evidence) -> None:
    """Check that the entry is in the log that the checkpoint signs.

    Raises:
        GateRefused: the note or the proof is not good.
    """
    try:
        head = verifier.open_checkpoint(evidence.checkpoint)
        verify_inclusion(leaf_hash(evidence.leaf), evidence.index, head.size, list(evidence.proof), head.root)
    except (NoteInvalid, ProofInvalid) as problem:
        raise GateRefused(f"proof: {problem}") from problem


def check_delivered(
    entry: OpenedEntry, caller: Caller, record_id: str, digests: Collection[str], now: datetime
) -> None:
    """Check that the entry permits this caller a content (one of these SHA-256 as hex), and lately.

    Raises:
        GateRefused: naming the check that failed.
    """
    parts = entry.parts
    if parts.subject.get("record") != record_id or parts.subject.get("digest") not in digests:
        raise GateRefused("record: the entry names another one")
    if parts.actor != caller.actor():
        raise GateRefused("caller: the entry names another one")
    if parts.event.get("result") != "permitted":
        raise GateRefused("event: the entry permits nothing")
    _check_fresh(entry, now)


def check_job(entry: OpenedEntry, job: str, record_id: str, digests: Collection[str], now: datetime) -> None:
    """Check that the entry says that this job of the vault opens one of these very contents, and lately.

    Raises:
        GateRefused: naming the check that failed.
    """
    parts = entry.parts
    if parts.subject.get("record") != record_id or parts.subject.get("digest") not in digests:
        raise GateRefused("record: the entry names another one")
    if parts.actor != VAULT_ACTOR:
        raise GateRefused("caller: the entry names another one")
    if parts.event.get("type") != job or parts.event.get("result") != "permitted":
        raise GateRefused("event: the entry permits nothing of the kind")
    _check_fresh(entry, now)


def check_act(act: OpenedEntry, auditor: StaffCaller, index: int, now: datetime) -> None:
    """Check that an auditor's own entry says which entry is opened, on a ground, and lately.

    Raises:
        GateRefused: naming the check that failed.
    """
    if act.parts.actor != auditor.actor():
        raise GateRefused("caller: the entry names another one")
    if act.parts.event.get("of") != index or not act.parts.basis.get("facts", {}).get("ground"):
        raise GateRefused("entry: it names another one, or no ground")
    _check_fresh(act, now)


def _check_fresh(entry: OpenedEntry, now: datetime) -> None:
    if abs(now - instant(entry.at)) > FRESH:
        raise GateRefused("age: the entry is too old")


def readable(parts: Parts) -> Mapping[str, Mapping[str, Any]]:
    """Give the five parts by name."""
    return {
        "subject": parts.subject,
        "actor": parts.actor,
        "purpose": parts.purpose,
        "basis": parts.basis,
        "event": parts.event,
    }
