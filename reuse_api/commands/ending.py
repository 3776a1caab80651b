"""How a command ends: its exit statuses, and errors told in one line."""

from enum import IntEnum

import typer

from policies.errors import PolicyError
from reuse_api.commands.error_words import error_words
from reuse_api.language import Language
from reuse_api.settings import SettingsInvalid
from search.errors import SearchError
from signing.errors import SigningError
from storage.errors import StorageError
from vault.errors import VaultError


class Ending(IntEnum):
    """Exit statuses (DESIGN 10); `verify` uses the first four."""

    VALID = 0
    DONE = 0
    INVALID = 1
    FAILED = 1
    UNDETERMINED = 2
    NOT_EXAMINED = 3
    WRONG_COMMAND_LINE = 64
    INTERNAL_ERROR = 70


class CommandFailed(Exception):
    """A command could not do what it was asked; the message is the line to show."""


# What is told in one line and is no fault of the program.
EXPECTED = (CommandFailed, VaultError, StorageError, SigningError, SearchError, PolicyError, OSError)


def ending_of(problem: Exception, language: Language) -> Ending:
    """Tell an error in one line on stderr and give the exit status for it."""
    typer.echo(f"kho: {error_words(problem, language)}", err=True)
    return Ending.WRONG_COMMAND_LINE if isinstance(problem, SettingsInvalid) else Ending.FAILED


def end(status: Ending) -> typer.Exit:
    """Give what to raise to end with a status."""
    return typer.Exit(int(status))
