# mypy: allow-untyped-calls
"""Sealing a file that came from outside: whoever parses it has no key, and the key's holder parses nothing.

A worker marks and prepares it; here the bytes around the gap are hashed, attributes are built and signed; a
fresh worker puts the signature in and prepares the archive time stamp, another one puts that in. Whether the
outcome is what was meant is for an examination by yet another worker to say.
"""

import asyncio
import base64
import hashlib
import os
import shutil
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any, TypeVar

from asn1crypto import cms, x509
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko_certvalidator import CertificateValidator, ValidationContext

from signing.errors import SealingFailed
from signing.revocation import Collected, anchoring, collect_status
from signing.sealing import KeyHolder, Sealing, flush_folder
from signing.sealing_threads import in_sealing_thread
from signing.timestamps import StampingAt
from signing.workers import WorkerPool

T = TypeVar("T")

DIGEST = "sha256"
_CHUNK = 1024 * 1024
SPARE = 512  # hexadecimal digits more than a dry run needs: signatures differ by a few bytes


@dataclass(frozen=True)
class Gathered:
    """What is embedded (DER), and how much room (hexadecimal digits) seal and stamp need."""

    certificates: list[bytes]
    status: list[bytes]
    lists: list[bytes]
    seal_digits: int
    stamp_digits: int

    def told(self) -> dict[str, list[str]]:
        """Tell a worker what to embed."""
        kinds = {"certificates": self.certificates, "status": self.status, "lists": self.lists}
        return {name: [_text(one) for one in found] for name, found in kinds.items()}


async def seal_foreign(
    pool: WorkerPool,
    content: Path,
    target: Path,
    *,
    mark: bytes | None = None,
    place: Sequence[float] = (),
    order: Sealing,
    max_bytes: int,
) -> None:
    """Write the marked and sealed form (PAdES B-LTA) of a PDF from outside to `target`: whole, or not at all.

    Args:
        content: an unsigned PDF that was examined before.
        mark: what is put on page 1 (`conversion.compose_mark`); None where it stands there already.
        place: of the seal on page 1 then: left, bottom, right, top in points.
        max_bytes: of the file and of what becomes of it.

    Raises:
        RewritingFailed: the file cannot be marked or prepared; that is the file's fault.
        SealingFailed: no seal could be made, for another reason.
    """
    # Named by the same ending: what a killed process leaves is swept with the other scratch files.
    part = target.with_name(f".{os.urandom(8).hex()}{target.suffix}")
    try:
        evidence = await aside(_gather(order))  # first: without it nobody needs to touch the file
        part.touch(mode=0o600, exist_ok=False)
        if mark is not None:
            request = {"task": "mark", "mark": _text(mark)}
            place = (await pool.rewrite(content, part, request, max_bytes=max_bytes))["place"]
        else:
            await asyncio.to_thread(shutil.copyfile, content, part)
        await _seal(pool, part, list(place), order, evidence, max_bytes)
        await asyncio.to_thread(keep, part, target)
    finally:
        part.unlink(missing_ok=True)


async def _seal(
    pool: WorkerPool,
    part: Path,
    place: Sequence[float],
    order: Sealing,
    evidence: Gathered,
    max_bytes: int,
) -> None:
    request = {
        "task": "seal",
        "place": list(place),
        **evidence.told(),
        "at": order.at.astimezone(UTC).isoformat(),
        "reason": order.reason,
        "name": order.name,
        "reserved": evidence.seal_digits,
    }
    gap = await pool.extend(part, request, max_bytes=max_bytes)
    digest = await asyncio.to_thread(digest_around, part, gap, evidence.seal_digits)
    signed = await aside(_sign(order, digest))
    await asyncio.to_thread(fill_gap, part, gap, signed)
    request = {"task": "stamp", "reserved": evidence.stamp_digits}
    await stamp(pool, part, request, StampingAt(order.timestamper, order.at), max_bytes)


async def stamp(
    pool: WorkerPool, part: Path, request: Mapping[str, Any], stamper: StampingAt, max_bytes: int
) -> None:
    """Put a document time stamp over a file, in place; `request` is the worker's ("stamp" or "renew")."""
    gap = await pool.extend(part, request, max_bytes=max_bytes)
    digest = await asyncio.to_thread(digest_around, part, gap, int(request["reserved"]))
    token = await aside(_stamp(stamper, digest))
    await asyncio.to_thread(fill_gap, part, gap, token)


def fill_gap(prepared: Path, gap: Mapping[str, Any], signed: bytes) -> None:
    """Write a signature (DER) into the gap that `digest_around` has seen. Raises SealingFailed."""
    digits = signed.hex().encode()
    if len(digits) > int(gap["stop"]) - int(gap["start"]) - 2:
        raise SealingFailed("the signature does not fit the gap")
    with prepared.open("r+b") as file:
        file.seek(int(gap["start"]) + 1)
        file.write(digits)


def digest_around(prepared: Path, gap: Mapping[str, Any], digits: int) -> bytes:
    """Hash a prepared file around its gap, once the gap is seen to be one: `digits` zeros, and no more.

    A worker says where the gap is and is not believed: what is signed is everything else there is.

    Raises:
        SealingFailed: there is no such gap.
    """
    try:
        start, stop = int(gap["start"]), int(gap["stop"])
    except (KeyError, TypeError, ValueError) as error:
        raise SealingFailed("the prepared file names no gap") from error
    digest = hashlib.sha256()
    with prepared.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if not 0 < start < stop < size or stop - start != digits + 2:
            raise SealingFailed("the gap of the prepared file is of another size")
        file.seek(0)
        _feed(digest, file, start)
        if file.read(stop - start) != b"<" + b"0" * digits + b">":
            raise SealingFailed("the gap of the prepared file holds something")
        _feed(digest, file, size - stop)
    return digest.digest()


def _feed(digest: Any, file: Any, left: int) -> None:
    while left > 0:
        chunk = file.read(min(left, _CHUNK))
        if not chunk:
            raise SealingFailed("the prepared file ended early")
        digest.update(chunk)
        left -= len(chunk)


async def _gather(order: Sealing) -> Gathered:
    chain = [x509.Certificate.load(one) for one in order.key.certificates]
    trusted = [x509.Certificate.load(one) for one in order.roots]
    stamper = StampingAt(order.timestamper, order.at)
    dummy = await stamper.async_dummy_response(DIGEST)  # shows the certificates of the authority
    used = [*chain, *stamper.cert_registry]
    known = [*used, *anchoring(used, trusted)]
    proofs = await collect_status(order.revocation, known, order.at)
    await _check_standing(order, known, proofs)
    dry = await _signed(order, bytes(32), stamper, dry_run=True)
    unique = dict.fromkeys(one.dump() for one in known)
    return Gathered(
        certificates=list(unique),
        status=[one.dump() for one in proofs.ocsps],
        lists=[one.dump() for one in proofs.crls],
        seal_digits=2 * len(dry.dump()) + SPARE,
        stamp_digits=2 * len(dummy.dump()) + SPARE,
    )


async def _check_standing(order: Sealing, known: Sequence[x509.Certificate], proofs: Collected) -> None:
    """Refuse a certificate that does not stand, before anything is signed (NĐ 23/2025, Điều 15)."""
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(root) for root in order.roots],
        other_certs=list(known),
        moment=proofs.moment(order.at),
        ocsps=proofs.ocsps,
        crls=proofs.crls,
        revocation_mode="require",
    )
    own = x509.Certificate.load(order.key.certificates[0])
    await CertificateValidator(own, validation_context=context).async_validate_usage({"non_repudiation"})


async def _sign(order: Sealing, digest: bytes) -> bytes:
    return bytes((await _signed(order, digest, StampingAt(order.timestamper, order.at))).dump())


async def _stamp(stamper: StampingAt, digest: bytes) -> bytes:
    token = await stamper.async_timestamp(digest, DIGEST)
    return bytes(token.dump())


async def _signed(
    order: Sealing, digest: bytes, stamper: StampingAt, *, dry_run: bool = False
) -> cms.ContentInfo:
    chain = [x509.Certificate.load(one) for one in order.key.certificates]
    roots = [x509.Certificate.load(one) for one in order.roots]
    holder = KeyHolder(order.key, chain, roots, order.request)
    return await holder.async_sign(
        digest,
        DIGEST,
        dry_run=dry_run,
        use_pades=True,
        timestamper=stamper,
        signed_attr_settings=PdfCMSSignedAttributes(),  # PAdES tells the time by the stamp, and in /M
    )


async def aside(making: Coroutine[Any, Any, T]) -> T:
    """Do the arithmetic of signing in a thread and an event loop of its own."""
    try:
        return await in_sealing_thread(lambda: asyncio.run(making))
    except SealingFailed:
        raise
    except Exception as error:  # pyHanko raises plain errors of many kinds
        raise SealingFailed(f"the document could not be sealed: {type(error).__name__}: {error}") from error


def keep(made: Path, target: Path) -> None:
    """Give a finished file its name, durably."""
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.replace(target)
    flush_folder(target.parent)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
