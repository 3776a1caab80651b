"""Having a file examined before it is taken: scanned where a scanner is set, then by a fresh worker process.

A file that is refused for what it does, carries or hides goes into quarantine, whoever handed it in.
A worker has no network: where it says that the status of certificates is wanting, this process fetches from
whom the operator allows, looks at nothing of it, and has the file examined again.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import Protocol

from signing.anchors import Anchor
from signing.errors import ScannerUnavailable
from signing.file_types import PDF, XML
from signing.grounds import Piece
from signing.report import Examination
from signing.status_proofs import StatusAnswer
from vault import status_cache, trusting
from vault.callers import OwnerCaller, SystemCaller
from vault.errors import FieldInvalid, FileRejected, MalwareScanUnavailable, SignatureInvalid, VaultBusy
from vault.keeping import scratch_file, write_private
from vault.quarantining import QUARANTINED, Suspect, turn_away
from vault.services import MAX_UPLOAD, Vault

XML_TYPES = frozenset({XML, "text/xml"})  # as browsers and systems declare it
UNSIGNED = ("no_signature",)  # the reasons of a file that carries none
NO_SIGNATURE_AT_ALL = ("format_wrong",)  # of what came beside a file and is none
HASH_FAILURE = "HASH_FAILURE"  # EN 319 102-1: the signature is one of other bytes
_ROUNDS = 2  # of fetching: whom a certificate names first, then the lists
# Nobody knows what such a file holds: its worker was ended, or whoever judges signatures gave up on it.
NOT_EXAMINED = frozenset(
    {"worker_timeout", "worker_memory", "worker_crashed", "library_error", "too_complex"}
)


class _Looking(Protocol):
    """One way in which a worker examines a file; what it is judged by is given each time."""

    async def __call__(
        self,
        *,
        anchors: Sequence[Anchor],
        at: datetime,
        max_bytes: int,
        fetched: Sequence[Piece] = (),
        answers: Sequence[StatusAnswer] = (),
    ) -> Examination: ...


async def accepted(
    vault: Vault,
    file: Path,
    at: datetime,
    declared_type: str = PDF,
    *,
    caller: OwnerCaller | SystemCaller | None = None,
    sealing: bool = False,
    signature: bytes | None = None,
) -> Examination:
    """Examine a file that somebody wants stored.

    Args:
        caller: who hands it in; None for what Kho made itself, which is neither scanned nor kept shut.
        sealing: it is about to be sealed, so that it may not even hide layers.
        signature: what stands beside the file, which must have no signature of its own then.

    Raises:
        FileRejected: the file is of no kind that is taken, or could not be examined within its limits.
        SignatureInvalid: it was changed after it was signed, or a signature of it is wrong. Whoever hands it
            in, nothing is stored of it as a record. A signature that cannot be judged is no ground to refuse.
        FieldInvalid: what came beside it is no signature of it.
        MalwareScanUnavailable: a scanner is set, and gave no clear answer.
    """
    await trusting.look(vault)
    if caller is not None:
        await scan_for_malware(vault, file, at, caller)
        if signature is not None:
            await _scan_signature(vault, signature, at, caller)
    examined = await judged(vault, file, at, declared_type=declared_type, sealing=sealing)
    if examined.report.verdict == "invalid":
        raise SignatureInvalid("file", examined.report.reasons)
    if examined.refusal is not None:
        if caller is not None and examined.refusal in QUARANTINED:
            suspect = (examined.sha256, examined.size, examined.refusal, examined.found, None)
            raise await turn_away(vault, Suspect(caller, file, *suspect, at))
        raise FileRejected(examined.refusal, examined.found)
    if NOT_EXAMINED.intersection(examined.report.reasons[:1]):
        raise FileRejected("not_examinable")
    unsigned = examined.report.reasons == UNSIGNED
    if signature is None:
        if unsigned and examined.media_type == XML:
            raise FileRejected("xml_unsigned")
        return examined
    if not unsigned:
        raise FieldInvalid("signature", "signature_one_too_many")
    return await _with_signature(vault, file, signature, examined, at)


async def _with_signature(
    vault: Vault, file: Path, signature: bytes, own: Examination, at: datetime
) -> Examination:
    """Judge an unsigned file by what stands beside it. Raises as `accepted`."""
    found = await judged_beside(vault, file, signature, at)
    report = found.report
    if report.verdict == "invalid":
        if report.sub_indication == HASH_FAILURE:
            raise FieldInvalid("signature", "signature_of_another_file")
        raise SignatureInvalid("signature", report.reasons)
    if NOT_EXAMINED.intersection(report.reasons[:1]):
        raise FileRejected("not_examinable")
    if report.reasons == NO_SIGNATURE_AT_ALL and not report.signatures:
        raise FieldInvalid("signature", "signature_unreadable")
    return replace(found, media_type=own.media_type, pages=own.pages)


async def judged(
    vault: Vault, file: Path, at: datetime, *, declared_type: str = PDF, sealing: bool = False
) -> Examination:
    """Examine a file by whom the vault trusts now, with whatever status can be had of its certificates.

    What was found of a PDF is also told by TS 119 102-2, to be kept beside the report.
    """
    if declared_type in XML_TYPES:
        return await _by_now(vault, partial(vault.workers.examine_xml, file, taking=True), at)
    looking = partial(vault.workers.examine, file, declared_type=declared_type, sealing=sealing, etsi=True)
    return await _by_now(vault, looking, at)


async def judged_beside(vault: Vault, file: Path, signature: bytes, at: datetime) -> Examination:
    """Examine the signature that stands beside a file, as `judged` does one within."""
    return await _by_now(vault, partial(vault.workers.examine_detached, file, signature), at)


async def _by_now(vault: Vault, looking: _Looking, at: datetime) -> Examination:
    """Have a worker look, and again with what could be fetched, where it asks for that.

    What was fetched is judged at the time it came: a proof made since `at` would be one of the future.
    """
    anchors = vault.trust.current().anchors
    examined = await looking(anchors=anchors, at=at, max_bytes=MAX_UPLOAD)
    asked = status_cache.Asked()
    for _ in range(_ROUNDS):
        answers = await status_cache.ask(vault, examined.questions, asked)
        if not answers or examined.judgement is None:
            break
        examined = await looking(
            anchors=anchors,
            at=max(at, vault.clock.now()),
            max_bytes=MAX_UPLOAD,
            fetched=examined.judgement.fetched,
            answers=answers,
        )
        await status_cache.learn(vault, answers, examined.accepted, asked)
        asked.proven(answers, examined.accepted)
    return examined


async def scan_for_malware(
    vault: Vault, file: Path, at: datetime, caller: OwnerCaller | SystemCaller
) -> None:
    """Have a file that somebody hands in scanned, where a scanner is set.

    Raises:
        FileRejected: it holds malware, and is in quarantine now.
        MalwareScanUnavailable: the scanner gave no clear answer.
    """
    if vault.scanner is None:
        return
    try:
        name = await vault.scanner.scan(file)
    except ScannerUnavailable as problem:
        raise MalwareScanUnavailable(str(problem)) from problem
    if name is not None:
        raise await kept_shut(vault, file, at, caller, "malware", ("malware",), name)


async def _scan_signature(
    vault: Vault, signature: bytes, at: datetime, caller: OwnerCaller | SystemCaller
) -> None:
    """Have what stands beside a file scanned too: it is handed out again as it came."""
    if vault.scanner is None:
        return
    scratch = scratch_file(vault)
    try:
        await asyncio.to_thread(write_private, scratch, signature)
        await scan_for_malware(vault, scratch, at, caller)
    except OSError as problem:
        raise VaultBusy(f"scratch: {problem.strerror}") from problem
    finally:
        scratch.unlink(missing_ok=True)


async def kept_shut(
    vault: Vault,
    file: Path,
    at: datetime,
    caller: OwnerCaller | SystemCaller,
    code: str,
    found: tuple[str, ...],
    malware: str | None = None,
) -> FileRejected:
    """Put a file into quarantine (`code` is one of QUARANTINED), and give the error that says so."""
    digest, size = await asyncio.to_thread(_measured, file)
    return await turn_away(vault, Suspect(caller, file, digest, size, code, found, malware, at))


def _measured(file: Path) -> tuple[bytes, int]:
    """Give the SHA-256 and the size of a file."""
    with file.open("rb") as content:
        return file_digest(content, "sha256").digest(), content.tell()
