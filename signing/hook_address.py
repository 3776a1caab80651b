"""Where a web hook may point: an address that a stranger chose, in its one spelling (no SSRF).

What is asked of the text alone is asked here. Where its name leads is asked when it is registered, and again
of the very address that each delivery connects to (signing/hook_sending.py).
"""

import ipaddress
import re
from urllib.parse import urlsplit

from yarl import URL

from signing.open_internet import may_be_reached

LONGEST = 500  # characters
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_REST = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
_PORTS = {"http": 80, "https": 443}


class HookAddressRefused(Exception):
    """A web hook may not point there; `code` is webhook_address_malformed or webhook_address_inside."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def canonical_address(url: str, listed: frozenset[str]) -> str:
    """Give an address in the one spelling that is stored, signed and connected to.

    https and a host of the open Internet, by name or by number; an address of `listed` ("ADDRESS" or
    "ADDRESS:PORT") may point inside, and over http if it is of this very machine.

    Raises:
        HookAddressRefused: it is none, or it points inside.
    """
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or any(one in url for one in ' "\\#'):
        raise HookAddressRefused("webhook_address_malformed")
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").lower()
    except ValueError:
        raise HookAddressRefused("webhook_address_malformed") from None
    rest = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme not in _PORTS or "@" in parts.netloc or not _REST.fullmatch(rest) or port == 0:
        raise HookAddressRefused("webhook_address_malformed")
    usual = _PORTS[parts.scheme]
    _check_host(host, port or usual, parts.scheme, listed)
    named = f"[{host}]" if ":" in host else host
    told = f"{parts.scheme}://{named}{f':{port}' if port and port != usual else ''}{rest}"
    read = URL(told, encoded=True)  # as whoever connects will read it
    if read.raw_host != host or str(read) != told:
        raise HookAddressRefused("webhook_address_malformed")
    return told


def _check_host(host: str, port: int, scheme: str, listed: frozenset[str]) -> None:
    number = _number(host)
    if number is None:
        labels = host.split(".")
        if len(labels) < 2 or len(host) > 253 or not all(_LABEL.fullmatch(one) for one in labels):
            raise HookAddressRefused("webhook_address_malformed")
        if labels[-1][0].isdigit():  # 127.1, 0x7f.1 and the like: numbers to some, names to others
            raise HookAddressRefused("webhook_address_malformed")
    elif not may_be_reached(host, port, listed):
        raise HookAddressRefused("webhook_address_inside")
    if scheme == "http" and (number is None or not number.is_loopback):
        raise HookAddressRefused("webhook_address_malformed")


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Give the address that a host is by itself; None for a name."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    if str(found) != host:
        raise HookAddressRefused("webhook_address_malformed")
    return found
