"""Odd but honest signed files, each made by a function of its name: all of them must stay valid."""

import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pikepdf
from asn1crypto import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import (
    FieldMDPAction,
    FieldMDPSpec,
    MDPPerm,
    SigFieldSpec,
    SigSeedSubFilter,
    append_signature_field,
)
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko_certvalidator import ValidationContext

from signing.revocation import collect_status
from signing.timestamps import StampingAt
from tests.attacks.parties import party
from tests.attacks.signing_files import PAID, Notary, letter, letter_with_form
from tests.hostile.making import stream, written

Make = Callable[[Notary], Awaitable[bytes]]
HONEST: dict[str, Make] = {}


def honest(make: Make) -> Make:
    """Take a file into the list, under the name of what makes it."""
    HONEST[make.__name__] = make
    return make


def _saved(**how: Any) -> bytes:
    """Write a letter as another program does."""
    out = BytesIO()
    with pikepdf.open(BytesIO(letter())) as document:
        document.save(out, **how)
    return out.getvalue()


async def _stamped(notary: Notary, content: bytes, field: str) -> bytes:
    """Put a document time stamp over a file, with the proofs it needs."""
    roots = [x509.Certificate.load(one) for one in notary.authority.roots()]
    stamper = StampingAt(notary.authority.timestamper(), notary.at)
    await stamper.async_dummy_response("sha256")
    known = [*stamper.cert_registry, *roots, x509.Certificate.load(notary.key.certificates[1])]
    status = await collect_status(notary.authority.revocation(), known, notary.at)
    context = ValidationContext(
        trust_roots=roots, other_certs=known, moment=notary.at, ocsps=status.ocsps, revocation_mode="require"
    )
    out = BytesIO(content)
    writer = IncrementalPdfFileWriter(out)
    await PdfTimeStamper(stamper, field_name=field).async_timestamp_pdf(
        writer, "sha256", validation_context=context, in_place=True
    )
    return out.getvalue()


@honest
async def with_evidence_but_no_archive_stamp(notary: Notary) -> bytes:
    return await notary.signed(letter())


@honest
async def with_evidence_in_a_revision_of_its_own(notary: Notary) -> bytes:
    return await notary.signed(letter(), separate=True)


@honest
async def with_status_asked_the_day_before(notary: Notary) -> bytes:
    return await notary.signed(letter(), status_at=notary.at - timedelta(days=1), archive=True)


@honest
async def renewed_twice(notary: Notary) -> bytes:
    content = await notary.signed(letter(), archive=True)
    for times in (1, 2):
        later = replace(notary, at=notary.at + timedelta(minutes=times))
        content = await _stamped(later, content, f"Renewed{times}")
    return content


@honest
async def signed_and_then_stamped_as_a_whole(notary: Notary) -> bytes:
    """No time stamp in the signature, one over the file."""
    content = await notary.signed(letter(), stamped=False)
    return await _stamped(replace(notary, at=notary.at + timedelta(minutes=1)), content, "Stamp")


@honest
async def signed_by_two_in_a_row(notary: Notary) -> bytes:
    return await notary.signed(await notary.signed(letter()), field="Signature2")


@honest
async def certified_for_signing_and_then_signed(notary: Notary) -> bytes:
    content = await notary.signed(letter_with_form(), certify=MDPPerm.FILL_FORMS)
    return await notary.signed(content, field="Signature2", archive=True)


@honest
async def signed_again_in_a_place_kept_for_it(notary: Notary) -> bytes:
    """The second signature's empty field lies over the text, and was signed along with it."""
    out = BytesIO(letter())
    writer = IncrementalPdfFileWriter(out)
    append_signature_field(writer, SigFieldSpec("Signature2", on_page=0, box=(60, 690, 260, 730)))
    writer.write_in_place()
    return await notary.signed(await notary.signed(out.getvalue()), field="Signature2")


@honest
async def seen_on_a_page_that_is_turned(notary: Notary) -> bytes:
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/CropBox[20 20 575 822]/Rotate 90/Contents 4 0 R"
        b"/Resources<</Font<</F 5 0 R>>>>>>"
    )
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: page,
        4: stream(PAID),
        5: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    }
    return await notary.signed(written(objects), box=(320, 100, 520, 180), archive=True)


@honest
async def with_a_cross_reference_stream(notary: Notary) -> bytes:
    return await notary.signed(_saved(object_stream_mode=pikepdf.ObjectStreamMode.generate))


@honest
async def linearized_before_signing(notary: Notary) -> bytes:
    return await notary.signed(_saved(linearize=True), archive=True)


@honest
async def of_an_old_version(notary: Notary) -> bytes:
    return await notary.signed(letter().replace(b"%PDF-1.7", b"%PDF-1.3", 1))


@honest
async def with_a_comment_behind_the_header(notary: Notary) -> bytes:
    return await notary.signed(_saved(static_id=True, qdf=True))


@honest
async def with_blanks_at_the_end(notary: Notary) -> bytes:
    return await notary.signed(letter() + b"\r\n \n")


@honest
async def without_a_line_end_at_the_end(notary: Notary) -> bytes:
    return await notary.signed(letter().rstrip(), archive=True)


@honest
async def of_the_older_kind_with_embedded_status(notary: Notary) -> bytes:
    """As adbe.pkcs7.detached with the time stamp and adbe-revocationInfoArchival."""
    return await notary.signed(letter(), subfilter=SigSeedSubFilter.ADOBE_PKCS7_DETACHED)


@honest
async def by_a_key_on_p384(notary: Notary) -> bytes:
    signer = party(notary.authority, "Sở Tư pháp", ec.generate_private_key(ec.SECP384R1()), at=notary.at)
    return await notary.signed(letter(), signer=signer)


@honest
async def by_an_rsa_key_of_3072_bits(notary: Notary) -> bytes:
    private = rsa.generate_private_key(65537, 3072)
    return await notary.signed(letter(), signer=party(notary.authority, "Sở Y tế", private, at=notary.at))


@honest
async def by_a_name_in_decomposed_letters(notary: Notary) -> bytes:
    name = unicodedata.normalize("NFD", "Ủy ban nhân dân phường Trấn Biên")
    private = ec.generate_private_key(ec.SECP256R1())
    return await notary.signed(letter(), signer=party(notary.authority, name, private, at=notary.at))


@honest
async def by_a_very_long_name(notary: Notary) -> bytes:
    units = tuple(f"Phòng chuyên môn nghiệp vụ và tổng hợp số {n} của cơ quan" for n in range(40))
    private = ec.generate_private_key(ec.SECP256R1())
    signer = party(notary.authority, "Sở Nội vụ", private, at=notary.at, units=units)
    return await notary.signed(letter(), signer=signer)


@honest
async def with_a_field_locked(notary: Notary) -> bytes:
    lock = FieldMDPSpec(FieldMDPAction.INCLUDE, ["amount"])
    return await notary.signed(letter_with_form(), lock=lock, archive=True)
