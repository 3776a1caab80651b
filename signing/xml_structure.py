# mypy: allow-untyped-calls
"""What an XML signature may hold beside what it signs: nothing that a reader could take for the document.

An enveloped signature leaves itself out of what it signs. Whatever stands in it unsigned (another Object, a
text, an attribute) is then part of the file and of no signature. Allowed is what XML-DSig and XAdES (ETSI EN
319 132-1) put there by name.
"""

from lxml import etree

from signing.xml_reading import DS, XADES, Unjudged, named_in

_XADES_141 = "{http://uri.etsi.org/01903/v1.4.1#}"
_DS_11 = "{http://www.w3.org/2009/xmldsig11#}"
_PARTS = tuple(f"{DS}{one}" for one in ("SignedInfo", "SignatureValue", "KeyInfo", "Object"))


def _names(space: str, names: str) -> frozenset[str]:
    return frozenset(space + one for one in names.split())


_KEY_NAMES = _names(
    DS,
    "KeyInfo KeyName KeyValue RSAKeyValue Modulus Exponent DSAKeyValue P Q G Y J ECKeyValue X509Data"
    " X509Certificate X509IssuerSerial X509IssuerName X509SerialNumber X509SubjectName X509SKI X509CRL",
) | _names(_DS_11, "ECKeyValue NamedCurve PublicKey X509Digest")
_UNSIGNED_NAMES = (
    _names(
        XADES,
        "UnsignedProperties UnsignedSignatureProperties UnsignedDataObjectProperties SignatureTimeStamp"
        " Include EncapsulatedTimeStamp CompleteCertificateRefs CompleteRevocationRefs"
        " AttributeCertificateRefs AttributeRevocationRefs SigAndRefsTimeStamp RefsOnlyTimeStamp"
        " CertificateValues RevocationValues AttrAuthoritiesCertValues AttributeRevocationValues"
        " ArchiveTimeStamp EncapsulatedX509Certificate CRLValues EncapsulatedCRLValue OCSPValues"
        " EncapsulatedOCSPValue CertRefs Cert CertDigest IssuerSerial CRLRefs CRLRef CRLIdentifier Issuer"
        " IssueTime Number OCSPRefs OCSPRef OCSPIdentifier ResponderID ByName ByKey ProducedAt"
        " DigestAlgAndValue",
    )
    | _names(
        _XADES_141,
        "ArchiveTimeStamp TimeStampValidationData CompleteCertificateRefsV2 AttributeCertificateRefsV2"
        " SigAndRefsTimeStampV2 RefsOnlyTimeStampV2 CertRefs Cert",
    )
    | _names(DS, "CanonicalizationMethod DigestMethod DigestValue X509IssuerName X509SerialNumber")
)
_ATTRIBUTES = frozenset({"Id", "Algorithm", "Encoding", "Target", "URI", "Type", "referencedData"})


def signed_properties(root: etree._Element, signature: etree._Element) -> etree._Element | None:
    """Return the XAdES properties that a reference of the signature names, or None.

    Only they may be believed, once every reference was verified.
    """
    for one in signature.findall(f"{DS}SignedInfo/{DS}Reference"):
        found = named_in(root, one.get("URI"))
        if len(found) == 1 and found[0].tag == f"{XADES}SignedProperties":
            return found[0]
    return None


def refuse_unsigned(root: etree._Element, signature: etree._Element) -> None:
    """Refuse a signature that stands elsewhere than last in its document, or holds more than it may.

    Raises Unjudged.
    """
    is_last = signature.getparent() is root and signature.getnext() is None
    if not is_last or (signature.tail or "").strip():
        raise Unjudged("coverage_incomplete")
    parts = [one.tag for one in signature]
    if parts != [one for one in _PARTS if one in parts] or parts[:2] != list(_PARTS[:2]):
        raise Unjudged("coverage_incomplete")
    value, key, held = (signature.find(one) for one in _PARTS[1:])
    signed = signed_properties(root, signature)
    holds_more = (
        not _is_plain(signature)
        or (value is not None and (len(value) > 0 or not _has_known_attributes(value)))
        or (key is not None and not _is_of(key, _KEY_NAMES))
        or (held is not None and not _is_qualifying(held, signed))
    )
    if holds_more:
        raise Unjudged("coverage_incomplete")


def _is_qualifying(held: etree._Element, signed: etree._Element | None) -> bool:
    """Tell whether an Object holds XAdES properties alone: the signed ones, and known unsigned ones."""
    names = [one.tag for one in held]
    if names != [f"{XADES}QualifyingProperties"] or not _is_plain(held):
        return False
    properties = held[0]
    signing = [one for one in properties if one is signed]
    unsigned = [one for one in properties if one.tag == f"{XADES}UnsignedProperties"]
    return (
        _is_plain(properties)
        and len(signing) == 1
        and len(unsigned) <= 1
        and list(properties) == signing + unsigned
        and all(_is_of(one, _UNSIGNED_NAMES) for one in unsigned)
    )


def _is_of(part: etree._Element, names: frozenset[str]) -> bool:
    """Tell whether everything from an element down goes by a known name and holds elements or text."""
    return all(one.tag in names and _is_plain(one) for one in part.iter())


def _is_plain(one: etree._Element) -> bool:
    """Tell whether an element has known attributes alone, and no text beside the elements that it holds."""
    if not _has_known_attributes(one):
        return False
    beside = ((one.text or ""), *((each.tail or "") for each in one)) if len(one) else ()
    return not any(text.strip() for text in beside)


def _has_known_attributes(one: etree._Element) -> bool:
    return all(name in _ATTRIBUTES for name in one.attrib)
