# mypy: allow-untyped-calls
"""Renewing an archive time stamp before it runs out: a further one is put over the whole file.

The file may be our own: its bytes are treated as anybody's. A worker adds the proofs and leaves the gap, the
stamp is asked for here over bytes that are hashed here; whether the outcome is what was meant is for an
examination by yet another worker to say.
"""

import asyncio
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from asn1crypto import x509
from cryptography.x509 import load_der_x509_certificate

from signing.errors import SealingFailed
from signing.foreign import DIGEST, SPARE, Gathered, aside, keep, stamp
from signing.revocation import Collected, RevocationSource, anchoring, collect_status, is_issuer
from signing.timestamps import StampingAt, TimestampSource
from signing.workers import WorkerPool


@dataclass(frozen=True)
class Renewing:
    """Who stamps, who says that certificates stand, the roots (DER) they lead to, and when.

    `known` (DER) are other certificates: those of the file, whose status is asked anew while they last, and
    those above the authority's own, where its answers leave them out. What cannot be read is left out.
    """

    timestamper: TimestampSource
    revocation: RevocationSource
    roots: Sequence[bytes]
    at: datetime
    known: Sequence[bytes] = ()


async def renew(pool: WorkerPool, content: Path, target: Path, *, order: Renewing, max_bytes: int) -> None:
    """Write `content` with a further archive time stamp behind it to `target`: whole, or not at all.

    Raises:
        RewritingFailed: the file cannot be stamped; that is the file's fault.
        SealingFailed: no stamp could be had, for another reason.
    """
    part = target.with_name(f".{os.urandom(8).hex()}{target.suffix}")
    try:
        part.touch(mode=0o600, exist_ok=False)
        await asyncio.to_thread(shutil.copyfile, content, part)
        evidence = await aside(_gather(order))
        request = {"task": "renew", "reserved": evidence.stamp_digits, **evidence.told()}
        await stamp(pool, part, request, StampingAt(order.timestamper, order.at), max_bytes)
        await asyncio.to_thread(keep, part, target)
    finally:
        part.unlink(missing_ok=True)


async def _gather(order: Renewing) -> Gathered:
    """Collect what the new stamp rests on, and how the file's own certificates stand now.

    The new stamp's chain must be proven. Of the others there may be nobody left to ask: then what was proven
    when they were used is in the file, and has to do. But where there is, a fresh proof keeps the file from
    resting on some that are new and some that are old.
    """
    stamper = StampingAt(order.timestamper, order.at)
    dummy = await stamper.async_dummy_response(DIGEST)  # shows the certificates of the authority
    trusted = [x509.Certificate.load(root) for root in order.roots]
    known = [x509.Certificate.load(one) for one in dict.fromkeys(order.known) if _readable(one)]
    chain = [*stamper.cert_registry]
    for one in chain:  # grows upward
        chain += [above for above in known if is_issuer(above, one) and above not in chain]
    roots = anchoring(chain, trusted)
    proofs = await collect_status(order.revocation, [*chain, *roots], order.at)
    await _ask_of_others(order, [*known, *trusted], chain, proofs)
    return Gathered(
        certificates=list(dict.fromkeys(one.dump() for one in (*chain, *roots))),
        status=[one.dump() for one in proofs.ocsps],
        lists=list(dict.fromkeys(one.dump() for one in proofs.crls)),
        seal_digits=0,
        stamp_digits=2 * len(dummy.dump()) + SPARE,
    )


async def _ask_of_others(
    order: Renewing,
    known: Sequence[x509.Certificate],
    proven: Sequence[x509.Certificate],
    proofs: Collected,
) -> None:
    for one in known:
        issuer = next((other for other in known if is_issuer(other, one)), None)
        ended = one.not_valid_after <= order.at
        if issuer is None or ended or one in proven or one.self_issued or one.ocsp_no_check_value is not None:
            continue
        with suppress(SealingFailed):
            proofs.add(await order.revocation.status(one.dump(), issuer.dump(), order.at))


def _readable(certificate: bytes) -> bool:
    """Have the strict parser look first: these were found in a file."""
    try:
        load_der_x509_certificate(certificate)
    except ValueError:
        return False
    return True
