"""The paper of a result: composed from checked fields, or a file that is handed in; sealed here if unsigned.

A composed result shows the picture of its agency's round seal where there is one. The seal of a handed-in
file is drawn in a strip above page 1, at the right, as on copies: it covers nothing, and there it shows no
picture (Nghị định 30/2020, Phụ lục I: top right of page 1, without image). PDF/A is not claimed for it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from policies.errors import IdentifierInvalid
from policies.identifiers import personal_number, tax_code
from signing.appearance import MARGIN, Appearance, draw_seal
from signing.composing import Composed, compose_result
from signing.errors import ComposingFailed, RewritingFailed, SealingFailed, SealNameUnfit, SealNotValid
from signing.file_types import PDF, XML
from signing.place import Place
from signing.report import Examination
from signing.seal_image import SealImage
from vault import agencies, seal_images
from vault.callers import SystemCaller
from vault.errors import FieldInvalid, FileRejected
from vault.examining import XML_TYPES, accepted
from vault.keeping import scratch_file, write_private
from vault.services import MAX_UPLOAD, Vault

REASON = "Kết quả điện tử"
_DRAWN = Place(0, (0, 0, 220, 52))  # points; the strip that page 1 grows by has room for it
TEMPLATES = {  # record type -> template of signing.composing
    "GKS": "birth_certificate",
    "GCNKH": "marriage_certificate",
    "TLTDCC": "civil_status_extract",
    "GCNQSDD": "land_use_certificate",
    "GCNDKDN": "business_registration",
}
# The fields that hold the owners' own numbers, where they are not called as such.
OWN_NUMBERS = {
    "GCNKH": ("wife_personal_number", "husband_personal_number"),
    "GCNQSDD": ("holder_personal_number", "second_holder_personal_number", "holder_tax_code"),
}
_NUMBERS = {"personal_number": personal_number, "tax_code": tax_code}  # what such a field's name ends with


@dataclass(frozen=True)
class HandedInFile:
    """A file as it was handed in, what its sender calls it, and the signature that came beside it, if any."""

    path: Path
    declared_type: str = PDF
    signature: bytes | None = None


@dataclass(frozen=True)
class Paper:
    """The finished file, examined by a fresh worker.

    `fields` only of one composed here; `unsealed` is a handed-in file as it was before it was sealed here,
    with its examination. `signature` stands beside a handed-in file.
    """

    file: Path
    examined: Examination
    fields: Mapping[str, Any] | None
    unsealed: tuple[Path, Examination] | None = None
    signature: bytes | None = None

    @property
    def to_be_sealed(self) -> bool:
        """Whether nobody has signed it."""
        return self.examined.report.reasons == ("no_signature",)

    @property
    def came(self) -> Examination | None:
        """The examination of the file as it was handed in, where ours is or will be another."""
        if self.unsealed is not None:
            return self.unsealed[1]
        return self.examined if self.to_be_sealed else None


def checked_fields(
    kind: str, fields: Mapping[str, Any], identifiers: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Check the numbers inside the fields of a result, and give the fields with canonical numbers.

    An owner's own must be a number that one of the owners is known by, where they have any of its kind.

    Args:
        kind: the record type.
        identifiers: (scheme, value) of every owner.

    Raises:
        FieldInvalid: naming the field.
    """
    checked = dict(fields)
    own = OWN_NUMBERS.get(kind, tuple(_NUMBERS))
    for name, value in fields.items():
        scheme = next((one for one in _NUMBERS if name.endswith(one)), None)
        if scheme is None or not isinstance(value, str) or not value.strip():
            continue  # that one is missing, or no text, is said by who composes
        try:
            checked[name] = _NUMBERS[scheme](value)
        except IdentifierInvalid as problem:
            raise FieldInvalid(f"fields.{name}", problem.code) from problem
        known = {number for kind_of, number in identifiers if kind_of == scheme}
        if name in own and known and checked[name] not in known:
            raise FieldInvalid(f"fields.{name}", "number_of_another_person")
    return checked


async def composed(
    vault: Vault, agency: str, kind: str, fields: Mapping[str, Any], at: datetime, request: str = ""
) -> Paper:
    """Compose a result and seal it with the agency's key; the file is the caller's to remove.

    `request` names what its signature is for (`vault.sealer.sealing_request`).

    Raises:
        FieldInvalid: there is no template for the type, or a field does not fit it.
        SealingFailed: no seal could be made.
    """
    template = TEMPLATES.get(kind)
    if template is None:
        raise FieldInvalid("type", "no_template")
    async with vault.db.read() as db:
        image = await seal_images.in_force(db, agency, at)
    room = 0.0 if image is None else image.height + MARGIN + 1  # the room is told in whole points
    try:
        made = await asyncio.to_thread(compose_result, template, fields, at=at, seal_height=room)
    except ComposingFailed as problem:
        raise FieldInvalid(f"fields.{problem.field or ''}".rstrip("."), problem.code) from problem
    plain, sealed = scratch_file(vault), scratch_file(vault)
    try:
        await asyncio.to_thread(write_private, plain, made.content)
        await _seal(vault, agency, made, image, plain, sealed, at, request)
    finally:
        plain.unlink(missing_ok=True)
    try:
        examined = await accepted(vault, sealed, max(at, vault.clock.now()))  # its proofs were made since
        if examined.report.verdict != "valid":
            raise SealNotValid(f"what was sealed does not validate: {examined.report.sub_indication}")
    except FileRejected as problem:  # a worker of ours that died, or a ceiling: no fault of the caller's
        sealed.unlink(missing_ok=True)
        raise SealingFailed(f"what was sealed could not be examined: {problem.code}") from problem
    except BaseException:
        sealed.unlink(missing_ok=True)
        raise
    return Paper(sealed, examined, fields)


async def _seal(
    vault: Vault,
    agency: str,
    made: Composed,
    image: SealImage | None,
    plain: Path,
    sealed: Path,
    at: datetime,
    request: str,
) -> None:
    async with vault.db.read() as db:
        name, _ = await agencies.name(db, agency)
    drawn: Appearance | None = None
    if made.place is not None:
        drawn = await _drawn(name, at, made.place, image)
    await vault.sealer.seal(
        agency, plain, sealed, at=at, reason=REASON, name=name, appearance=drawn, request=request
    )


async def _drawn(name: str, at: datetime, place: Place, image: SealImage | None = None) -> Appearance:
    try:
        return await asyncio.to_thread(draw_seal, name, at, place, image)
    except ComposingFailed as problem:
        raise SealNameUnfit(str(problem)) from problem


async def handed_in(vault: Vault, caller: SystemCaller, came: HandedInFile, at: datetime) -> Paper:
    """Take a file of the agency's; what it is worth is judged by its evidence (`vault.classing`).

    Raises:
        FieldInvalid: the file cannot be taken.
    """
    declared = XML if came.declared_type in XML_TYPES else PDF
    examined = await accepted(vault, came.path, at, declared, caller=caller, signature=came.signature)
    return Paper(came.path, examined, None, signature=came.signature)


async def sealed_here(vault: Vault, caller: SystemCaller, paper: Paper, at: datetime, request: str) -> Paper:
    """Seal an unsigned file with the agency's key (DESIGN 8); the sealed one is the caller's to remove.

    `request` as in `composed`.

    Raises:
        FieldInvalid: the file may not be sealed, for what it holds or hides, or cannot be: its pages are
            drawn once before any key is asked.
        FileRejected: drawing them takes too much.
        SealingFailed: no seal could be made.
    """
    came = await accepted(vault, paper.file, at, caller=caller, sealing=True)
    await _drawn_on_trial(vault, paper.file)
    async with vault.db.read() as db:
        name, _ = await agencies.name(db, caller.agency)
    drawn = await _drawn(name, at, _DRAWN)
    sealed = scratch_file(vault)
    try:
        await vault.sealer.seal_foreign(
            caller.agency,
            vault.workers,
            paper.file,
            sealed,
            mark=drawn.page,
            at=at,
            reason=REASON,
            name=name,
            max_bytes=MAX_UPLOAD,
            request=request,
        )
        examined = await _examined_again(vault, sealed, at)
    except RewritingFailed as problem:
        sealed.unlink(missing_ok=True)
        raise FieldInvalid("file", "file_not_sealable") from problem
    except BaseException:
        sealed.unlink(missing_ok=True)
        raise
    return replace(paper, file=sealed, examined=examined, unsealed=(paper.file, came))


async def _drawn_on_trial(vault: Vault, file: Path) -> None:
    failure = await vault.workers.undrawn(file)
    if failure == "unreadable":
        raise FieldInvalid("file", "file_not_sealable")
    if failure is not None:
        raise FileRejected("not_examinable")


async def _examined_again(vault: Vault, sealed: Path, at: datetime) -> Examination:
    try:
        examined = await accepted(vault, sealed, max(at, vault.clock.now()))  # its proofs were made since
    except (
        FieldInvalid
    ) as problem:  # FileRejected as well: the file's fault, as it was drawn and taken before
        raise FieldInvalid("file", "file_not_sealable") from problem
    report = examined.report
    if report.verdict != "valid" or {one.level for one in report.signatures} != {"B-LTA"}:
        raise SealNotValid(f"what was sealed does not validate: {report.sub_indication}")
    return examined
