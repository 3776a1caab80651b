"""Connecting to names that somebody else chose: to addresses of the open Internet alone (no SSRF)."""

import asyncio
import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class LeadsInside(OSError):
    """A name leads to no address that may be connected to."""


class OpenInternet(AbstractResolver):
    """Looks names up, and gives of their addresses those alone that may be connected to.

    The connection goes to the address that was checked, so a name cannot change in between.
    """

    def __init__(self, listed: frozenset[str]) -> None:
        """Of `listed` ("HOST" or "HOST:PORT", in small letters) addresses may be connected to as well."""
        self._listed = {one.rpartition(":")[0] if one.count(":") == 1 else one for one in listed}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Look a name up. Raises OSError, LeadsInside when no address of it may be connected to."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        usable: list[ResolveResult] = []
        for kind, _, protocol, _, where in found:
            address = str(where[0])
            if address in self._listed or is_open(address):
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
    return parsed.is_global and not parsed.is_multicast
