"""Who may say how a certificate stands, and whether they did: for what is sealed and for what is judged."""

from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

_STRONG = frozenset({"sha256", "sha384", "sha512"})
_PARTIAL = (x509.IssuingDistributionPoint.oid, x509.DeltaCRLIndicator.oid)


def is_whole_list(found: x509.CertificateRevocationList) -> bool:
    """Tell whether a list is about every certificate of its issuer, for every reason (RFC 5280, 5.2).

    A delta, indirect or partitioned list is not, nor one with an extension that must be understood.
    """
    return not any(one.critical or one.oid in _PARTIAL for one in found.extensions)


def may_answer(signer: x509.Certificate, issuer: x509.Certificate, at: datetime) -> bool:
    """Tell whether somebody may answer (OCSP) about certificates of `issuer`: the issuer, or a delegate."""
    if signer == issuer:
        return True
    try:
        signer.verify_directly_issued_by(issuer)
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    alive = signer.not_valid_before_utc <= at <= signer.not_valid_after_utc
    return alive and ExtendedKeyUsageOID.OCSP_SIGNING in usage


def is_signed(
    signer: x509.Certificate, signature: bytes, content: bytes, algorithm: hashes.HashAlgorithm | None
) -> bool:
    """Tell whether `signer` signed the content, by an algorithm that is believed."""
    public = signer.public_key()
    if algorithm is None or algorithm.name not in _STRONG:
        return False
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, content, padding.PKCS1v15(), algorithm)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, content, ec.ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True
