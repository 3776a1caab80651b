"""Which language a command speaks: `--lang`, else the locale's, else English."""

import os
from typing import Annotated

import typer

from reuse_api.language import Language

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")  # POSIX: the first that is set decides

Lang = Annotated[
    Language | None,
    typer.Option("--lang", help="vi or en; by default what the locale says.", show_default=False),
]


def spoken_language(asked: Language | None) -> Language:
    """Give the language asked for, else Vietnamese in a Vietnamese locale and English in any other."""
    if asked is not None:
        return asked
    locale = next((os.environ[name] for name in _VARIABLES if os.environ.get(name)), "")
    return "vi" if locale.lower().startswith("vi") else "en"
