"""What can go wrong on the documents side of signing; each error has a stable `code`."""

from typing import Literal

RefusalCode = Literal[
    "empty",
    "too_large",
    "not_a_pdf",
    "mislabelled",
    "encrypted",
    "active_content",
    "too_complex",
    "unreadable",
]


class SigningError(Exception):
    """Evidence could not be made or examined."""

    code: str = "signing_error"

    def __str__(self) -> str:
        """Return the detail given, or the docstring of the class."""
        return super().__str__() or str(type(self).__doc__)


class FileRefused(SigningError):
    """The file is of a kind that is not taken; `code` is one of `RefusalCode`."""

    def __init__(self, code: RefusalCode, detail: str = "") -> None:
        super().__init__(detail or f"The file is refused: {code}.")
        self.code = code


class ComposingFailed(SigningError):
    """A document could not be composed; `field` names the field at fault, or is empty."""

    code = "composing_failed"

    def __init__(self, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.field = field


class SealingFailed(SigningError):
    """The document could not be sealed; nothing was written."""

    code = "sealing_failed"


class TimestampFailed(SealingFailed):
    """The time stamp authority gave no usable answer."""

    code = "timestamp_failed"


class SealKeyInvalid(SigningError):
    """A seal key is unreadable, of another kind than P-256, or does not belong to its certificate."""

    code = "seal_key_invalid"


class RewritingFailed(SigningError):
    """A worker could not make another file of one; the reason says how the worker ended."""

    code = "rewriting_failed"


class WorkerFailed(SigningError):
    """The pool of examining processes is not running."""

    code = "worker_failed"
