"""Whom the operator allows to be asked about certificates: one way to match an address with that list."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from yarl import URL

_PORTS = {"http": 80, "https": 443}


def hosts_of(names: Iterable[str]) -> frozenset[str]:
    """Read the names of a list ("HOST" or "HOST:PORT"); letters count in no case."""
    return frozenset(one.strip().lower() for one in names if one.strip())


def may_be_asked(url: str, hosts: frozenset[str]) -> bool:
    """Say whether an address names a host of the list: at its usual port, or at the very port listed.

    As far as it can be told without looking the name up.
    """
    if not url.isascii() or not url.isprintable() or any(one in url for one in " \\@"):
        return False
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
        agreed = URL(url, encoded=True).host == host  # as whoever connects will read it
    except ValueError:
        return False
    if parts.scheme not in _PORTS or not host or not agreed:
        return False
    named = f"[{host}]" if ":" in host else host
    usual = _PORTS[parts.scheme]
    return (port in (None, usual) and named in hosts) or f"{named}:{port or usual}" in hosts
