"""What can go wrong with searching; an adapter lets only these out."""

from collections.abc import Iterable
from typing import ClassVar


class SearchError(Exception):
    """The search could not do what was asked."""

    code: ClassVar[str] = "search_failed"

    def __init__(self, detail: str = "") -> None:
        """Keep `detail` (what and where, never a password or what was searched for) beside the words."""
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        words = (type(self).__doc__ or "").strip().splitlines()[0]
        return f"{words} ({self.detail})" if self.detail else words


class IndexAddressInvalid(SearchError):
    """No search index can be at this address."""

    code = "index_address_invalid"


class IndexUnavailable(SearchError):
    """The search index cannot be read or written just now."""

    code = "index_unavailable"


class IndexRefused(IndexUnavailable):
    """The search server does not accept our credentials."""

    code = "index_credentials_refused"


class IndexNotTrusted(IndexUnavailable):
    """The search server's certificate is not trusted: it has ended, or nobody we know vouches for it."""

    code = "index_not_trusted"


class IndexCredentialsUnusable(SearchError):
    """The file of the search server's credentials cannot be used."""

    code = "index_credentials_unusable"


class IndexMissing(IndexUnavailable):
    """There is no index, or none that can be read; it is built from the rows."""

    code = "index_missing"


class IndexReadOnly(IndexUnavailable):
    """The search index takes nothing just now; a search server whose disk is nearly full does so."""

    code = "index_read_only"


class IndexBusy(IndexUnavailable):
    """Another process writes the embedded index just now."""

    code = "index_busy"


class IndexNameTaken(IndexUnavailable):
    """What has the name of the index is no index of Kho; choose another name, or take that one away."""

    code = "index_name_taken"


class DocumentsRefused(SearchError):
    """The index takes these documents in no case, as they are; it took the others."""

    code = "documents_refused"

    def __init__(self, ids: Iterable[str], detail: str = "") -> None:
        """`ids` are of the documents that were refused; what was known of them before may stay."""
        super().__init__(detail)
        self.ids = frozenset(ids)


class IndexNewer(SearchError):
    """The index was made by a newer Kho; use that one, or delete the index to have it built again."""

    code = "index_newer"


class CursorInvalid(SearchError):
    """The cursor is not one that a search gave."""

    code = "cursor_malformed"


class QueryInvalid(SearchError):
    """The words cannot be searched for; `reason` says why."""

    code = "query_invalid"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
