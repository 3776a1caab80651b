# mypy: allow-untyped-calls
"""What a validator trusts: anchors, algorithms by date, and the proof of a certificate's status."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from asn1crypto import algos, crl, keys, ocsp, x509
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import (
    AlgorithmUsageConstraint,
    CertRevTrustPolicy,
    DisallowWeakAlgorithmsPolicy,
    FreshnessReqType,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from signing.anchors import Anchor
from signing.coverage import SIGNATURES_ONLY
from signing.grounds import Piece

# NIST SP 800-131A, Rev. 1: no SHA-1 for making signatures after 2013.
_SHA1_UNTIL = datetime(2014, 1, 1, tzinfo=UTC)
_NEVER = frozenset({"md2", "md5"})
_RSA_BITS = 2048
# The same, for keys: RSA of 1024 bits may have signed until the end of 2013.
_RSA_BITS_ONCE = 1024
_SMALL_RSA_UNTIL = _SHA1_UNTIL
# Of 128 bits of strength or more: FIPS 186-5, RFC 8032, RFC 5639.
_CURVES = frozenset(
    {
        "secp256r1",
        "secp384r1",
        "secp521r1",
        *(f"brainpoolp{bits}{kind}1" for bits in (256, 320, 384, 512) for kind in "rt"),
    }
)
# A file is judged offline, so that of its newest archive stamp nothing fresher is known than what it carries.
# That is accepted for five years: an archive stamp has to be renewed within that time anyway.
STAMP_STATUS_AGE = timedelta(days=5 * 365)

_REQUIRED = RevocationCheckingPolicy(
    ee_certificate_rule=RevocationCheckingRule.CRL_OR_OCSP_REQUIRED,
    intermediate_ca_cert_rule=RevocationCheckingRule.CRL_OR_OCSP_REQUIRED,
)


class AlgorithmsByDate(DisallowWeakAlgorithmsPolicy):
    """Which algorithms are strong enough, judged at the time the signature is proven to have existed."""

    def __init__(self) -> None:
        super().__init__(weak_hash_algos=_NEVER, rsa_key_size_threshold=_RSA_BITS)

    def digest_algorithm_allowed(
        self, algo: algos.DigestAlgorithm, moment: datetime | None
    ) -> AlgorithmUsageConstraint:
        """Refuse MD2 and MD5 always, SHA-1 for anything not proven to be from before 2014."""
        if algo["algorithm"].native == "sha1":
            in_time = moment is not None and moment < _SHA1_UNTIL
            return AlgorithmUsageConstraint(allowed=in_time, not_allowed_after=_SHA1_UNTIL)
        return super().digest_algorithm_allowed(algo, moment)

    def signature_algorithm_allowed(
        self,
        algo: algos.SignedDigestAlgorithm,
        moment: datetime | None,
        public_key: keys.PublicKeyInfo | None,
    ) -> AlgorithmUsageConstraint:
        """Refuse weak curves always, RSA below 2048 bits for anything not proven to be from before 2014."""
        if public_key is not None and public_key.algorithm == "ec":
            named, curve = public_key.curve
            if named != "named" or curve not in _CURVES:
                return AlgorithmUsageConstraint(allowed=False, failure_reason="the curve is too weak")
        early = moment is not None and moment < _SMALL_RSA_UNTIL
        if not early or public_key is None or public_key.algorithm not in ("rsa", "rsassa_pss"):
            return super().signature_algorithm_allowed(algo, moment, public_key)
        if public_key.bit_size < _RSA_BITS_ONCE:
            return AlgorithmUsageConstraint(allowed=False, failure_reason="the key is too short")
        return super().signature_algorithm_allowed(algo, moment, None)


def validation_policy(
    anchors: Sequence[Anchor], fetched: Sequence[Piece] = (), *, signing_at: datetime | None = None
) -> PdfSignatureValidationSpec:
    """Return how signatures are judged: to `anchors` alone, offline, status proven for every certificate.

    A signature leads to an anchor for signatures, a time stamp to one for time stamps. Anchors for signatures
    have to cover `signing_at`, the proven time, if it is given; the dates of the others are not looked at.
    `fetched` are proofs of status and certificates from outside; what cannot be read of them is left out.
    Raises ValueError when an anchor cannot be read. No anchor is a policy too: nothing is ever valid.
    """
    algorithms = AlgorithmsByDate()
    policy = CertValidationPolicySpec(
        trust_manager=_manager(
            one for one in anchors if one.signs and (signing_at is None or one.covers(signing_at))
        ),
        revinfo_policy=CertRevTrustPolicy(_REQUIRED),
        algorithm_usage_policy=algorithms,
    )
    stamp_policy = replace(
        policy,
        trust_manager=_manager(one for one in anchors if one.stamps),
        revinfo_policy=CertRevTrustPolicy(
            _REQUIRED,
            freshness=STAMP_STATUS_AGE,
            freshness_req_type=FreshnessReqType.MAX_DIFF_REVOCATION_VALIDATION,
        ),
    )
    spec = SignatureValidationSpec(
        cert_validation_policy=policy,
        ts_cert_validation_policy=stamp_policy,
        revinfo_gathering_policy=RevocationInfoGatheringSpec(
            online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY,
            certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH,
        ),
        local_knowledge=_known(fetched),
        key_usage_settings=KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}),
    )
    return PdfSignatureValidationSpec(spec, diff_policy=SIGNATURES_ONLY)


def _manager(anchors: Iterable[Anchor]) -> SimpleTrustManager:
    unique = dict.fromkeys(one.certificate for one in anchors)
    trusted = [x509.Certificate.load(one, strict=True) for one in unique]
    return SimpleTrustManager.build(trust_roots=trusted)


def _known(fetched: Iterable[Piece]) -> LocalKnowledge:
    known = LocalKnowledge()
    for piece in fetched:
        try:
            if piece.kind == "ocsp":
                answer = ocsp.OCSPResponse.load(piece.content, strict=True)
                known.known_ocsps.extend(OCSPContainer.load_multi(answer))
            elif piece.kind == "crl":
                known.known_crls.append(CRLContainer(crl.CertificateList.load(piece.content, strict=True)))
            elif piece.kind == "certificate":
                known.known_certs.append(x509.Certificate.load(piece.content, strict=True))
        except (ValueError, TypeError):  # whoever answered that is no proof of anything
            continue
    return known
