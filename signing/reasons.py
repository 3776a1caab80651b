"""The reason codes of reports, and which of them stands for which sub-indication of EN 319 102-1.

Whoever shows a code needs words for it (policies/data/wording_signatures.json).
"""

from pyhanko.sign.ades.report import AdESFailure, AdESIndeterminate, AdESSubIndic

_REASONS: dict[AdESSubIndic, str] = {
    AdESFailure.FORMAT_FAILURE: "format_wrong",
    AdESFailure.HASH_FAILURE: "digest_mismatch",
    AdESFailure.SIG_CRYPTO_FAILURE: "signature_wrong",
    AdESFailure.REVOKED: "certificate_revoked",
    AdESFailure.NOT_YET_VALID: "certificate_not_yet_valid",
    AdESIndeterminate.SIG_CONSTRAINTS_FAILURE: "signature_unsupported",
    AdESIndeterminate.CHAIN_CONSTRAINTS_FAILURE: "signer_not_trusted",
    AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE: "signer_not_trusted",
    AdESIndeterminate.NO_CERTIFICATE_CHAIN_FOUND: "signer_not_trusted",
    AdESIndeterminate.NO_SIGNING_CERTIFICATE_FOUND: "signer_not_trusted",
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE: "algorithm_too_weak",
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE_NO_POE: "algorithm_too_weak",
    AdESIndeterminate.EXPIRED: "certificate_expired",
    AdESIndeterminate.NOT_YET_VALID: "certificate_not_yet_valid",
    AdESIndeterminate.OUT_OF_BOUNDS_NO_POE: "certificate_expired",
    AdESIndeterminate.OUT_OF_BOUNDS_NOT_REVOKED: "certificate_expired",
    AdESIndeterminate.TIMESTAMP_ORDER_FAILURE: "timestamp_invalid",
    AdESIndeterminate.REVOKED_NO_POE: "certificate_revoked",
    AdESIndeterminate.REVOKED_CA_NO_POE: "certificate_revoked",
    AdESIndeterminate.REVOCATION_OUT_OF_BOUNDS_NO_POE: "certificate_status_unknown",
    AdESIndeterminate.TRY_LATER: "certificate_status_unknown",
    AdESIndeterminate.NO_POE: "time_not_proven",
    AdESIndeterminate.SIGNED_DATA_NOT_FOUND: "coverage_incomplete",
}
_OTHER = "not_proven"

# Every reason code that a report can carry.
REASON_CODES = frozenset(
    {
        *_REASONS.values(),
        _OTHER,
        "no_signature",
        "not_examined",
        "file_refused",
        "library_error",
        "structure_damaged",
        "signature_hidden",
        "signature_unsupported",
        "signature_shown_twice",
        "signed_attributes_missing",
        "signers_several",
        "too_complex",
        "container_damaged",
        "coverage_incomplete",
        "changed_after_signing",
        "form_fields_changed",
        "metadata_changed",
        "looks_changed",
        "second_look_not_made",
        "digest_mismatch",
        "timestamp_invalid",
        "xml_stamps_not_judged",
        "xml_unsafe",
        "worker_crashed",
        "worker_memory",
        "worker_timeout",
    }
)


def reason_of(found: AdESSubIndic) -> str:
    """Return the reason code of a sub-indication that is not a pass."""
    return _REASONS.get(found, _OTHER)
