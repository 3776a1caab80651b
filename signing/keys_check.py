# mypy: allow-untyped-calls
"""Is a seal key fit to seal with? Asked when it is registered, before anybody relies on it."""

import hashlib
import os
from collections.abc import Sequence
from datetime import datetime

from asn1crypto import x509 as parsed
from cryptography import x509
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathError, ValidationError

from signing.errors import SealKeyInvalid
from signing.keys import SealKey

# RFC 5280, 4.2.1.3; ETSI EN 319 412-2, 4.3.2: a seal commits to content.
_USAGE = "non_repudiation"


async def check_seal_key(key: SealKey, roots: Sequence[bytes], at: datetime) -> None:
    """See that a key can seal at a time (aware): certificate in time, for seals, led to `roots`; it signs.

    The certificate's status is not asked for here: it is at every seal. Raises SealKeyInvalid saying what is
    wrong, and what `SealKey.sign` raises.
    """
    own = x509.load_der_x509_certificate(key.certificates[0])
    if not own.not_valid_before_utc <= at <= own.not_valid_after_utc:
        span = f"{own.not_valid_before_utc:%Y-%m-%d} to {own.not_valid_after_utc:%Y-%m-%d}"
        raise SealKeyInvalid(f"the certificate is good from {span}, and not now")
    if not _is_for_seals(own):
        raise SealKeyInvalid("the certificate is not for signatures that commit to content (key usage)")
    await _check_chain(key, roots, at)
    await key.sign(hashlib.sha256(os.urandom(32)).digest())


def _is_for_seals(own: x509.Certificate) -> bool:
    try:
        return own.extensions.get_extension_for_class(x509.KeyUsage).value.content_commitment
    except (x509.ExtensionNotFound, ValueError):
        return False


async def _check_chain(key: SealKey, roots: Sequence[bytes], at: datetime) -> None:
    context = ValidationContext(
        trust_roots=[parsed.Certificate.load(one) for one in roots],
        other_certs=[parsed.Certificate.load(one) for one in key.certificates[1:]],
        moment=at,
        allow_fetching=False,
        revocation_mode="soft-fail",
    )
    own = parsed.Certificate.load(key.certificates[0])
    try:
        await CertificateValidator(own, validation_context=context).async_validate_usage({_USAGE})
    except (PathError, ValidationError) as problem:
        raise SealKeyInvalid("the certificate does not lead to an anchor that is trusted here") from problem
