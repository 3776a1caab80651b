"""Other servers of the same bytes: nginx where it is installed, else a bare ASGI file server."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_NGINX = """
{user}daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{ access_log off; sendfile on; keepalive_requests 1000000;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}
"""


def free_port() -> int:
    """Give a port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """Run a server until the block ends; entered once it accepts connections, gives its process id."""
    log = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **(environment or {})})
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None:
                    raise RuntimeError(f"{command[0]} ended with {process.returncode}") from None
                time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def static_server(folder: Path, content: bytes) -> Iterator[tuple[str, int]]:
    """Serve `content` as /paper.pdf; gives the server's name and port."""
    (folder / "www").mkdir(parents=True)
    (folder / "www" / "paper.pdf").write_bytes(content)
    port = free_port()
    if shutil.which("nginx"):
        user = "user root; " if os.geteuid() == 0 else ""  # the folder is ours alone
        (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, user=user))
        command = ["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        name = "nginx"
    else:
        command = [sys.executable, "-m", "benchmarks.peers", str(folder / "www" / "paper.pdf"), str(port)]
        name = "a bare ASGI file server (uvicorn; nginx is not installed)"
    with running(command, port):
        yield name, port


def file_app(path: Path) -> Any:
    """Make the least ASGI application that reads a file and sends it."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        content = await asyncio.to_thread(path.read_bytes)
        headers = [(b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    return app


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(
        file_app(Path(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]), log_config=None, lifespan="off"
    )
