"""A wrong command line, told in the language that the command speaks."""

import typer

from reuse_api.commands.error_words import in_vietnamese
from reuse_api.language import Language


def tell_usage(problem: typer.TyperException, language: Language) -> None:
    """Say on stderr what is wrong with a command line, and how to learn more."""
    context = getattr(problem, "ctx", None)
    said = problem.format_message()
    if language == "en" or context is None or said == context.get_help():
        problem.show()  # type: ignore[attr-defined]
        return
    usage = context.get_usage().replace("Usage:", "Cách dùng:", 1)
    typer.echo(f"{usage}\nXem '{context.command_path} --help' để biết thêm.\n", err=True)
    typer.echo(f"Lỗi: {in_vietnamese(said) or said}", err=True)
