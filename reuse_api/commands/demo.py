"""`kho demo`: the whole story on a vault of its own, then the vault served."""

from pathlib import Path
from typing import Annotated

import typer

from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.demo import story
from reuse_api.serving import stop_on_signals

FOLDER = Path("var/demo")
KEYS = Path("var/demo-keys")


def demo(
    lang: Lang = None,
    once: Annotated[bool, typer.Option("--once", help="Tell the story and end.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1.")] = 8080,
    folder: Annotated[Path, typer.Option(help="Where the demo's rows, bytes and log are.")] = FOLDER,
    keys: Annotated[Path, typer.Option(help="Where the demo's keys are.")] = KEYS,
) -> None:
    """Build or keep the demo's vault, tell its story with every step real, serve until Ctrl-C or SIGTERM."""
    stop_on_signals()
    raise typer.Exit(story.run(folder=folder, keys=keys, once=once, lang=spoken_language(lang), port=port))
