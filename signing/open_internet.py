"""Connecting to names that somebody else chose: to addresses of the open Internet alone (no SSRF)."""

import asyncio
import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # of other prefixes nobody outside a network can know
_GLOBAL = ipaddress.ip_network("2000::/3")  # all that is given out of IPv6 (RFC 4291 2.4)
_OF_NOBODY = tuple(
    ipaddress.ip_network(one)
    for one in (
        "168.63.129.16/32",  # where a cloud's own machines are answered about themselves
        "192.0.0.0/24",  # RFC 6890
        "192.88.99.0/24",  # RFC 7526
        "3fff::/20",  # RFC 9637
    )
)


class LeadsInside(OSError):
    """A name leads to no address that may be connected to."""


class OpenInternet(AbstractResolver):
    """Looks names up, and gives of their addresses those alone that may be connected to.

    The connection goes to the address that was checked, so a name cannot change in between.
    """

    def __init__(self, listed: frozenset[str]) -> None:
        """Of `listed` ("HOST" or "HOST:PORT", in small letters) addresses may be connected to as well."""
        self._listed = listed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Look a name up. Raises OSError, LeadsInside when no address of it may be connected to."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        usable: list[ResolveResult] = []
        for kind, _, protocol, _, where in found:
            address = str(where[0])
            if may_be_reached(address, port, self._listed):
                usable.append(
                    ResolveResult(
                        hostname=host,
                        host=address,
                        port=port,
                        family=kind,
                        proto=protocol,
                        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                    )
                )
        if not usable:
            raise LeadsInside(f"{host} leads to no address that may be asked")
        return usable

    async def close(self) -> None:
        """Nothing is held."""


def may_be_reached(address: str, port: int, listed: frozenset[str]) -> bool:
    """Say whether an address is of the open Internet, or listed: "ADDRESS" or "ADDRESS:PORT"."""
    named = f"[{address}]" if ":" in address else address
    return is_open(address) or not listed.isdisjoint({address, named, f"{named}:{port}"})


def is_open(address: str) -> bool:
    """Say whether an address is one of the open Internet, by itself and by what it stands for."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed in _NAT64:
            return is_open(str(ipaddress.IPv4Address(parsed.packed[-4:])))
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo and parsed.teredo[1])
        if inner:
            return is_open(str(inner))
        if parsed not in _GLOBAL:
            return False
    if any(parsed in network for network in _OF_NOBODY):
        return False
    return parsed.is_global and not parsed.is_multicast
