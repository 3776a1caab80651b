"""What can go wrong with searching; an adapter lets only these out."""

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


class IndexCredentialsUnusable(SearchError):
    """The file of the search server's credentials cannot be used."""

    code = "index_credentials_unusable"


class IndexMissing(IndexUnavailable):
    """There is no index, or none that can be read; it is built from the rows."""

    code = "index_missing"


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
