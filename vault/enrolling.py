"""Whose certificates are whose: an administrator registers an agency's, and ends the registration.

Both are entries (kind 13). Whatever the certificate signed is then judged anew: a document is worth more, or
no more, from the next decision on.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from policies.headings import clean
from policies.recording import plain
from signing.leaf import Kind, Parts
from vault import agencies, agency_certificates, entries, epochs, reclassing, requests
from vault.agency_certificates import Registration
from vault.appending import Transaction
from vault.callers import VAULT_ACTOR, StaffCaller
from vault.entries import Logged
from vault.errors import FieldInvalid, NotAuthenticated, NotFound
from vault.services import Answer, Vault
from vault.telling import VAULT_HOLDER

CERTIFICATE_REGISTERED = "certificate_registered"
CERTIFICATE_ENDED = "certificate_ended"
MAX_CERTIFICATE = 16 * 1024  # characters of PEM
MAX_REASON = 1000


@dataclass(frozen=True)
class NewCertificate:
    """A certificate (PEM) as an administrator hands it in: whose it is, from which day to which, and why."""

    agency: str
    certificate: str
    valid_from: date
    valid_until: date | None
    reason: str


async def certificates(vault: Vault, agency: str) -> tuple[Registration, ...]:
    """List an agency's certificates, those of its own seal keys too.

    Raises:
        NotFound: there is no such agency.
    """
    async with vault.db.read() as db:
        if not await agencies.registered(db, agency):
            raise NotFound
        return await agency_certificates.of_agency(db, agency)


async def every_certificate(vault: Vault, limit: int) -> tuple[tuple[Registration, tuple[str, str]], ...]:
    """List the certificates of every agency with the agency's name (vi, en), by agency, `limit` at most."""
    async with vault.db.read() as db:
        found = await agency_certificates.every(db, limit)
        names = {one: await agencies.name(db, one) for one in {each.agency for each in found}}
    return tuple((one, names[one.agency]) for one in found)


async def register(vault: Vault, caller: StaffCaller | None, body: NewCertificate, *, key: str) -> Answer:
    """Register a certificate as an agency's; what it signed is judged anew.

    Args:
        caller: None for whoever has the keys of the vault, at its command line.
        key: the Idempotency-Key.

    Raises:
        NotAuthenticated: the caller is no administrator.
        NotFound: there is no such agency.
        FieldInvalid: the certificate cannot be read or is the agency's already, or the days are in the wrong
            order; nothing is stored.
        RequestConflict: the key was used for another request.
    """
    _allowed(caller)
    read = _read(body.certificate)
    fingerprint = sha256(read.public_bytes(Encoding.DER)).hexdigest()
    reason = said_reason(body.reason)
    if body.valid_until is not None and body.valid_until < body.valid_from:
        raise FieldInvalid("valid_until", "dates_in_wrong_order")
    if any(one.sha256 == fingerprint for one in await certificates(vault, body.agency)):
        raise FieldInvalid("certificate", "certificate_registered")
    new = Registration(
        body.agency, fingerprint, read.subject.rfc4514_string(), body.valid_from, body.valid_until, None
    )

    async def write(tx: Transaction, logged: Logged) -> None:
        known = await agency_certificates.of_certificates(tx.db, [fingerprint])
        if any(one.agency == new.agency for one in known):
            raise FieldInvalid("certificate", "certificate_registered")
        values = vars(new) | {"index": logged.index}
        await agency_certificates.add(tx.db, Registration(**values))

    days = {"valid_from": new.valid_from, "valid_until": new.valid_until}
    facts = {"agency": new.agency, "certificate": fingerprint, "reason": reason, **days}
    asked = requests.body_hash(CERTIFICATE_REGISTERED, plain(body))
    return await _act(vault, caller, CERTIFICATE_REGISTERED, facts, write, key, asked)


async def end(
    vault: Vault,
    caller: StaffCaller | None,
    agency: str,
    fingerprint: str,
    *,
    until: date,
    reason: str,
    key: str,
) -> Answer:
    """Give a registration its last day, a past one too where a key was lost; what it signed is judged anew.

    Raises:
        NotAuthenticated: the caller is no administrator.
        NotFound: the agency has no such certificate.
        FieldInvalid: it ends before that day already, or a reason is missing.
        RequestConflict: the key was used for another request.
    """
    _allowed(caller)
    why = said_reason(reason)
    asked = requests.body_hash(
        CERTIFICATE_ENDED,
        {"agency": agency, "certificate": fingerprint, "until": until.isoformat(), "reason": why},
    )
    known = {one.sha256: one for one in await certificates(vault, agency)}
    if fingerprint not in known:
        raise NotFound

    async def write(tx: Transaction, logged: Logged) -> None:
        found = await agency_certificates.of_certificates(tx.db, [fingerprint])
        (one,) = (one for one in found if one.agency == agency)
        if one.valid_until is not None and one.valid_until <= until:
            raise FieldInvalid("valid_until", "certificate_ends_before")
        await agency_certificates.end(tx.db, agency, fingerprint, until=until, index=logged.index)

    facts = {"agency": agency, "certificate": fingerprint, "reason": why, "valid_until": until}
    return await _act(vault, caller, CERTIFICATE_ENDED, facts, write, key, asked)


Write = Callable[[Transaction, Logged], Awaitable[None]]


async def _act(
    vault: Vault,
    caller: StaffCaller | None,
    event: str,
    facts: dict[str, Any],
    write: Write,
    key: str,
    asked: bytes,
) -> Answer:
    at, agency, fingerprint = vault.clock.now(), facts["agency"], facts["certificate"]
    async with vault.db.read() as db:
        held = await entries.holders(db, [VAULT_HOLDER])
    told = {name: plain(value) for name, value in facts.items() if value is not None}
    parts = Parts(
        subject={},
        actor=VAULT_ACTOR if caller is None else caller.actor(),
        purpose={},
        basis={"facts": told},
        event={"type": event, "result": "permitted", "at": at.isoformat()},
    )
    kind, id = ("vault", "vault") if caller is None else (caller.kind, caller.id)
    prepared = entries.prepare(Kind.ADMINISTRATOR_ACT, parts, held, at=at, caller_kind=kind, caller=id)

    async def change(tx: Transaction) -> Answer:
        done = await requests.answered(tx.db, id, key, asked)
        if done is not None:
            return done
        (logged,) = await tx.append([prepared])
        await write(tx, logged)
        await epochs.advance(tx.db, [("agency", agency)])
        answer: Answer = {
            "agency": agency,
            "certificate": fingerprint,
            "receipt": logged.receipt,
            "index": logged.index,
        }
        await requests.keep(tx.db, id, key, asked, answer, at)
        return answer

    answer = await vault.appender.commit(change)
    await reclassing.of_certificate(vault, fingerprint)
    return answer


def _allowed(caller: StaffCaller | None) -> None:
    if caller is not None and caller.role != "administrator":
        raise NotAuthenticated("role_missing")


def _read(pem: str) -> x509.Certificate:
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except ValueError as problem:
        raise FieldInvalid("certificate", "certificate_unreadable") from problem
    if len(found) != 1:
        raise FieldInvalid("certificate", "certificate_unreadable")
    return found[0]


def said_reason(text: str) -> str:
    """Give a reason as it stands in the log. Raises FieldInvalid: there is none, or it is too long."""
    said = clean(text)
    if not said:
        raise FieldInvalid("reason", "too_short")
    if len(said) > MAX_REASON:
        raise FieldInvalid("reason", "too_long")
    return said
