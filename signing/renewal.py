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
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from asn1crypto import x509

from signing.foreign import DIGEST, SPARE, Gathered, aside, keep, stamp
from signing.revocation import RevocationSource, collect_status
from signing.timestamps import StampingAt, TimestampSource
from signing.workers import WorkerPool


@dataclass(frozen=True)
class Renewing:
    """Who stamps, who says that certificates stand, the roots (DER) they lead to, and when."""

    timestamper: TimestampSource
    revocation: RevocationSource
    roots: Sequence[bytes]
    at: datetime


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
    """Collect what the new stamp rests on, and how its own and its issuers' certificates stand now.

    Where the authority is still the one that made the stamp before, its fresh status goes in with it. What an
    earlier authority's status was is in the file since it was stamped.
    """
    stamper = StampingAt(order.timestamper, order.at)
    dummy = await stamper.async_dummy_response(DIGEST)  # shows the certificates of the authority
    known = [*stamper.cert_registry, *(x509.Certificate.load(root) for root in order.roots)]
    proofs = await collect_status(order.revocation, known, order.at)
    return Gathered(
        certificates=list(dict.fromkeys(one.dump() for one in known)),
        status=[one.dump() for one in proofs.ocsps],
        lists=[one.dump() for one in proofs.crls],
        seal_digits=0,
        stamp_digits=2 * len(dummy.dump()) + SPARE,
    )
