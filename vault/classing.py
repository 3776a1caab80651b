"""Gathering what a document's class is judged by: its signers, what its words show, what was measured of it.

A class is never handed in: every door describes where a document came from, and `judge` does the rest.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.paper_heading import Line
from policies.paper_words import Showing, Words, showing
from policies.trust_classes import CERTIFYING, Classed, Evidence, Origin, Signer, classify
from signing.file_types import PDF, XML
from signing.report import Examination, SignatureDetail, SignatureReport
from signing.worded import Worded
from vault import agencies, agency_certificates, scan_judging
from vault.agency_certificates import Registration
from vault.days import legal_day
from vault.errors import FieldInvalid, Moved
from vault.services import Vault
from vault.tables import agency_right

_NOTHING_SHOWN = Showing("unreadable", "no", "no")


@dataclass(frozen=True)
class Provenance:
    """Where a document comes from, as the door that took it knows it.

    Args:
        origin: how it came.
        type: the record type that it is kept as.
        agency: who handed it in, had it composed, or converted it; None for an owner's upload.
        owners: for each owner the (scheme, value) that they are known by.
        scan_passed: whether the scan was measured and is good enough; None where it was not measured.
        unsealed: the file as it was handed in, where it was sealed here: our seal adds words to it.
    """

    origin: Origin
    type: str
    agency: str | None
    owners: Sequence[Collection[tuple[str, str]]]
    scan_passed: bool | None = None
    unsealed: Path | None = None


@dataclass(frozen=True)
class Judged:
    """A class with the evidence it was judged by, and the registrations that its signers stand on.

    `seal` is the certificate of the vault's own seal key, where the document was sealed here.
    """

    evidence: Evidence
    classed: Classed
    certificates: frozenset[str]
    registrations: tuple[Registration, ...]
    seal: Registration | None


async def judge(vault: Vault, file: Path, examined: Examination, came: Provenance, at: datetime) -> Judged:
    """Judge a document that is being taken; its words are read by a worker where they matter."""
    report, said_by = examined.report, came.unsealed or file
    said = await shown(vault, said_by, examined, came, at)
    scan_passed = came.scan_passed
    if said.mark == "conversion" and scan_passed is None:
        scan_passed = await _scan_passed(vault, said_by, legal_day(at))
    certificates = frozenset(one.chain[0].sha256 for one in report.signatures if one.chain)
    async with vault.db.read() as db:
        registrations = await agency_certificates.of_certificates(db, certificates)
        seal = _own_seal(report, came, registrations, legal_day(at))
        known = (*registrations, seal) if seal is not None else registrations
        evidence = Evidence(
            origin=came.origin,
            verdict=report.verdict,
            signers=await signers(vault, db, report, came.type, known, at),
            mark=said.mark,
            type_shown=said.type,
            owner_shown=said.owner,
            agencies=await _answerable(db, came.agency, legal_day(at)),
            scan_passed=scan_passed,
            demonstration=vault.demonstration,
        )
    return Judged(evidence, classify(evidence), certificates, registrations, seal)


async def hold(db: AsyncConnection, judged: Judged) -> None:
    """Check, under the head lock, that the certificates are still whose they were.

    Raises:
        Moved: a certificate was registered or ended meanwhile.
    """
    if await agency_certificates.of_certificates(db, judged.certificates) != judged.registrations:
        raise Moved


async def signers(
    vault: Vault,
    db: AsyncConnection,
    report: SignatureReport,
    type: str,
    registrations: Sequence[Registration],
    at: datetime,
) -> tuple[Signer, ...]:
    """Say of every signature whose it is, on the day it was proven to be made (else today)."""
    # A root may stand in several folders: it vouches for signatures, and for time stamps too.
    trusted = {(one.sha256, one.purpose) for one in vault.trust.current().anchors}
    found = []
    for one in report.signatures:
        certificate = one.chain[0].sha256 if one.chain else ""
        day = _day(one, at)
        theirs = sorted({of.agency for of in registrations if of.sha256 == certificate and of.holds(day)})
        named = one.anchor
        known = named is not None and (named.sha256, named.purpose) in trusted
        found.append(
            Signer(
                verdict=one.verdict,
                certificate=certificate,
                anchor=named.purpose if named is not None and known else "",
                agencies=frozenset(theirs),
                issues=await _may(db, theirs, "issue", type, day),
                certifies=await _may(db, theirs, "process", CERTIFYING, day),
            )
        )
    return tuple(found)


def _day(signature: SignatureDetail, at: datetime) -> date:
    """A time that the signer alone claims proves no day: then today's registrations count."""
    proven = signature.time_source == "timestamp" and signature.signed_at is not None
    return legal_day(signature.signed_at if proven and signature.signed_at is not None else at)


async def _may(db: AsyncConnection, who: Collection[str], right: str, object: str, day: date) -> bool:
    query = select(agency_right.c.agency).where(
        agency_right.c.agency.in_(who),
        agency_right.c.right == right,
        agency_right.c.object == object,
        agency_right.c.valid_from <= day.isoformat(),
        agency_right.c.valid_until.is_(None) | (agency_right.c.valid_until >= day.isoformat()),
    )
    return (await db.execute(query.limit(1))).first() is not None


async def _answerable(db: AsyncConnection, agency: str | None, day: date) -> frozenset[str]:
    """Give an agency with those it succeeded: whose signature is as good as its own."""
    if agency is None:
        return frozenset()
    rights = await agencies.rights(db, agency, day)
    return frozenset({agency, *rights.get("succeed", ())})


def _own_seal(
    report: SignatureReport, came: Provenance, registrations: Sequence[Registration], day: date
) -> Registration | None:
    """Give the certificate of the seal just put on here; a registration that ended is not begun again."""
    sealed_here = came.origin in ("result", "digitised") or came.unsealed is not None
    if not sealed_here or came.agency is None or not report.signatures:
        return None
    chain = report.signatures[-1].chain
    if not chain or any((one.agency, one.sha256) == (came.agency, chain[0].sha256) for one in registrations):
        return None
    return Registration(came.agency, chain[0].sha256, chain[0].subject, day, None, None)


async def _scan_passed(vault: Vault, file: Path, day: date) -> bool | None:
    """Measure a copy that others digitised; None where it cannot be measured."""
    try:
        return (await scan_judging.look(vault, file, PDF, day)).quality.passed
    except FieldInvalid:
        return None


async def shown(vault: Vault, file: Path, examined: Examination, came: Provenance, at: datetime) -> Showing:
    """Say what a paper's words show; of what was made here that is known without reading."""
    if came.origin == "result":
        return Showing("none", "yes", "yes")
    if came.origin == "digitised":
        return replace(_NOTHING_SHOWN, mark="conversion")
    if examined.report.signatures and examined.media_type == XML:
        return replace(_NOTHING_SHOWN, mark="xml")
    if not examined.report.signatures or examined.media_type != PDF:
        return _NOTHING_SHOWN  # no signature, no better class: its words decide nothing
    read = await vault.workers.words(file)
    day = legal_day(at)
    names = {one.code: one.name.vi for one in vault.book.record_types if one.in_force.holds(day)}
    known = vault.book.record_type(came.type, day)
    places = len(known.owner_roles) if known is not None else 1
    return showing(words_of(read), came.type, names, came.owners, max(1, places))


def words_of(read: Worded) -> Words:
    """Give what a worker read as what is judged."""
    lines, layer_lines = (
        tuple(Line(one.text, one.size, one.left, one.right, one.bottom) for one in each)
        for each in (read.lines, read.layer_lines)
    )
    return Words(read.pages, read.complete, lines, read.layer, layer_lines)
