"""`kho serve`: open the vault of the settings and serve every door on it."""

import asyncio
from typing import Annotated

import typer

from reuse_api.app import create_app
from reuse_api.journal import hear, noted, open_journal
from reuse_api.metrics import metrics_served
from reuse_api.serving import bound, listen, server, stop_on_signals
from reuse_api.settings import Settings, read_settings, variable
from reuse_api.vault_figures import VaultFigures
from reuse_api.wiring import open_vault
from vault.readiness import searchable
from vault.services import Vault


def settings_told() -> str:
    """Tell every setting with its default, as `kho serve --help` shows it."""
    lines = ["Settings are environment variables, read once; an unknown KHO_ variable is refused:"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else str(field.default)
        lines.append(f"{variable(name)} ({default})" if default else variable(name))
        lines.append(field.description or "")
    return "\n\n".join(lines)


def serve(
    listening: Annotated[
        str | None, typer.Option("--listen", help="HOST:PORT instead of KHO_LISTEN.", show_default=False)
    ] = None,
    create: Annotated[bool, typer.Option("--create", help="Make the vault if there is none yet.")] = False,
) -> None:
    """Serve the vault until Ctrl-C or SIGTERM; no other process may write to it meanwhile."""
    settings = read_settings(listen=listening)
    open_journal()
    stop_on_signals()
    try:
        asyncio.run(_serve(settings, create=create))
    except KeyboardInterrupt:
        noted("stopped")


async def _serve(settings: Settings, *, create: bool) -> None:
    # The socket first: a taken port is told before anything is opened.
    hear()
    with listen(settings.host, settings.port) as socket:
        async with metrics_served(settings, "serve") as metrics, open_vault(settings, create=create) as vault:
            _tell_trust(vault)
            noted("serving", listen=bound(socket), entries=vault.signer.tree.size)
            telling = asyncio.create_task(tell_search(vault))  # a server that is away delays nobody
            app = create_app(vault, settings)
            with metrics.showing(VaultFigures(vault, app.state.traffic)):
                await server(app).serve(sockets=[socket])
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)


async def tell_search(vault: Vault) -> None:
    """Say at the start whether documents can be searched for: wrong credentials are found out now."""
    noted("searching", **await searchable(vault))


def _tell_trust(vault: Vault) -> None:
    """Say how many anchors count for each purpose, and who may be asked about certificates."""
    counts = {str(purpose): count for purpose, count in vault.trust.current().counts.items()}
    noted("trusting", status_hosts=", ".join(sorted(vault.status.hosts)) or "offline", anchors=counts)
