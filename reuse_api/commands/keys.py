"""`kho keys split`: from one process with every key to several with their own (docs/processes.md)."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.settings import Settings, read_settings
from reuse_api.wiring import places_of
from vault.key_splitting import KeyFolders, split

commands = typer.Typer(rich_markup_mode=None, add_completion=False)
_WORDS = {
    "vi": "{name}: {folder}; hãy giao thư mục này cho người dùng của `kho {name}` (chown -R)",
    "en": "{name}: {folder}; hand this folder to the user of `kho {name}` (chown -R)",
}
Folder = Annotated[Path, typer.Option(help="A new folder for the keys of that process.", show_default=False)]


@commands.callback()
def _group() -> None:
    """Split the keys of one process among several."""


@commands.command("split")
def split_keys(sign: Folder, gate: Folder, seal: Folder, lang: Lang = None) -> None:
    """Copy each key of KHO_KEYS to the folder of its part, and note both public keys in the rows.

    Refused while anybody serves the vault. The old folder stays as it is: remove it once the parts run.
    """
    asyncio.run(_split(read_settings(), KeyFolders(sign, gate, seal)))
    words = _WORDS[spoken_language(lang)]
    for name, folder in (("sign", sign), ("gate", gate), ("seal", seal)):
        typer.echo(words.format(name=name, folder=folder))


async def _split(settings: Settings, folders: KeyFolders) -> None:
    await split(places_of(settings), folders)
