# mypy: allow-untyped-calls
"""What could be asked, and where, about the certificates that a file's signatures and stamps lead through."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from asn1crypto import x509 as parsed
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko_certvalidator.path import ValidationPath

from signing.anchoring import first_paths
from signing.anchors import Anchor
from signing.status_proofs import StatusQuestion

MOST_CERTIFICATES = 8  # of one file
_MOST_ADDRESSES = 2  # of a kind, of one certificate
_LONGEST_ADDRESS = 2048  # characters


async def status_questions(
    anchors: Sequence[Anchor], embedded: Sequence[EmbeddedPdfSignature]
) -> list[StatusQuestion]:
    """List the questions about the signatures and time stamps of a PDF, as `questions_along` does.

    A chain that leads to no anchor is not worth a question.
    """
    return questions_along(await first_paths(anchors, embedded))


def questions_along(paths: Iterable[ValidationPath]) -> list[StatusQuestion]:
    """List the questions about every certificate that has an issuer on its way to an anchor.

    Each certificate is asked about once, the first `MOST_CERTIFICATES` of them.
    """
    asked: dict[bytes, list[StatusQuestion]] = {}
    for path in paths:
        for own, issuer in _pairs(path):
            if own.dump() not in asked and len(asked) < MOST_CERTIFICATES:
                asked[own.dump()] = list(_questions(own.dump(), issuer.dump()))
    return [one for questions in asked.values() for one in questions]


def _pairs(path: ValidationPath) -> Iterator[tuple[parsed.Certificate, parsed.Certificate]]:
    chain = list(path.iter_certs(include_root=True))
    for issuer, own in pairwise(chain):
        if own.ocsp_no_check_value is None:
            yield own, issuer


def _questions(certificate: bytes, issuer: bytes) -> Iterator[StatusQuestion]:
    try:
        own, by = x509.load_der_x509_certificate(certificate), x509.load_der_x509_certificate(issuer)
        # The hash only names the issuer; it is the one that every responder knows (RFC 5019, 2.1.1).
        builder = ocsp.OCSPRequestBuilder().add_certificate(own, by, hashes.SHA1())  # noqa: S303
        request = builder.build().public_bytes(Encoding.DER)
        responders, lists = _addresses(own)
    except (ValueError, TypeError):
        return
    for url in responders[:_MOST_ADDRESSES]:
        yield StatusQuestion("ocsp", url, request, certificate, issuer)
    for url in lists[:_MOST_ADDRESSES]:
        yield StatusQuestion("crl", url, b"", certificate, issuer)


def _addresses(own: x509.Certificate) -> tuple[list[str], list[str]]:
    responders, lists = [], []
    for extension in own.extensions:
        if isinstance(extension.value, x509.AuthorityInformationAccess):
            responders += [
                one.access_location
                for one in extension.value
                if one.access_method == AuthorityInformationAccessOID.OCSP
            ]
        elif isinstance(extension.value, x509.CRLDistributionPoints):
            # A list for some reasons alone, or of another issuer, does not say that a certificate stands.
            whole = [one for one in extension.value if one.reasons is None and one.crl_issuer is None]
            lists += [name for one in whole for name in one.full_name or ()]
    return _texts(responders), _texts(lists)


def _texts(names: Sequence[x509.GeneralName]) -> list[str]:
    return [
        one.value
        for one in names
        if isinstance(one, x509.UniformResourceIdentifier) and len(one.value) <= _LONGEST_ADDRESS
    ]
