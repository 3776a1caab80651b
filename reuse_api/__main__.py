"""The command `kho`: one program for operators, callers and checkers."""

import gc
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

import typer

from reuse_api.commands.ending import EXPECTED, Ending, ending_of
from reuse_api.commands.speaking import language_of
from reuse_api.commands.usage import tell_usage
from reuse_api.journal import tell_failure
from reuse_api.settings import SettingsInvalid
from vault import tracing


@dataclass(frozen=True)
class Command:
    """Where a command lives, and its line in the list; what it needs is loaded when it is asked for."""

    module: str
    help: str
    group: bool = False


COMMANDS = {
    "serve": Command(
        "serve", "Serve the vault until Ctrl-C or SIGTERM; no other process may write to it meanwhile."
    ),
    "demo": Command(
        "demo",
        "Build or keep the demo's vault, tell its story with every step real, serve until Ctrl-C or SIGTERM.",
    ),
    "migrate": Command(
        "upkeep", "Bring the database of the settings to this version's schema; again, it changes nothing."
    ),
    "inspect": Command(
        "upkeep",
        "Compare rows, blobs and log of the vault, without any key; ends with 1 when something is wrong.",
    ),
    "backup": Command(
        "backups",
        "Copy rows, bytes and log into a folder, also while the vault is served; keys into another.",
    ),
    "restore": Command(
        "backups", "Make a vault from a backup, in the empty places of the settings; all of it is checked."
    ),
    "move": Command(
        "moving",
        "Move the vault of the settings to other addresses: database, store, or both; keys and log stay.",
    ),
    "revalidate": Command(
        "trust",
        "Judge stored documents again by whom the vault trusts now; each opening is an entry of its owners.",
    ),
    "renew": Command(
        "renew", "Renew archive time stamps that run out soon; `kho serve` does the same once a day."
    ),
    "reindex": Command(
        "indexing", "Build the search index from the rows, beside the one in use, and switch."
    ),
    "work": Command("indexing", "Do what a served vault does by itself, without doors; until Ctrl-C."),
    "sign": Command(
        "parts", "Hold the log key: sign and publish the log for the vault's other processes, until SIGTERM."
    ),
    "gate": Command(
        "parts", "Hold the master key: open keys and entries for the vault's other processes, until SIGTERM."
    ),
    "seal": Command(
        "parts", "Hold the agencies' seal keys: seal for the vault's other processes, until SIGTERM."
    ),
    "health": Command(
        "health", "Ask a process of this set-up whether it is there; ends with 1 when it does not answer."
    ),
    "keys": Command("keys", "Split the keys of one process among several.", group=True),
    "dead-letters": Command(
        "indexing", "List what could not be carried out after many attempts, or have it tried again."
    ),
    "token": Command(
        "token", "Make both assertions from a key file, ask for an access token, and print it alone."
    ),
    "quarantine": Command("quarantine", "What was refused for what it holds, and its early end.", group=True),
    "import": Command(
        "imports", "Import procedures of the national catalogue, or a trusted list.", group=True
    ),
    "seal-key": Command(
        "seal_keys", "Register the keys that agencies seal with, and how their seals look.", group=True
    ),
    "agency": Command("agencies", "Let an agency be one no more, with its systems and officers.", group=True),
    "system": Command("systems", "Let a system be one no more.", group=True),
    "staff": Command("staff", "Register officers, their roles and their sign-in; list them.", group=True),
    "agency-certificate": Command(
        "agency_certificates", "Register whose signature a certificate makes.", group=True
    ),
    "webhook-key": Command(
        "webhook_keys", "The key that signs what is sent to web hooks, and its renewal.", group=True
    ),
    "verify": Command("verify", "Check a receipt, a document, a log or a web hook, offline.", group=True),
}

_OURS = {
    "vi": "kho: lỗi của chúng tôi; các dòng trên nói lỗi ở đâu",
    "en": "kho: an error of ours; the lines above say where",
}


def _program(asked: str) -> typer.Typer:
    """Give the program with the one command that is asked for; of the others only their lines."""
    program = typer.Typer(
        name="kho",
        help="Kho: documents stored once, reused lawfully, every access proven.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    for name, command in COMMANDS.items():
        if name == asked:
            _add(program, name, command)
        else:
            program.command(name, help=command.help)(_not_asked)
    return program


def _not_asked() -> None:
    """Stand in the list of commands for one that is not loaded."""


def _add(program: typer.Typer, name: str, command: Command) -> None:
    module = _loaded(f"reuse_api.commands.{command.module}")
    if command.group:
        program.add_typer(module.commands, name=name, help=command.help, no_args_is_help=True)
        return
    told = module.settings_told() if name == "serve" else None
    program.command(name, epilog=told)(getattr(module, name.replace("-", "_")))


def _loaded(name: str) -> ModuleType:
    """Import a module; nothing that is loaded is garbage, and looking for it takes a fifth of the time."""
    looking = gc.isenabled()
    gc.disable()
    try:
        return import_module(name)
    finally:
        if looking:
            gc.enable()


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its exit status.

    A wrong command line or setting gives 64, an error of ours 70; see `Ending`.
    """
    asked = next((one for one in arguments if not one.startswith("-")), "")
    try:
        with tracing.under(tracing.begun()):
            status = _program(asked)(list(arguments), prog_name="kho", standalone_mode=False)
    except typer.TyperException as problem:
        tell_usage(problem, language_of(arguments))
        return Ending.WRONG_COMMAND_LINE
    except typer.Abort:
        return Ending.FAILED
    except (SettingsInvalid, *EXPECTED) as problem:
        return ending_of(problem, language_of(arguments))
    except Exception as problem:
        tell_failure("program_failed", problem)
        typer.echo(_OURS[language_of(arguments)], err=True)
        return Ending.INTERNAL_ERROR
    return status if isinstance(status, int) else Ending.DONE


def main() -> None:
    """Run the command line of this process; what it writes is for us alone, but for the published log."""
    os.umask(0o077)
    sys.exit(int(run(sys.argv[1:])))


if __name__ == "__main__":
    main()
