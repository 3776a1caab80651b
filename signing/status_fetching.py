"""Fetching certificate status from addresses that documents name: only where the operator allows (no SSRF).

A document chooses the address, so nothing of it is believed: it must name, over http or https, a host of
the operator's list at its usual port (or the very port listed), and lead to an address of the open Internet,
unless the list holds that very address. No redirect is followed, no proxy or cookie used, nothing inflated.
What comes back is not looked at here: this process holds keys.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from signing.status_hosts import hosts_of, may_be_asked
from signing.status_proofs import StatusAnswer, StatusQuestion

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_HEADERS = {
    "ocsp": {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"},
    "crl": {"Accept": "application/pkix-crl"},
}


@dataclass(frozen=True)
class FetchLimits:
    """What one fetch may cost: seconds to connect and in all, bytes of an OCSP response and of a CRL."""

    connect: float = 5.0
    total: float = 15.0
    response: int = 64 * 1024
    revocation_list: int = 8 * 1024 * 1024


class NotFetched(Exception):
    """There is no answer; `reason` is not_allowed, unreachable, slow, too_large, redirected or status_NNN."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StatusFetcher:
    """Fetches from `hosts` alone ("HOST" or "HOST:PORT"); without any it is offline.

    For one event loop; close it.
    """

    def __init__(self, hosts: Iterable[str] = (), *, limits: FetchLimits | None = None) -> None:
        self.hosts = hosts_of(hosts)
        self._limits = limits or FetchLimits()
        self._session: aiohttp.ClientSession | None = None

    @property
    def online(self) -> bool:
        """Whether there is anybody who may be asked."""
        return bool(self.hosts)

    def allows(self, url: str) -> bool:
        """Say whether an address may be asked, as far as it can be told without looking its name up."""
        return may_be_asked(url, self.hosts)

    async def fetch(self, question: StatusQuestion) -> StatusAnswer:
        """Ask once; raises NotFetched."""
        if not self.allows(question.url):
            raise NotFetched("not_allowed")
        method, most = ("POST", self._limits.response)
        if question.kind == "crl":
            method, most = "GET", self._limits.revocation_list
        try:
            async with self._opened().request(
                method,
                URL(question.url, encoded=True),
                data=question.request or None,
                headers=_HEADERS[question.kind],
                allow_redirects=False,
            ) as response:
                if 300 <= response.status < 400:
                    raise NotFetched("redirected")
                if response.status != 200:
                    raise NotFetched(f"status_{response.status}")
                return StatusAnswer(question, await _read(response, most))
        except TimeoutError as problem:
            raise NotFetched("slow") from problem
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            raise NotFetched("unreachable") from problem

    async def close(self) -> None:
        """End the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            limits = self._limits
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=_OpenInternet(self.hosts), use_dns_cache=False, force_close=True
                ),
                timeout=aiohttp.ClientTimeout(total=limits.total, connect=limits.connect),
                headers={"Accept-Encoding": "identity", "User-Agent": "Kho"},
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    if (response.content_length or 0) > most:
        raise NotFetched("too_large")
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most:
            raise NotFetched("too_large")
    return bytes(body)


class _OpenInternet(AbstractResolver):
    """Looks names up, and gives of their addresses those alone that may be connected to.

    The connection goes to the address that was checked, so a name cannot change in between.
    """

    def __init__(self, listed: frozenset[str]) -> None:
        self._listed = {one.rpartition(":")[0] if one.count(":") == 1 else one for one in listed}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Look a name up; OSError when there is no address that may be connected to."""
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
            raise OSError(f"{host} leads to no address that may be asked")
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
