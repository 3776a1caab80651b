"""Signed XML, and signatures beside a file, by a key of the demo's authority; the status stands in them."""

import base64
from datetime import datetime
from typing import Any, cast

from asn1crypto import cms, core, ocsp, pem, x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from lxml import etree
from signxml import SignatureMethod
from signxml.xades import XAdESSigner

from reuse_api.demo.pki import DemoAuthority
from signing.cades_values import RevocationValues
from signing.keys_file import FileKey
from signing.revocation import collect_status
from signing.sealing import KeyHolder
from signing.timestamps import StampingAt

_OCSP = b"<xades:EncapsulatedOCSPValue>%s</xades:EncapsulatedOCSPValue>"
_HELD = (
    b"<xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:RevocationValues>"
    b"<xades:OCSPValues>%s</xades:OCSPValues></xades:RevocationValues>"
    b"</xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
)
_END = b"</xades:QualifyingProperties>"
_REVOCATION_VALUES = "1.2.840.113549.1.9.16.2.24"


async def signed_xml(authority: DemoAuthority, key: FileKey, content: str, at: datetime) -> bytes:
    """Sign a document as XAdES, enveloped, with the status of its certificates in it."""
    chain = [
        load_der_x509_certificate(one).public_bytes(Encoding.PEM).decode() for one in key.certificates[:2]
    ]
    signer = XAdESSigner(signature_algorithm=SignatureMethod.ECDSA_SHA256)
    made = signer.sign(etree.fromstring(content), key=key.private, cert="".join(chain))
    known = [x509.Certificate.load(one) for one in (*key.certificates, *authority.roots())]
    status = await collect_status(authority.revocation(), known, at)
    held = b"".join(_OCSP % base64.b64encode(one.dump()) for one in status.ocsps)
    return bytes(etree.tostring(made, encoding="UTF-8")).replace(_END, _HELD % held + _END)


async def signature_beside(
    authority: DemoAuthority, key: FileKey, content: bytes, at: datetime, *, armored: bool = False
) -> bytes:
    """Sign a file as CAdES, detached, stamped, with the status of every certificate in it; DER or PEM."""
    roots = [x509.Certificate.load(one) for one in authority.roots()]
    chain = [x509.Certificate.load(one) for one in key.certificates]
    stamper = StampingAt(authority.timestamper(), at)
    await stamper.async_dummy_response("sha256")  # so that its certificates are known, and their status told
    made = await KeyHolder(key, chain, roots).async_sign_general_data(
        content, "sha256", use_cades=True, timestamper=stamper
    )
    status = await collect_status(authority.revocation(), [*chain, *roots, *stamper.cert_registry], at)
    signed = made["content"]
    signer = signed["signer_infos"][0]
    inner = [ocsp.OCSPResponse.load(one.dump())["response_bytes"]["response"].parsed for one in status.ocsps]
    values = RevocationValues({"ocsp_vals": [cast(Any, one) for one in inner]})
    own = cms.CMSAttribute({"type": _REVOCATION_VALUES, "values": [core.Any(values)]})
    names = ("version", "sid", "digest_algorithm", "signed_attrs", "signature_algorithm", "signature")
    one = {name: signer[name] for name in names} | {"unsigned_attrs": [*signer["unsigned_attrs"], own]}
    names = ("version", "digest_algorithms", "encap_content_info", "certificates")
    parts = {name: signed[name] for name in names} | {"signer_infos": [cms.SignerInfo(one)]}
    whole = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(parts)}).dump()
    return pem.armor("CMS", whole) if armored else bytes(whole)
