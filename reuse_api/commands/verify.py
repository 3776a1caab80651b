"""`kho verify`: receipts, documents and logs, checked offline with public means, in numbered steps."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import typer

from reuse_api.commands import verify_document, verify_webhook
from reuse_api.commands.ending import end
from reuse_api.commands.file_reading import read_whole
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.commands.verify_document import ENDINGS, ExistingFile
from reuse_api.commands.verify_words import outcome_line, step_lines
from reuse_api.language import Language
from signing.growth import verify_growth
from signing.log_check import Fetch, verify_log
from signing.log_errors import NoteInvalid
from signing.receipt import Step, outcome_of, verify_receipt

_LARGEST_LINE = 1024  # characters of a key line
_LARGEST_FILE = 2**20  # bytes of anything a log publishes; a full tile has 8 kB
_LARGEST_PROOF = 50 * 2**20  # bytes of a receipt, a proof of growth or a checkpoint
_TIMEOUT = 30  # seconds
LogKey = Annotated[
    str | None,
    typer.Option(
        "--log-key",
        help="The log's verifier key line, or @FILE with it; got from elsewhere, never from the file.",
        show_default=False,
    ),
]

commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@commands.command("receipt")
def receipt(
    file: ExistingFile,
    log_key: LogKey = None,
    lang: Lang = None,
    parts: Annotated[bool, typer.Option("--parts", help="Show, as JSON, what the receipt proves.")] = False,
) -> None:
    """Check a receipt: that this access was entered in the log whose key you name."""
    language = spoken_language(lang)
    try:
        checked = verify_receipt(read_whole(file, _LARGEST_PROOF, language), _key_line(log_key))
    except NoteInvalid as problem:
        raise typer.BadParameter(str(problem), param_hint="--log-key") from problem
    for line in step_lines(checked.steps, language):
        typer.echo(line)
    typer.echo(outcome_line(checked.outcome, language))
    if parts:
        typer.echo(json.dumps(checked.parts, ensure_ascii=False, indent=1))
    raise end(ENDINGS[checked.outcome])


@commands.command("log")
def log(
    place: Annotated[str, typer.Argument(help="A folder, or an address such as http://127.0.0.1:8080/log")],
    log_key: LogKey = None,
    lang: Lang = None,
) -> None:
    """Check a whole published log: every entry is in its place and under the signed head."""
    language = spoken_language(lang)
    try:
        steps = verify_log(_fetching(place), _key_line(log_key))
    except NoteInvalid as problem:
        raise typer.BadParameter(str(problem), param_hint="--log-key") from problem
    _conclude(steps, language)


@commands.command("growth")
def growth(
    file: ExistingFile,
    since: Annotated[
        Path,
        typer.Option("--since", exists=True, dir_okay=False, help="The older checkpoint, as you kept it."),
    ],
    log_key: LogKey = None,
    lang: Lang = None,
) -> None:
    """Check that a log only grew since a checkpoint that you kept: nothing before it was changed."""
    language = spoken_language(lang)
    try:
        proof, kept = (read_whole(one, _LARGEST_PROOF, language) for one in (file, since))
        steps = verify_growth(proof, kept, _key_line(log_key))
    except NoteInvalid as problem:
        raise typer.BadParameter(str(problem), param_hint="--log-key") from problem
    _conclude(steps, language)


commands.command("document")(verify_document.document)
commands.command("webhook")(verify_webhook.webhook)


def _conclude(steps: Sequence[Step], language: Language) -> None:
    for line in step_lines(steps, language):
        typer.echo(line)
    outcome = outcome_of(steps)
    typer.echo(outcome_line(outcome, language))
    raise end(ENDINGS[outcome])


def _key_line(given: str | None) -> str | None:
    if given is None or not given.startswith("@"):
        return given.strip() if given is not None else None
    try:
        with open(given[1:], encoding="utf-8") as file:
            return file.read(_LARGEST_LINE).strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise typer.BadParameter(f"no key line in {given[1:]}", param_hint="--log-key") from problem


def _fetching(place: str) -> Fetch:
    """Give what reads a log's files: over HTTP, or from a folder."""
    if urlsplit(place).scheme in ("http", "https"):
        return lambda path: _get(f"{place.rstrip('/')}/{path}")
    if not Path(place).is_dir():
        raise typer.BadParameter(f"{place} is neither a folder nor an http address")
    return lambda path: Path(place, path).read_bytes()


def _get(address: str) -> bytes:
    try:
        # The scheme was checked: only http and https come this far.
        with urlopen(address, timeout=_TIMEOUT) as reply:  # noqa: S310
            return bytes(reply.read(_LARGEST_FILE))
    except HTTPError as problem:
        with problem:
            if problem.code == 404:
                raise FileNotFoundError(address) from problem
        raise OSError(f"{address}: {problem.code}") from problem
