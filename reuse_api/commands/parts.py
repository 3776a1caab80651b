"""`kho sign`, `kho gate`, `kho seal`: the parts of a vault that hold its keys, each a process of its own."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from reuse_api import journal
from reuse_api.metrics import metrics_served
from reuse_api.realms import rules_of
from reuse_api.settings import Settings, SettingsInvalid, read_settings, variable
from reuse_api.wiring import authorities_of
from vault.clock import Clock
from vault.gate_part import GatePlaces, guarding
from vault.rows_address import RowsAddress
from vault.scratch import own_scratch
from vault.sealer import Sealer
from vault.sealer_part import sealing
from vault.signer_part import signing
from vault.socket_place import numbered, place_of, users

Create = Annotated[
    bool, typer.Option("--create", help="Make its keys if there are none yet, for rows without entries.")
]
Running = AbstractAsyncContextManager[dict[str, str]]


def sign(create: Create = False) -> None:
    """Hold the log key: sign and publish the log for the vault's other processes, until SIGTERM.

    Listens at KHO_SIGNER for the users of KHO_PEERS. Its public line is printed: KHO_LOG_KEY of the others.
    """
    _run("signer", lambda settings: _signing(settings, create))


def gate(create: Create = False) -> None:
    """Hold the master key: open keys and entries for the vault's other processes, until SIGTERM.

    Listens at KHO_GATE for the users of KHO_PEERS. Whose log it opens by is said by KHO_LOG_KEY, or learned
    from KHO_SIGNER once. Whoever signs in is proven to it by the providers of KHO_CITIZENS_… and KHO_STAFF_….
    """
    _run("gate", lambda settings: _guarding(settings, create))


def seal(create: Create = False) -> None:
    """Hold the agencies' seal keys: seal for the vault's other processes, until SIGTERM.

    Listens at KHO_SEALER for the users of KHO_PEERS. Keys are registered with `kho seal-key` by its own user.
    """
    _run("sealer", lambda settings: _sealing(settings, create))


@asynccontextmanager
async def _signing(settings: Settings, create: bool) -> AsyncIterator[dict[str, str]]:
    async with signing(
        database=RowsAddress(settings.database, settings.database_password),
        keys=settings.keys,
        log_folder=settings.log_folder,
        place=place_of(settings.signer),
        peers=_users("peers", settings.peers),
        create=create,
        journal=journal,
    ) as signer:
        typer.echo(signer.verifier_line)
        yield {"log": signer.origin}


@asynccontextmanager
async def _guarding(settings: Settings, create: bool) -> AsyncIterator[dict[str, str]]:
    places = GatePlaces(
        database=RowsAddress(settings.database, settings.database_password),
        keys=settings.keys,
        place=place_of(settings.gate),
        issuer=settings.address,
        log_key=settings.log_key,
        signer=place_of(settings.signer) if settings.signer else None,
        realms=rules_of(settings),
    )
    workers = _users("work_peers", settings.work_peers)
    async with guarding(
        places,
        peers=_users("peers", settings.peers),
        workers=workers,
        create=create,
        clock=Clock(),
        journal=journal,
    ):
        yield {"issuer": settings.address, "work": numbered(workers)}


@asynccontextmanager
async def _sealing(settings: Settings, create: bool) -> AsyncIterator[dict[str, str]]:
    authorities = authorities_of(settings)
    sealer = Sealer(
        settings.keys / "seal",
        passphrase=settings.seal_passphrase,
        timestamper=authorities.timestamper,
        revocation=authorities.revocation,
        trust=authorities.trust,
    )
    scratch, give_up = _scratch(settings.scratch)
    try:
        async with sealing(
            sealer,
            keys=settings.keys,
            scratch=scratch,
            place=place_of(settings.sealer),
            peers=_users("peers", settings.peers),
            create=create,
            journal=journal,
        ):
            yield {}
    finally:
        give_up()


def _run(name: str, opening: Callable[[Settings], Running]) -> None:
    settings = read_settings()
    if not getattr(settings, name):
        raise SettingsInvalid(f'{variable(name)} says where to listen: "unix:PATH"')
    journal.open_journal()
    asyncio.run(_until_told(settings, name, opening))
    journal.noted("stopped")


async def _until_told(settings: Settings, name: str, opening: Callable[[Settings], Running]) -> None:
    ending = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, ending.set)
    journal.hear()
    async with metrics_served(settings, name), opening(settings) as facts:
        facts |= {"socket": getattr(settings, name), "peers": numbered(_users("peers", settings.peers))}
        journal.noted("listening", part=name, user=os.geteuid(), **facts)
        await ending.wait()


def _users(name: str, value: str) -> frozenset[int]:
    try:
        return users(value)
    except ValueError as problem:
        raise SettingsInvalid(f"{variable(name)}: {problem}") from problem


def _scratch(folder: Path) -> tuple[Path, Callable[[], None]]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return own_scratch(folder, shared=True)
