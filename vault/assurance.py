"""How strongly a caller was authenticated, and whether that is enough for what asks for more (DESIGN 7)."""

from datetime import datetime, timedelta

from policies.book import Book, local_day
from policies.consent_guards import STRONG, strong_enough
from policies.facts import AssuranceFacts
from vault.callers import OwnerCaller, StaffCaller

_NEVER = timedelta(days=3650)  # since a session of before this was kept


def facts(caller: OwnerCaller | StaffCaller, at: datetime) -> AssuranceFacts:
    """Give the facts of a caller's authentication as they are at an instant."""
    since = caller.authenticated_at
    ago = at - since if since is not None else _NEVER
    return AssuranceFacts(caller.assurance, max(0, int(ago.total_seconds() // 60)))


def is_strong(caller: OwnerCaller | StaffCaller, book: Book, at: datetime) -> bool:
    """Say whether a caller may do now what asks for a strong and recent authentication."""
    limit = book.limit(STRONG, local_day(at))
    return limit is None or strong_enough(facts(caller, at), limit.most)[0]
