"""Cookies are sent by browsers unasked: what changes something under one must come from our own pages.

Session cookies are `SameSite=Strict` already, and JSON doors ask for a header that a foreign form cannot set.
This holds where either should fail.
"""

from urllib.parse import urlsplit

from starlette.requests import Request

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossSite(Exception):
    """A request under a session cookie came from another site; nothing was done."""

    code = "cross_site"


def require_home(request: Request) -> None:
    """Refuse a write that a page of another site has sent.

    Raises:
        CrossSite: it has.
    """
    if request.method not in _SAFE and not at_home(request):
        raise CrossSite


def at_home(request: Request) -> bool:
    """Say whether a request comes from our own origin, or from no page at all.

    Browsers name the relation themselves (Fetch Metadata); older ones name the origin with every write.
    """
    site = request.headers.get("sec-fetch-site")
    if site:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
