"""Who asks a search server: a file of its own holds the credentials, so that no address need carry them."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from search.errors import IndexCredentialsUnusable

_USER_AND_PASSWORD, _KEY = 2, 1  # lines
_FILE_MAX = 4096  # bytes


@dataclass(frozen=True)
class IndexAccess:
    """What a search server needs beside its address.

    Args:
        credentials: a file (mode 600) of two lines, user and password, or of one, an API key as the server
            gives it in Base64. It goes before what the address says.
    """

    credentials: Path | None = None


def read_credentials(path: Path) -> tuple[str, str] | str:
    """Give user and password, or an API key.

    Raises:
        IndexCredentialsUnusable: there is no file, others can reach it, or it holds neither.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_FILE_MAX).decode("ascii")
    except OSError as problem:
        raise IndexCredentialsUnusable(f"{path}: {problem.strerror}") from problem
    except UnicodeDecodeError:
        raise IndexCredentialsUnusable(f"{path}: not ASCII") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise IndexCredentialsUnusable(f"{path}: others can reach it; chmod 600")
    lines = [line.strip("\r") for line in text.rstrip("\r\n").split("\n")]
    sound = all(line and line.isprintable() for line in lines)
    if sound and len(lines) == _USER_AND_PASSWORD and ":" not in lines[0]:
        return lines[0], lines[1]
    if sound and len(lines) == _KEY and " " not in lines[0]:
        return lines[0]
    raise IndexCredentialsUnusable(f"{path}: expected two lines, user and password, or one, an API key")
