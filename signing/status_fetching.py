"""Fetching certificate status from addresses that documents name: only where the operator allows (no SSRF).

A document chooses the address, so nothing of it is believed: it must name, over http or https, a host of
the operator's list at its usual port (or the very port listed), and lead to an address of the open Internet,
unless the list holds that very address. No redirect is followed, no proxy or cookie used, nothing inflated.
What comes back is not looked at here: this process holds keys.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp
from yarl import URL

from signing.open_internet import OpenInternet
from signing.status_hosts import hosts_of, may_be_asked
from signing.status_proofs import StatusAnswer, StatusQuestion

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
                    resolver=OpenInternet(self.hosts), use_dns_cache=False, force_close=True
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
