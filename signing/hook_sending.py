"""Sending to an address that somebody else chose: to the open Internet alone, without believing the answer.

The address is looked up anew each time, and the very address that is connected to is checked, so that a name
cannot lead elsewhere in between. No redirect is followed, no proxy or cookie used; of the answer the status
counts and Retry-After, and not a byte of its body is read.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from yarl import URL

from signing.hook_address import HookAddressRefused, canonical_address
from signing.open_internet import LeadsInside, OpenInternet, may_be_reached
from signing.status_hosts import hosts_of

_MOST_WAIT = 24 * 3600  # seconds that a receiver may put us off by Retry-After
_LOOK_UP = 5.0


@dataclass(frozen=True)
class SendLimits:
    """What one delivery may cost: seconds to connect and in all."""

    connect: float = 5.0
    total: float = 10.0


@dataclass(frozen=True)
class Told:
    """What a receiver answered: the status, and for how many seconds it wants to be left alone."""

    status: int
    retry_after: float | None = None


class NotSent(Exception):
    """There is no answer; `reason` is leads_inside, unreachable, not_trusted or slow."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class HookSender:
    """Posts to addresses of the open Internet, and to those of `listed` ("ADDRESS" or "ADDRESS:PORT").

    For one event loop; close it.
    """

    def __init__(
        self,
        listed: Iterable[str] = (),
        *,
        limits: SendLimits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Without `tls` the authorities of this machine are trusted (SSL_CERT_FILE names others)."""
        self.listed = hosts_of(listed)
        self._limits = limits or SendLimits()
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def check(self, url: str) -> str:
        """Give an address in its one spelling, once its name was looked up.

        Where nobody answers who knows names (a process that reaches nobody outside), the name is left to
        whoever sends: there the address that is connected to is checked each time.

        Raises:
            HookAddressRefused: webhook_address_malformed, webhook_address_inside (any address that its name
                has is enough), or webhook_address_unknown.
        """
        told = canonical_address(url, self.listed)
        parts = URL(told, encoded=True)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_LOOK_UP):
                found = await loop.getaddrinfo(parts.raw_host, parts.port, type=socket.SOCK_STREAM)
        except socket.gaierror as problem:
            if problem.errno == socket.EAI_NONAME:
                raise HookAddressRefused("webhook_address_unknown") from problem
            return told
        except TimeoutError:
            return told
        except (OSError, UnicodeError) as problem:
            raise HookAddressRefused("webhook_address_unknown") from problem
        places = [(str(where[0]), int(where[1])) for *_, where in found]
        if not places or not all(may_be_reached(*one, self.listed) for one in places):
            raise HookAddressRefused("webhook_address_inside")
        return told

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Told:
        """Send once. Raises NotSent."""
        try:
            canonical_address(url, self.listed)  # the list may have become shorter
            async with self._opened().post(
                URL(url, encoded=True), data=body, headers=dict(headers), allow_redirects=False
            ) as response:
                return Told(response.status, _retry_after(response.headers.get("Retry-After")))
        except HookAddressRefused as problem:
            raise NotSent("leads_inside") from problem
        except TimeoutError as problem:
            raise NotSent("slow") from problem
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            raise NotSent(_reason(problem)) from problem

    async def close(self) -> None:
        """End the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=OpenInternet(self.listed),
                    socket_factory=self._socket,
                    ssl=self._tls or True,
                    use_dns_cache=False,
                    force_close=True,
                ),
                timeout=aiohttp.ClientTimeout(total=self._limits.total, connect=self._limits.connect),
                headers={"Accept-Encoding": "identity", "User-Agent": "Kho"},
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session

    def _socket(self, place: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        """Make the socket for one address: an address that was written as a number is looked up by nobody."""
        family, kind, protocol, _, where = place
        if not may_be_reached(str(where[0]), int(where[1]), self.listed):
            raise LeadsInside(f"{where[0]} may not be connected to")
        return socket.socket(family, kind, protocol)


def _reason(problem: BaseException) -> str:
    causes = list(_causes(problem))
    if any(isinstance(one, LeadsInside) for one in causes):
        return "leads_inside"
    if any(isinstance(one, ssl.SSLError | ssl.CertificateError) for one in causes):
        return "not_trusted"
    return "unreachable"


def _causes(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        inner = getattr(problem, "os_error", None)
        if isinstance(inner, BaseException):
            yield inner
        problem = problem.__cause__ or problem.__context__


def _retry_after(value: str | None) -> float | None:
    """Read Retry-After (RFC 9110 10.2.3), seconds or a date; what cannot be read is as if not sent."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:10]), _MOST_WAIT))
    try:
        at = parsedate_to_datetime(text)
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, wait.total_seconds()), _MOST_WAIT)
