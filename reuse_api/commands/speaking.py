"""Which language a command speaks: `--lang`, else the locale's, else English."""

import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, get_args

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


def language_of(arguments: Sequence[str]) -> Language:
    """Give the language of a command line before it is read: it may be wrong, and is told so in this."""
    asked = [one.removeprefix("--lang=") for one in arguments if one.startswith("--lang=")]
    asked += [value for one, value in pairwise(arguments) if one == "--lang"]
    return spoken_language(next((one for one in get_args(Language) if one in asked), None))
