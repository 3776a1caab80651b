"""Small PDFs signed by somebody of the tests' PKI, with nothing embedded about the status of certificates."""

import io
from pathlib import Path

import pikepdf
from asn1crypto import keys, x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore

from tests.servers.pki import Holder


async def signed_paper(holder: Holder, target: Path, title: str = "A paper") -> Path:
    """Sign a page as PAdES B-B: signature and chain, no time stamp, no proof of status."""
    page = io.BytesIO()
    with pikepdf.new() as paper:
        paper.add_blank_page()
        paper.docinfo["/Title"] = title
        paper.save(page)
    store = SimpleCertificateStore()
    store.register_multiple([x509.Certificate.load(one) for one in holder.chain])
    private = holder.private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signer = signers.SimpleSigner(
        signing_cert=x509.Certificate.load(holder.chain[0]),
        signing_key=keys.PrivateKeyInfo.load(private),
        cert_registry=store,
    )
    metadata = signers.PdfSignatureMetadata(
        field_name="Signature", subfilter=SigSeedSubFilter.PADES, md_algorithm="sha256"
    )
    page.seek(0)
    made = await signers.async_sign_pdf(IncrementalPdfFileWriter(page), metadata, signer)
    target.write_bytes(made.getvalue())
    return target
