# mypy: allow-untyped-calls
"""A signed XML document, read without network, document type or entities; what is strange is refused here."""

import base64
import re
from contextlib import suppress

from asn1crypto import x509
from lxml import etree

from signing.grounds import Piece, PieceKind

LARGEST_XML = 8 * 1024 * 1024  # bytes
MOST_CERTIFICATES = 20
MOST_STATUS = 40  # OCSP responses and CRLs
DS = "{http://www.w3.org/2000/09/xmldsig#}"
XADES = "{http://uri.etsi.org/01903/v1.3.2#}"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_CANONICAL = re.compile(
    r"http://www\.w3\.org/(?:TR/2001/REC-xml-c14n-20010315|2001/10/xml-exc-c14n#|2006/12/xml-c14n11)"
    r"(?:#?WithComments)?"
)
_NAME = re.compile(r"[\w.-]+")  # plain names: no XPointer, no second "#"
_DECLARES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")


class Unjudged(Exception):
    """The signature is of a kind, or in a state, that is not judged; the argument is the reason code."""


def safe_parser() -> etree.XMLParser:
    """Return a parser that fetches nothing, replaces no entity and refuses what is huge or nested deeply."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def parsed_xml(content: bytes) -> etree._Element:
    """Parse a document that declares nothing of its own. Raises Unjudged."""
    if len(content) > LARGEST_XML:
        raise Unjudged("too_complex")
    if b"\x00" in content or _DECLARES.search(content):  # UTF-8 alone, so that nothing is declared unseen
        raise Unjudged("xml_unsafe")
    parser = safe_parser()
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        raise Unjudged("structure_damaged") from None
    if (root.getroottree().docinfo.encoding or "UTF-8").upper() not in ("UTF-8", "ASCII", "US-ASCII"):
        raise Unjudged("xml_unsafe")
    return root


def signature_in(root: etree._Element) -> etree._Element:
    """Return the one signature of a document. Raises Unjudged."""
    found = list(root.iter(f"{DS}Signature"))
    if not found:
        raise Unjudged("no_signature")
    if len(found) > 1 or found[0] is root:
        raise Unjudged("signature_unsupported")
    return found[0]


def certificates_in(signature: etree._Element) -> list[x509.Certificate]:
    """Return the certificates that a signature holds, the signer's first. Raises Unjudged."""
    texts = signature.findall(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate")
    if not texts or len(texts) > MOST_CERTIFICATES:
        raise Unjudged("signature_unsupported")
    try:
        found = [
            x509.Certificate.load(base64.b64decode("".join((one.text or "").split())), strict=True)
            for one in texts
        ]
        return sorted(found, key=lambda one: bool(one.ca))  # the signer's first
    except (ValueError, TypeError):
        raise Unjudged("signature_unsupported") from None


def status_in(signature: etree._Element) -> list[Piece]:
    """Return the OCSP responses and CRLs that an XAdES signature carries, unchecked; without damaged ones."""
    kinds: tuple[tuple[str, PieceKind], ...] = (
        ("OCSPValues/{0}EncapsulatedOCSPValue", "ocsp"),
        ("CRLValues/{0}EncapsulatedCRLValue", "crl"),
    )
    found = []
    for path, kind in kinds:
        for one in signature.iterfind(f".//{XADES}RevocationValues/{XADES}{path.format(XADES)}"):
            with suppress(ValueError):
                found.append(Piece(kind, base64.b64decode("".join((one.text or "").split()), validate=True)))
    return found[:MOST_STATUS]


def refuse_strange(root: etree._Element, signature: etree._Element) -> None:
    """Refuse what would not be judged as it is meant: other transforms, parts of a document, SHA-1.

    Comments and processing instructions may stand unsigned in what is signed, and cut its texts in two for
    whoever reads them: with any of them the document is not what was signed. Raises Unjudged.
    """
    methods = [
        str(one.get("Algorithm")) for one in signature.iter(f"{DS}SignatureMethod", f"{DS}DigestMethod")
    ]
    if any("sha1" in one.lower() or "md5" in one.lower() for one in methods):
        raise Unjudged("algorithm_too_weak")
    references = signature.findall(f"{DS}SignedInfo/{DS}Reference")
    whole = [one for one in references if _is_whole(root, one.get("URI"))]
    others = [one for one in references if one not in whole]
    if len(whole) != 1 or _has_unsigned(root):
        raise Unjudged("coverage_incomplete")
    if any(not _is_inside(signature, one.get("URI")) for one in others):
        raise Unjudged("signature_unsupported")
    if len(list(signature.iter(f"{XADES}SignedProperties"))) > 1:  # which of them is signed would be a guess
        raise Unjudged("signature_unsupported")
    transforms = [str(one.get("Algorithm")) for one in signature.iter(f"{DS}Transform")]
    if any(one != _ENVELOPED and not _CANONICAL.fullmatch(one) for one in transforms):
        raise Unjudged("signature_unsupported")


def _has_unsigned(root: etree._Element) -> bool:
    """Tell of comments and instructions in a document, and of instructions (how to show it) around it."""
    around = (*root.itersiblings(preceding=True), *root.itersiblings())
    return any(one.tag is etree.PI for one in around) or any(
        not isinstance(one.tag, str) for one in root.iter()
    )


def _is_whole(root: etree._Element, uri: str | None) -> bool:
    return uri == "" or named_in(root, uri) == [root]


def _is_inside(signature: etree._Element, uri: str | None) -> bool:
    """Tell whether a reference names one element of the signature itself (its properties, its key)."""
    named = named_in(signature.getroottree().getroot(), uri)
    return len(named) == 1 and signature in named[0].iterancestors()


def named_in(root: etree._Element, uri: str | None) -> list[etree._Element]:
    """Find every element that any reader could take a reference to mean: by "id" in whatever letters.

    Readers look for Id, ID, id and xml:id in an order of their own; more than one element is one too many.
    """
    if uri is None or not uri.startswith("#") or not _NAME.fullmatch(uri[1:]):
        return []
    return [
        one
        for one in root.iter("*")
        if any(
            etree.QName(name).localname.lower() == "id" and value == uri[1:]
            for name, value in one.attrib.items()
        )
    ]
