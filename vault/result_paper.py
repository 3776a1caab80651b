"""The paper of a result: composed from checked fields and sealed here, or a file that is handed in."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from policies.errors import IdentifierInvalid
from policies.identifiers import personal_number, tax_code
from signing.appearance import draw_seal
from signing.composing import Composed, compose_result
from signing.errors import ComposingFailed, SealingFailed
from signing.report import Examination
from vault import agencies
from vault.callers import SystemCaller
from vault.errors import FieldInvalid, FileRejected
from vault.examining import accepted
from vault.keeping import scratch_file, write_private
from vault.services import Vault

REASON = "Kết quả điện tử"
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
class Paper:
    """The finished file, examined by a fresh worker; `fields` only of one composed here."""

    file: Path
    examined: Examination
    fields: Mapping[str, Any] | None


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


async def composed(vault: Vault, agency: str, kind: str, fields: Mapping[str, Any], at: datetime) -> Paper:
    """Compose a result and seal it with the agency's key; the file is the caller's to remove.

    Raises:
        FieldInvalid: there is no template for the type, or a field does not fit it.
        SealingFailed: no seal could be made.
    """
    template = TEMPLATES.get(kind)
    if template is None:
        raise FieldInvalid("type", "no_template")
    try:
        made = await asyncio.to_thread(compose_result, template, fields, at=at)
    except ComposingFailed as problem:
        raise FieldInvalid(f"fields.{problem.field or ''}".rstrip("."), problem.code) from problem
    plain, sealed = scratch_file(vault), scratch_file(vault)
    try:
        await asyncio.to_thread(write_private, plain, made.content)
        await _seal(vault, agency, made, plain, sealed, at)
    finally:
        plain.unlink(missing_ok=True)
    try:
        examined = await accepted(vault, sealed, at)
        if examined.report.verdict != "valid":
            raise RuntimeError(f"our own seal does not validate: {examined.report.sub_indication}")
    except FileRejected as problem:  # a worker of ours that died, or a ceiling: no fault of the caller's
        sealed.unlink(missing_ok=True)
        raise SealingFailed(f"what was sealed could not be examined: {problem.code}") from problem
    except BaseException:
        sealed.unlink(missing_ok=True)
        raise
    return Paper(sealed, examined, fields)


async def _seal(vault: Vault, agency: str, made: Composed, plain: Path, sealed: Path, at: datetime) -> None:
    async with vault.db.read() as db:
        name, _ = await agencies.name(db, agency)
    drawn = None
    if made.place is not None:
        drawn = await asyncio.to_thread(draw_seal, name, at, made.place)
    await vault.sealer.seal(agency, plain, sealed, at=at, reason=REASON, name=name, appearance=drawn)


async def handed_in(vault: Vault, caller: SystemCaller, file: Path, at: datetime) -> Paper:
    """Take a file of the agency's; what it is worth is judged by its evidence (`vault.classing`).

    Raises:
        FieldInvalid: the file cannot be taken.
    """
    return Paper(file, await accepted(vault, file, at, caller=caller), None)
