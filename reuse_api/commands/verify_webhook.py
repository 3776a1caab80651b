"""`kho verify webhook`: what came in at a web hook, checked offline as its receiver must check it."""

import fcntl
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from reuse_api.commands.ending import end
from reuse_api.commands.file_reading import read_whole
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.commands.verify_document import ENDINGS, ExistingFile
from reuse_api.commands.verify_words import outcome_line, step_lines
from reuse_api.language import Language
from signing.hook_signature import KeysUnreadable, Message, examine, public_keys
from signing.receipt import outcome_of
from vault.clock import Clock

_MOST_HEADERS = 64 * 1024  # bytes
_MOST_BODY = 2**20
_MOST_KEYS = 2**20
_MOST_SEEN = 64 * 2**20
_METHOD = "POST"
_WRONG = {
    "headers": (
        "{path}: cần các dòng «Tên: giá trị», mỗi tiêu đề một dòng",
        "{path}: expected a header a line, as «Name: value»",
    ),
    "keys": ("{path} không phải một bộ khóa JWKS", "{path} is no set of keys (JWKS)"),
    "at": (
        "cần một thời điểm như 2026-11-24T09:30:00+07:00",
        "expected a time such as 2026-11-24T09:30:00+07:00",
    ),
    "seen": ("{path} không phải tệp đã ghi bởi lệnh này", "{path} was not written by this command"),
}


def webhook(
    headers: ExistingFile,
    body: ExistingFile,
    keys: Annotated[
        Path,
        typer.Option(exists=True, dir_okay=False, help="The keys of the vault, as you fetched them (JWKS)."),
    ],
    url: Annotated[str, typer.Option(help="Your address, as it is registered.")],
    at: Annotated[
        str | None, typer.Option(help="When it came in; now, if not given.", show_default=False)
    ] = None,
    seen: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="A file of yours that notes what came in; without it nothing is said of repeats.",
            show_default=False,
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """Check what came in at a web hook: by the vault's keys, for your address, now, and for the first time.

    HEADERS has one header a line; BODY has the bytes of the body, unchanged.
    """
    language = spoken_language(lang)
    came = _time(at, language)
    message = Message(_METHOD, url, _headers(headers, language), read_whole(body, _MOST_BODY, language))
    try:
        known = public_keys(read_whole(keys, _MOST_KEYS, language))
    except KeysUnreadable as problem:
        raise _wrong("keys", "keys", language, path=keys) from problem
    steps = examine(message, known, came, _noting(seen, came, language) if seen is not None else None)
    for line in step_lines(steps, language):
        typer.echo(line)
    outcome = outcome_of(steps)
    typer.echo(outcome_line(outcome, language))
    raise end(ENDINGS[outcome])


def _headers(path: Path, language: Language) -> dict[str, str]:
    """Read headers as they came in; a line that begins a request (POST /x HTTP/1.1) is passed over."""
    found: dict[str, str] = {}
    try:
        lines = read_whole(path, _MOST_HEADERS, language).decode("latin-1").splitlines()
        for line in lines[1:] if lines and lines[0].endswith(("HTTP/1.1", "HTTP/1.0", "HTTP/2")) else lines:
            if not line.strip():
                continue
            name, colon, value = line.partition(":")
            if not colon or not name.strip() or name != name.strip():
                raise ValueError(line)
            known = next((one for one in found if one.lower() == name.lower()), name)
            found[known] = f"{found[known]}, {value.strip()}" if known in found else value.strip()
    except ValueError as problem:
        raise _wrong("headers", "headers", language, path=path) from problem
    return found


def _noting(path: Path, came: datetime, language: Language) -> Callable[[str, datetime], bool]:
    """Give what notes a nonce in a file, which several processes may share; what is over is dropped."""

    def seen(nonce: str, until: datetime) -> bool:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                lines = [line.split(" ", 1) for line in file.read(_MOST_SEEN).splitlines()]
                kept = {name: int(over) for over, name in lines if int(over) >= came.timestamp()}
            except ValueError as problem:
                raise _wrong("seen", "seen", language, path=path) from problem
            known = nonce in kept
            kept[nonce] = int(until.timestamp())
            file.seek(0)
            file.truncate()
            file.write("".join(f"{over} {name}\n" for name, over in kept.items()))
            file.flush()
            os.fsync(file.fileno())
        return known

    return seen


def _time(text: str | None, language: Language) -> datetime:
    if text is None:
        return Clock().now()
    try:
        at = datetime.fromisoformat(text)
    except ValueError as problem:
        raise _wrong("at", "at", language) from problem
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _wrong(option: str, code: str, language: Language, **values: object) -> typer.BadParameter:
    words = _WRONG[code][0 if language == "vi" else 1].format(**values)
    return typer.BadParameter(words, param_hint=f"--{option}" if option != "headers" else "HEADERS")
