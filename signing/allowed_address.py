"""An address of a service that the operator names: what may be asked at all. Imports nothing heavy.

Settings are read by every command, and most ask nobody.
"""

from urllib.parse import urlsplit


def check_address(url: str, *, encrypted: bool) -> str:
    """Return an address that may be asked: http or https, a host, nothing odd. Raises ValueError.

    With `encrypted`, plain http is for this machine alone.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.fragment or parts.username:
        raise ValueError("expected an address that begins with http:// or https://, without a user's name")
    _ = parts.port  # raises ValueError when it is none
    if encrypted and parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
        raise ValueError("only https:// is taken, but for this machine itself")
    return url
