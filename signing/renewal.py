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
from pyhanko.sign.general import extract_certificate_info

from signing.errors import SealingFailed
from signing.foreign import DIGEST, SPARE, Gathered, aside, keep, stamp
from signing.lasting import ends
from signing.revocation import Collected, RevocationSource, collect_status, is_issuer
from signing.timestamps import StampingAt, TimestampSource
from signing.workers import WorkerPool


@dataclass(frozen=True)
class Renewing:
    """Who stamps, who says that certificates stand, the roots (DER) they lead to, and when.

    `known` (DER) are other certificates, of our own configuration and never taken out of a file: those that
    sealed it, whose status is asked anew while they last, and those above the authority's own, where its
    answers leave them out.
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


async def lasts(order: Renewing) -> datetime:
    """Say until when a stamp would last that is made now: asked of the services, nothing is stamped by it.

    Raises:
        SealingFailed: a service gave no usable answer, or the authority's certificate does not stand.
    """
    return await aside(_lasts(order))


async def _lasts(order: Renewing) -> datetime:
    shown = await _shown(order)
    return ends(shown.own, shown.chain, order.at)


@dataclass(frozen=True)
class _Shown:
    """What the authority shows of itself: its certificate, those around it, their status, a token's size."""

    own: x509.Certificate
    chain: Sequence[x509.Certificate]
    proofs: Collected
    size: int


async def _shown(order: Renewing) -> _Shown:
    stamper = StampingAt(order.timestamper, order.at)
    dummy = await stamper.async_dummy_response(DIGEST)
    own = extract_certificate_info(dummy["content"]).signer_cert
    above = [x509.Certificate.load(one) for one in (*order.roots, *dict.fromkeys(order.known))]
    chain = [own, *(one for one in stamper.cert_registry if one != own)]
    for one in chain:  # grows upward
        chain += [issuer for issuer in above if is_issuer(issuer, one) and issuer not in chain]
    return _Shown(own, chain, await collect_status(order.revocation, chain, order.at), len(dummy.dump()))


async def _gather(order: Renewing) -> Gathered:
    """Collect what the new stamp rests on, and how the certificates of the seal stand now.

    The new stamp's chain must be proven. Of the others there may be nobody left to ask: then what was proven
    when they were used is in the file, and has to do. But where there is, a fresh proof keeps the file from
    resting on some that are new and some that are old.
    """
    shown = await _shown(order)
    known = [x509.Certificate.load(one) for one in dict.fromkeys((*order.known, *order.roots))]
    await _ask_of_others(order, known, shown.chain, shown.proofs)
    return Gathered(
        certificates=list(dict.fromkeys(one.dump() for one in shown.chain)),
        status=[one.dump() for one in shown.proofs.ocsps],
        lists=list(dict.fromkeys(one.dump() for one in shown.proofs.crls)),
        seal_digits=0,
        stamp_digits=2 * shown.size + SPARE,
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
