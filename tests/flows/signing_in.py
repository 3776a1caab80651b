"""A Kho with doors to providers, beside the one of the flows on the same vault."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from reuse_api.app import create_app
from reuse_api.serving import listen
from reuse_api.settings import Settings
from tests.flows.conftest import Kho
from tests.flows.plain_browser import Browser

SECRET = "a secret & more"


@dataclass(frozen=True)
class Door:
    """A Kho that is served with these settings on the vault of the flows."""

    kho: Kho
    settings: Settings
    url: str
    app: Any

    @contextmanager
    def browser(self, language: str = "en") -> Iterator[Browser]:
        browser = Browser(self.url, language)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(kho: Kho, **changes: Any) -> Iterator[Door]:
    """Serve the vault of the flows at a second address, with other settings; `{url}` is that address."""
    with listen("127.0.0.1", 0) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        said = kho.settings.model_dump() | {"demo_sign_in": False, "listen": url.removeprefix("http://")}
        settings = Settings(**(said | changes))
        app = create_app(kho.vault, settings)
        server = uvicorn.Server(
            uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, ws="none")
        )
        serving = asyncio.run_coroutine_threadsafe(server.serve(sockets=[taken]), kho.loop)
        try:
            yield Door(kho, settings, url, app)
        finally:
            server.should_exit = True
            serving.result(timeout=20)


def credentials(folder: Path, name: str, text: str = SECRET) -> Path:
    """Write what proves us to a provider into a file that is ours alone."""
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(f"{text}\n")
    return path


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
