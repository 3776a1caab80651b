"""Serving an application on one socket until it is told to stop."""

import errno
import signal
import socket

import uvicorn
from starlette.types import ASGIApp

_GRACE = 10  # seconds that answers in flight are given when stopping
_WAITING = 128  # connections that wait to be accepted


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
    return uvicorn.Server(
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


def stop_on_signals() -> None:
    """Have SIGTERM end the program as Ctrl-C does: what is open is closed on the way out."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
