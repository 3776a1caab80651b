"""A Kho with doors to providers, beside the one of the flows on the same vault."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import uvicorn

from reuse_api.app import create_app
from reuse_api.realms import rules_of
from reuse_api.serving import listen
from reuse_api.settings import Settings
from reuse_api.sign_in_settings import SignInSettings
from tests.flows.conftest import Kho
from tests.flows.plain_browser import Browser
from vault.key_gate import Gate
from vault.remote_gate import RemoteGate
from vault.sign_in_proofs import SignInProofs

SECRET = "a secret & more"


@dataclass(frozen=True)
class Door:
    """A Kho that is served with these settings on the vault of the flows."""

    kho: Kho
    settings: Settings
    url: str
    app: Any
    gate: Gate | RemoteGate

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
        gate = _gate_of(kho, settings)
        app = create_app(replace(kho.vault, gate=gate), settings)
        server = uvicorn.Server(
            uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, ws="none")
        )
        serving = asyncio.run_coroutine_threadsafe(server.serve(sockets=[taken]), kho.loop)
        try:
            yield Door(kho, settings, url, app, gate)
        finally:
            server.should_exit = True
            serving.result(timeout=20)
            if isinstance(gate, RemoteGate):
                kho.run(gate.close())


def _gate_of(kho: Kho, settings: Settings) -> Gate | RemoteGate:
    """Give the gate of the flows as it is where it is told of these providers: the same keys and rows."""
    realms, here = rules_of(settings), kho.vault.gate
    if isinstance(here, Gate):
        told = copy(here)
        told.sign_ins = SignInProofs(realms, kho.vault.clock)
        return told
    assert kho.around.gate_beside is not None
    told_of = {name: getattr(settings, name) for name in SignInSettings.model_fields}
    place = kho.around.gate_beside({name: "" if one is None else one for name, one in told_of.items()})
    log = kho.vault.signer.verifier_line
    gate: RemoteGate = kho.run(RemoteGate.reached(place, here.issuer, log, kho.vault.clock))
    return gate


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
