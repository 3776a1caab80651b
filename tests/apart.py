"""A vault whose signer, gate and sealer are behind sockets: the real ones, served in the same event loop."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from signing.workers import WorkerPool
from vault.appending import Appender
from vault.gate_part import GatePart
from vault.remote_gate import RemoteGate
from vault.remote_sealer import RemoteSealer
from vault.remote_signer import RemoteSigner
from vault.sealer import Sealer
from vault.sealer_part import SealerPart
from vault.signer_part import SignerPart
from vault.socket_place import users
from vault.socket_serving import listening


@dataclass
class Told:
    """A journal that remembers."""

    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def noted(self, event: str, **facts: str | int) -> None:
        self.lines.append((event, facts))

    def failed(self, event: str, problem: BaseException, **facts: str) -> None:
        self.lines.append((event, facts | {"problem": repr(problem)}))


@asynccontextmanager
async def sockets() -> AsyncIterator[Path]:
    """A folder whose path is short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="kho-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@asynccontextmanager
async def apart(house: Any) -> AsyncIterator[Any]:
    """The same vault, as a process has it that asks for everything over sockets."""
    vault, told = house.vault, Told()
    async with AsyncExitStack() as stack:
        folder = await stack.enter_async_context(sockets())
        signer = SignerPart(vault.signer, vault.db)
        gate = GatePart(vault.gate, vault.signer.verifier_line, users(""), told)
        sealer = SealerPart(vault.sealer, vault.workers, folder)
        for name, part in (("sign", signer), ("gate", gate), ("seal", sealer)):
            serving = listening(
                folder / name,
                part.calls,
                peers=users(""),
                journal=told,
                scratch=folder if name == "seal" else None,
            )
            await stack.enter_async_context(serving)
        asking = await RemoteSigner.reached(folder / "sign")
        stack.push_async_callback(asking.close)
        opening = await RemoteGate.reached(
            folder / "gate", vault.gate.issuer, asking.verifier_line, vault.clock
        )
        opening.mark_session_of_code = (
            vault.gate.mark_session_of_code
        )  # behind a socket there is no such call
        stack.push_async_callback(opening.close)
        sealing = RemoteSealer(folder / "seal")
        stack.push_async_callback(sealing.close)
        appender = Appender(vault.db, asking)
        stack.push_async_callback(appender.close)
        await appender.start()
        changed = {"signer": asking, "gate": opening, "sealer": sealing, "appender": appender}
        yield replace(house, vault=replace(vault, **changed))


class SealingApart:
    """Sealers behind sockets, each listening until the end."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._stack = AsyncExitStack()

    async def behind(self, sealer: Sealer) -> RemoteSealer:
        """Give the sealer as another process has it."""
        folder = await self._stack.enter_async_context(sockets())
        calls = SealerPart(sealer, self._pool, folder).calls
        serving = listening(folder / "seal", calls, peers=users(""), journal=Told(), scratch=folder)
        await self._stack.enter_async_context(serving)
        remote = RemoteSealer(folder / "seal")
        self._stack.push_async_callback(remote.close)
        return remote

    async def end(self) -> None:
        """Let none of them listen any more."""
        await self._stack.aclose()
