"""The command `kho`: one program for operators, callers and checkers."""

import os
import sys
import traceback
from collections.abc import Sequence

import typer

from reuse_api.commands import (
    demo,
    imports,
    quarantine,
    renew,
    seal_keys,
    serve,
    token,
    trust,
    upkeep,
    verify,
)
from reuse_api.commands.ending import EXPECTED, Ending, ending_of
from reuse_api.settings import SettingsInvalid

commands = typer.Typer(
    name="kho",
    help="Kho: documents stored once, reused lawfully, every access proven.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
commands.command("serve", epilog=serve.settings_told())(serve.serve)
commands.command("demo")(demo.demo)
commands.command("migrate")(upkeep.migrate)
commands.command("inspect")(upkeep.inspect)
commands.command("revalidate")(trust.revalidate)
imports.commands.command("trusted-list")(trust.trusted_list)
commands.command("renew")(renew.renew)
commands.command("token")(token.token)
commands.add_typer(
    quarantine.commands,
    name="quarantine",
    help="What was refused for what it holds, and its early end.",
    no_args_is_help=True,
)
commands.add_typer(
    imports.commands,
    name="import",
    help="Import procedures of the national catalogue, or a trusted list.",
    no_args_is_help=True,
)
commands.add_typer(
    seal_keys.commands,
    name="seal-key",
    help="Register the keys that agencies seal with.",
    no_args_is_help=True,
)
commands.add_typer(
    verify.commands,
    name="verify",
    help="Check a receipt, a document or a log, offline.",
    no_args_is_help=True,
)


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its exit status.

    A wrong command line or setting gives 64, an error of ours 70; see `Ending`.
    """
    try:
        status = commands(list(arguments), prog_name="kho", standalone_mode=False)
    except typer.TyperException as problem:
        problem.show()  # type: ignore[attr-defined]
        return Ending.WRONG_COMMAND_LINE
    except typer.Abort:
        return Ending.FAILED
    except (SettingsInvalid, *EXPECTED) as problem:
        return ending_of(problem)
    except Exception:
        traceback.print_exc()
        typer.echo("kho: an error of ours; the lines above say where", err=True)
        return Ending.INTERNAL_ERROR
    return status if isinstance(status, int) else Ending.DONE


def main() -> None:
    """Run the command line of this process; what it writes is for us alone, but for the published log."""
    os.umask(0o077)
    sys.exit(int(run(sys.argv[1:])))


if __name__ == "__main__":
    main()
