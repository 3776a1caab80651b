"""What an auditor may send: filters as a query or as JSON, an entry with the ground for opening it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from reuse_api.schemas import Closed, Code, Day, LongText
from signing.leaf import Kind
from vault.audit_counts import By
from vault.audit_filters import Filters

MAX_INDEX = 10**15  # of an entry; a log as long is not in sight
Index = Annotated[int, Field(ge=0, le=MAX_INDEX)]
_NOT_FILTERS = {"owner", "cursor", "limit", "by"}


class FilterFields(Closed):
    """Which entries are meant; `owner` is an identifier of a person or organisation, or the id of a store."""

    owner: Code | None = None
    agency: Code | None = None
    system: Code | None = None
    officer: Code | None = None
    procedure: Code | None = None
    dossier: Code | None = None
    kind: Annotated[int, Field(ge=min(Kind), le=max(Kind))] | None = None
    event: Code | None = None
    result: Literal["permitted", "refused"] | None = None
    reason: Code | None = None
    since: Day | None = None
    until: Day | None = None

    def value(self, owner: str | None) -> Filters:
        """Give the filters as the vault takes them, the owner by the id of their store."""
        rest: dict[str, Any] = self.model_dump(exclude=_NOT_FILTERS)
        return Filters(owner=owner, **rest)


class EntriesQuery(FilterFields):
    """A page of entries."""

    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,15}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class CountsQuery(FilterFields):
    """Numbers of entries by one of their codes."""

    by: By = "day"


class GrowthQuery(Closed):
    """Two sizes of the log; without a newer one, its present size."""

    old: Index
    new: Index | None = None


class OpeningBody(Closed):
    """The entry to be opened, and why: the ground is shown to whom the entry concerns."""

    index: Index
    ground: LongText
