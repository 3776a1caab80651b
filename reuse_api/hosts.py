"""Which hosts are ours: a request under any other name is refused before anything else is done.

A page of another site can have its own name lead to our address (DNS rebinding); the browser then calls us in
that name and hands our answers to that page. Probes of health come by address and are let through.
"""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from reuse_api.answering import told
from reuse_api.problems import of_code
from reuse_api.settings import Settings

_PROBES = frozenset({"/healthz", "/readyz"})
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_USUAL = {"http": "80", "https": "443"}


class OurHosts:
    """Lets requests through that name one of our hosts, and answers 421 to the rest (ASGI)."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._ours = hosts_of(settings)
        self._any_port = (
            settings.on_loopback and settings.port == 0
        )  # the system chose it, so nobody knows it

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] == "http" and scope["path"] not in _PROBES and not self._named(scope):
            response = told(Request(scope), of_code("host_not_ours"))
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _named(self, scope: Scope) -> bool:
        named = [value for name, value in scope["headers"] if name == b"host"]
        host = named[0].decode("latin-1").lower() if len(named) == 1 else ""
        return host in self._ours or (self._any_port and _without_port(host) in _LOOPBACK)


def hosts_of(settings: Settings) -> frozenset[str]:
    """Give the hosts, as a Host header names them, under which these settings serve.

    Ours are the host of our address (KHO_ISSUER) and the one we listen on; on loopback also its other names.
    """
    at = urlsplit(settings.address)
    ours = {at.netloc.lower(), settings.listen.lower()}
    usual = _USUAL.get(at.scheme)
    if at.port is None:
        ours.add(f"{at.netloc.lower()}:{usual}")
    elif str(at.port) == usual:
        ours.add(_without_port(at.netloc.lower()))
    if settings.on_loopback:
        ours |= {f"{name}:{settings.port}" for name in _LOOPBACK}
    return frozenset(ours)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and (port.isdigit() or not port) else host
