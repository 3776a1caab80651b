"""Serving an application on one socket until it is told to stop."""

import asyncio
import errno
import signal
import socket

import uvicorn
from starlette.types import ASGIApp

_GRACE = 10  # seconds that answers in flight are given when stopping
_WAITING = 128  # connections that wait to be accepted
_ACCEPTING = 0.1  # seconds for asyncio to finish with those that it has accepted, when stopping
_READING = 0.5  # seconds that the requests of accepted connections are given to come in, when stopping


class AddressTaken(OSError):
    """Another program listens there already."""

    code = "address_taken"


def listen(host: str, port: int) -> socket.socket:
    """Bind and listen; port 0 lets the system choose.

    Raises:
        AddressTaken: naming the address.
        OSError: the address is not of this machine, or not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_WAITING)
    except OSError as problem:
        listening.close()
        if problem.errno == errno.EADDRINUSE:
            raise AddressTaken(f"port {port} on {host} is taken by another program") from problem
        raise
    return listening


def bound(listening: socket.socket) -> str:
    """Give the address that is listened at, "HOST:PORT", with the port that the system chose."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def server(app: ASGIApp) -> uvicorn.Server:
    """Give a server for the application: no access log of its own, no software name, no web sockets."""
    return _Lossless(
        uvicorn.Config(
            app,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=_GRACE,
        )
    )


class _Lossless(uvicorn.Server):
    """Answers whoever got through to it before it stopped listening.

    uvicorn closes a connection whose request it has not read yet, and asyncio loses one that it is just
    accepting. A proxy cannot send such a request to another process: it may have been carried out.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept all who wait, listen no more, read what is coming, and only then end what is idle."""
        loop, waited = asyncio.get_running_loop(), []
        for listening in sockets or []:
            loop.remove_reader(listening)
        await asyncio.sleep(_ACCEPTING)
        for listening in sockets or []:
            while one := _accepted(listening):
                waited.append(one)
        for server in self.servers:
            server.close()  # at once: whoever comes between is refused by a reset
        for one in waited:
            await loop.connect_accepted_socket(self._protocol, one)
        await asyncio.sleep(_READING)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        kind = self.config.http_protocol_class
        return kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)  # type: ignore[call-arg]


def _accepted(listening: socket.socket) -> socket.socket | None:
    try:
        one, _ = listening.accept()
    except BlockingIOError:
        return None
    one.setblocking(False)
    return one


def stop_on_signals() -> None:
    """Have SIGTERM end the program as Ctrl-C does: what is open is closed on the way out."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
