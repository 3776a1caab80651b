"""What can go wrong on the documents side of signing; each error has a stable `code`."""

from typing import Literal

RefusalCode = Literal[
    "empty",
    "too_large",
    "not_a_pdf",
    "not_a_scan",
    "mislabelled",
    "encrypted",
    "active_content",
    "too_complex",
    "too_many_pages",
    "too_large_inside",
    "polyglot",
    "unreadable",
    "xml_too_large",
    "xml_unsafe",
    "xml_damaged",
    "xml_page",
]


class SigningError(Exception):
    """Evidence could not be made or examined."""

    code: str = "signing_error"

    def __str__(self) -> str:
        """Return the detail given, or the docstring of the class."""
        return super().__str__() or str(type(self).__doc__)


class FileRefused(SigningError):
    """The file is of a kind that is not taken; `code` is one of `RefusalCode`.

    `found` names what was found, by stable codes that have words (policies/data/wording_files.json).
    """

    def __init__(self, code: RefusalCode, detail: str = "", *, found: tuple[str, ...] = ()) -> None:
        super().__init__(detail or f"The file is refused: {code}.")
        self.code = code
        self.found = found


class ComposingFailed(SigningError):
    """A document could not be composed; `field` names the field at fault, or is empty."""

    code = "composing_failed"

    def __init__(self, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.field = field


class SealingFailed(SigningError):
    """The document could not be sealed; nothing was written.

    `retryable` says whether the same order may succeed later, without anybody changing something.
    """

    code = "sealing_failed"
    retryable: bool = False


class ServiceFailed(SealingFailed):
    """A service that sealing needs gave no usable answer; `reason` says in a word what was wrong."""

    code = "service_failed"
    retryable = True

    def __init__(self, detail: str = "", *, reason: str = "unusable") -> None:
        super().__init__(detail)
        self.reason = reason


class TimestampFailed(ServiceFailed):
    """The time stamp authority gave no usable answer."""

    code = "timestamp_failed"


class StatusFailed(ServiceFailed):
    """Nobody gave a usable answer about the status of a certificate."""

    code = "status_failed"


class SealerAway(ServiceFailed):
    """The process that holds the seal keys does not answer just now."""

    code = "sealer_away"


class CertificateRevoked(SealingFailed):
    """A certificate that the seal rests on is revoked or unknown to its issuer."""

    code = "certificate_revoked"


class SealKeyMissing(SealingFailed):
    """No seal key is registered for the agency."""

    code = "seal_key_missing"


class SealKeyEnded(SealingFailed):
    """The agency is one no more: its seal key seals nothing new."""

    code = "seal_key_ended"


class SealKeyUnavailable(SealingFailed):
    """The token or service that holds the key did not answer, and has signed nothing."""

    code = "seal_key_unavailable"
    retryable = True


class SealKeyRefused(SealingFailed):
    """Passphrase, PIN or client secret is wrong, or the holder of the key refuses to sign."""

    code = "seal_key_refused"


class SealAnswerLost(SealingFailed):
    """The service may have signed, but its answer was lost: it is not asked to sign the same again."""

    code = "seal_answer_lost"


class SealRequestConflict(SealingFailed):
    """The id of a request to sign was used before, to sign something else."""

    code = "seal_request_conflict"


class SealKeyInvalid(SealingFailed):
    """A seal key is unreadable, of a kind that is not taken, or does not belong to its certificate."""

    code = "seal_key_invalid"


class SealNotValid(SealingFailed):
    """What was sealed does not validate here; the sub-indication says why. It is not kept."""

    code = "seal_not_valid"


class SealNameUnfit(SealingFailed):
    """The registered name of an agency or officer, or a title, is too long or no text to be printed."""

    code = "seal_name_unfit"


class SealImageDamaged(SealingFailed):
    """The kept picture of an agency's seal is not the one that was checked."""

    code = "seal_image_damaged"


class SealImageRefused(SigningError):
    """A picture of a seal is not taken; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(f"The picture of the seal is refused: {code}.")
        self.code = code


class RewritingFailed(SigningError):
    """A worker could not make another file of one; the reason says how the worker ended."""

    code = "rewriting_failed"


class TrustedListRefused(SigningError):
    """A trusted list is not taken; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(f"The trusted list is refused: {code}.")
        self.code = code


class WorkerFailed(SigningError):
    """The pool of examining processes is not running."""

    code = "worker_failed"


class ScannerUnavailable(SigningError):
    """The malware scanner gave no clear answer."""

    code = "malware_scan_unavailable"
