"""Files to attack: letters of several make, signed by an authority of the tests in several honest ways."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from asn1crypto import x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import FieldMDPSpec, MDPPerm, SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.signers import PdfSignatureMetadata, Signer
from pyhanko.sign.signers.pdf_signer import DSSContentSettings, SigDSSPlacementPreference
from pyhanko_certvalidator import ValidationContext

from reuse_api.demo.pki import DemoAuthority
from signing.keys_file import FileKey
from signing.revocation import collect_status
from signing.sealing import KeyHolder, _SignerAt
from signing.timestamps import StampingAt
from tests.hostile.making import stream, written

PAID = b"BT /F 24 Tf 72 700 Td (Pay 100) Tj ET"
STOLEN = b"BT /F 24 Tf 72 700 Td (Pay 900) Tj ET"
Change = Callable[[IncrementalPdfFileWriter], None]
_FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


@dataclass(frozen=True)
class Notary:
    """Who signs: a key of an authority that the tests trust."""

    authority: DemoAuthority
    key: FileKey
    at: datetime

    async def signed(
        self,
        content: bytes,
        *,
        field: str = "Signature1",
        certify: MDPPerm | None = None,
        archive: bool = False,
        evidence: bool = True,
        box: tuple[int, int, int, int] | None = None,
        subfilter: SigSeedSubFilter = SigSeedSubFilter.PADES,
        key: FileKey | None = None,
        signer: Signer | None = None,
        status_at: datetime | None = None,
        stamped: bool = True,
        separate: bool = False,
        lock: FieldMDPSpec | None = None,
        careless: bool = False,
        page: int = 0,
    ) -> bytes:
        """Sign: an approval, or a certification with what it permits; B-LT, B-LTA or B-T; B-B unstamped.

        Args:
            signer: another than the notary, with a certificate of the same authority.
            status_at: when the certificates' status was asked; at the time of signing otherwise.
            careless: sign without looking at one's own certificate, and embed no evidence.
            page: where the box is, from 0.
            separate: put the evidence in a revision of its own behind the signature, as some programs do.
        """
        roots = [x509.Certificate.load(one) for one in self.authority.roots()]
        own = key or self.key
        chain = [x509.Certificate.load(one) for one in own.certificates]
        signer = signer or KeyHolder(own, chain, roots)
        chain = [signer.signing_cert, *chain[1:]]
        stamper = StampingAt(self.authority.timestamper(), self.at)
        await stamper.async_dummy_response("sha256")
        known = [*chain, *stamper.cert_registry, *roots]
        context = ValidationContext(
            trust_roots=roots,
            other_certs=known,
            moment=self.at,
            ocsps=(await collect_status(self.authority.revocation(), known, status_at or self.at)).ocsps,
            revocation_mode="require",
        )
        settings = DSSContentSettings(
            include_vri=separate,
            placement=SigDSSPlacementPreference.SEPARATE_REVISION
            if separate
            else SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE,
        )
        metadata = PdfSignatureMetadata(
            field_name=field,
            md_algorithm="sha256",
            certify=certify is not None,
            docmdp_permissions=certify or MDPPerm.FILL_FORMS,
            subfilter=subfilter,
            validation_context=context if evidence and not careless else None,
            embed_validation_info=evidence and not careless,
            use_pades_lta=archive,
            timestamp_field_name=f"{field}Stamp" if archive else None,
            dss_settings=settings,
            signer_key_usage={"non_repudiation"},
        )
        out = BytesIO(content)
        writer = IncrementalPdfFileWriter(out, strict=True)
        if box is not None or lock is not None:
            spec = SigFieldSpec(field, on_page=page, box=box or (0, 0, 0, 0), field_mdp_spec=lock)
            append_signature_field(writer, spec)
        making = _SignerAt(metadata, signer, stamper, self.at, None)
        if not stamped:
            making.default_timestamper = None
        await making.async_sign_pdf(writer, in_place=True)
        return out.getvalue()


def letter(contents: bytes = PAID) -> bytes:
    """Write a letter of one page."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>"
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: page,
        4: stream(contents),
        5: _FONT,
    }
    return written(objects)


def letter_with_cover() -> bytes:
    """Write a letter whose dangerous line is hidden under a white picture."""
    cover = stream(b"1 g 0 680 595 60 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<<>>")
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</Font<</F 5 0 R>>/XObject<</C 6 0 R>>>>>>"
    )
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: page,
        4: stream(STOLEN + b" /C Do"),
        5: _FONT,
        6: cover,
    }
    return written(objects)


def letter_with_second_tree() -> bytes:
    """Write a letter that carries another page, not shown, beside its own."""
    page = (
        b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources<</Font<</F 5 0 R>>>>>>"
    )
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: page % (2, 4),
        4: stream(PAID),
        5: _FONT,
        6: b"<</Type/Pages/Kids[7 0 R]/Count 1>>",
        7: page % (6, 8),
        8: stream(STOLEN),
    }
    return written(objects)


def letter_with_form() -> bytes:
    """Write a letter with a text field whose value is shown by its appearance."""
    look = b"/Type/XObject/Subtype/Form/BBox[0 0 200 20]/Resources<</Font<</F 5 0 R>>>>"
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Annots[6 0 R]"
        b"/Resources<</Font<</F 5 0 R>>>>>>"
    )
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]/DR<</Font<</F 5 0 R>>>>/DA(/F 12 Tf)>>>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: page,
        4: stream(PAID),
        5: _FONT,
        6: b"<</Type/Annot/Subtype/Widget/FT/Tx/T(amount)/V(100)/Rect[72 600 272 620]/P 3 0 R/F 4"
        b"/AP<</N 7 0 R>>>>",
        7: stream(b"BT /F 12 Tf (100) Tj ET", look),
    }
    return written(objects)


def updated(content: bytes, change: Change) -> bytes:
    """Append what a change makes of a file, as an honest program saves."""
    out = BytesIO(content)
    writer = IncrementalPdfFileWriter(out, strict=False)
    change(writer)
    writer.write_in_place()
    return out.getvalue()


def appended(content: bytes, objects: dict[int, bytes], *, root: int = 1, mark: bool = True) -> bytes:
    """Append objects with a cross-reference of our own making."""
    place = int(content[content.rindex(b"startxref") :].split()[1])
    out = bytearray(content if content.endswith(b"\n") else content + b"\n")
    sections = b""
    for number, body in sorted(objects.items()):
        sections += b"%d 1\n%010d 00000 n \n" % (number, len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n" + sections
    out += b"trailer\n<</Size %d/Root %d 0 R/Prev %d>>\nstartxref\n%d\n" % (
        max(200, *objects) + 1,
        root,
        place,
        start,
    )
    return bytes(out + (b"%%EOF\n" if mark else b""))
