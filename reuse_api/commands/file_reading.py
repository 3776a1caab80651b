"""The files that a command line names: regular ones alone, and read no further than their stated size."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

import typer

from reuse_api.language import Language

_NOT_REGULAR = {
    "vi": "{path} không phải tệp thường (ống dẫn, thiết bị hoặc thư mục)",
    "en": "{path} is no regular file (a pipe, a device or a folder)",
}
_TOO_LARGE = {"vi": "{path} lớn hơn {most} byte", "en": "{path} is larger than {most} bytes"}


def open_regular(path: Path, language: Language) -> BinaryIO:
    """Open a regular file without waiting for anybody on its other end.

    Raises:
        typer.BadParameter: it is anything else.
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise typer.BadParameter(_NOT_REGULAR[language].format(path=path))


def read_beginning(path: Path, most: int, language: Language) -> bytes:
    """Read a regular file, and no more than one byte beyond `most`: it shows that the file is too large."""
    with open_regular(path, language) as stream:
        return stream.read(most + 1)


def read_whole(path: Path, most: int, language: Language) -> bytes:
    """Read a regular file of at most `most` bytes; a larger one is a wrong command line."""
    content = read_beginning(path, most, language)
    if len(content) > most:
        raise typer.BadParameter(_TOO_LARGE[language].format(path=path, most=most))
    return content
