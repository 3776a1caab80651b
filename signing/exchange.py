"""One question and one answer over HTTP, to a service that the operator allows: bounded in time and size.

No redirect is followed, no cookie kept, nothing inflated, no proxy taken from the environment.
"""

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import aiohttp
from yarl import URL

from signing.open_internet import LeadsInside, OpenInternet
from signing.service_clock import clock_ahead, utc_now

T = TypeVar("T")
_BUSY = frozenset({429, 500, 502, 503, 504})  # try again: what is wrong may pass
_LONGEST_PAUSE = 4.0  # seconds


@dataclass(frozen=True)
class Limits:
    """What one question may cost."""

    seconds: float = 10.0  # for one try, from the connection to the last byte
    largest: int = 128 * 1024  # bytes of an answer
    tries: int = 3
    pause: float = 0.25  # seconds before the second try; then twice as long each time, give or take half


@dataclass(frozen=True)
class Answered:
    """What came back, whole."""

    status: int
    kind: str  # media type, lower case, without parameters
    body: bytes
    ahead: float | None = None  # seconds that its clock is ahead of ours, where it says


@dataclass(frozen=True)
class Question:
    """What is asked of whom. `authorities` is a PEM file of roots for TLS, None for the system's.

    An address of the operator's settings is asked wherever it leads. One that somebody else chose comes with
    `listed`, the hosts of the settings: it must lead to the open Internet, or to an address among them.
    """

    url: str
    body: bytes = b""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    authorities: Path | None = None
    listed: frozenset[str] | None = None


class NoAnswer(Exception):
    """There was no whole answer.

    `reason` is unreachable, not_trusted (its certificate), inside, slow, hung_up, too_large, busy or
    status_NNN; `sent` says whether the question may have been acted upon.
    """

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent

    @property
    def passing(self) -> bool:
        """Whether another try may help."""
        return self.reason in {"unreachable", "not_trusted", "slow", "hung_up", "busy"}


async def ask(question: Question, limits: Limits) -> Answered:
    """Ask once. Raises NoAnswer; any HTTP status but those of `_BUSY` is an answer."""
    timeout = aiohttp.ClientTimeout(total=limits.seconds)
    headers = {"Accept-Encoding": "identity", "User-Agent": "Kho", **question.headers}
    try:
        async with (
            aiohttp.TCPConnector(
                ssl=_tls(question), resolver=_resolver(question), use_dns_cache=False, force_close=True
            ) as connector,
            aiohttp.ClientSession(
                connector=connector,
                timeout=timeout,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            ) as session,
            session.request(
                question.method,
                URL(question.url, encoded=True),
                data=question.body or None,
                headers=headers,
                allow_redirects=False,
            ) as response,
        ):
            body = await _read(response, limits.largest)
            if response.status in _BUSY:
                # Whoever limits a rate has not looked at the question (RFC 6585, 4).
                raise NoAnswer("busy", sent=response.status != 429)
            ahead = clock_ahead(response.headers.get("Date"), utc_now())
            return Answered(response.status, response.content_type.lower(), body, ahead)
    except aiohttp.ConnectionTimeoutError as problem:
        raise NoAnswer("slow", sent=False) from problem
    except aiohttp.ClientConnectorCertificateError as problem:
        raise NoAnswer("not_trusted", sent=False) from problem
    except (aiohttp.ClientConnectorError, aiohttp.InvalidURL) as problem:
        if isinstance(getattr(problem, "os_error", None), LeadsInside):
            raise NoAnswer("inside", sent=False) from problem
        raise NoAnswer("unreachable", sent=False) from problem
    except TimeoutError as problem:
        raise NoAnswer("slow", sent=True) from problem
    except (aiohttp.ClientError, OSError) as problem:
        raise NoAnswer("hung_up", sent=True) from problem


async def patiently(asking: Callable[[], Awaitable[T]], limits: Limits) -> T:
    """Ask again while it may help, with growing pauses of no fixed length. Raises the last NoAnswer."""
    for again in range(limits.tries - 1):
        try:
            return await asking()
        except NoAnswer as problem:
            if not problem.passing:
                raise
        pause = min(limits.pause * 2**again, _LONGEST_PAUSE)
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  no secret: it spreads a crowd
    return await asking()


async def _read(response: aiohttp.ClientResponse, largest: int) -> bytes:
    if (response.content_length or 0) > largest:
        raise NoAnswer("too_large", sent=True)
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > largest:
            raise NoAnswer("too_large", sent=True)
    return bytes(body)


def _resolver(question: Question) -> OpenInternet | None:
    return OpenInternet(question.listed) if question.listed is not None else None


def _tls(question: Question) -> ssl.SSLContext | bool:
    if not question.url.startswith("https:"):
        return True
    return ssl.create_default_context(cafile=question.authorities)
