"""Where the rows are: the path of an SQLite file, or a `postgresql+asyncpg` address."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vault.errors import VaultIncomplete

if TYPE_CHECKING:  # settings are read by every command, and most know no rows: it is loaded where it is used
    from sqlalchemy import URL

SERVER = "postgresql+asyncpg"
_OPTIONS = frozenset({"host", "ssl"})
_CHECKED = {"verify-ca": False, "verify-full": True}  # whether the name is checked too (libpq's words)
_ALWAYS = frozenset({"require", *_CHECKED})
_ENCRYPTED = frozenset({"disable", "allow", "prefer", *_ALWAYS})


@dataclass(frozen=True, repr=False)
class RowsAddress:
    """An address of rows. As text it never shows the password, which stands in it or in a file."""

    text: str
    password_file: Path | None = None

    @property
    def server(self) -> bool:
        """Whether a server keeps the rows, so that several processes may."""
        return "://" in self.text

    @property
    def file(self) -> Path:
        """The SQLite file; ValueError where there is none."""
        if self.server:
            raise ValueError(f"{self} is no file")
        return Path(self.text)

    def url(self) -> "URL":
        """Give what the driver is opened by, with the password.

        Raises:
            VaultIncomplete: the file of the password cannot be read, or others can read it.
        """
        from sqlalchemy import URL  # noqa: PLC0415

        if not self.server:
            return URL.create("sqlite+aiosqlite", database=self.text)
        url = _read(self.text)
        if self._demanded in _CHECKED:
            url = url.difference_update_query(["ssl"])  # `encryption` says it instead
        return url.set(password=_first_line(self.password_file)) if self.password_file else url

    def encryption(self) -> ssl.SSLContext | None:
        """Give by whom the server's certificate is to be vouched for, where the address demands that.

        The authorities are the system's, or those of the file that SSL_CERT_FILE names, as for every other
        server; the driver alone would look into a folder of the user's.
        """
        if self._demanded not in _CHECKED:
            return None
        context = ssl.create_default_context()
        context.check_hostname = _CHECKED[self._demanded]
        return context

    @property
    def elsewhere(self) -> str:
        """The host that is spoken to in the clear, or may be; empty for a file, a socket, encryption."""
        if not self.server or self._demanded in _ALWAYS:
            return ""
        url = _read(self.text)
        host = str(url.query.get("host") or url.host or "")
        return "" if host.startswith("/") else host

    @property
    def _demanded(self) -> str:
        return str(_read(self.text).query.get("ssl", "")) if self.server else ""

    def __str__(self) -> str:
        return _read(self.text).render_as_string(hide_password=True) if self.server else self.text

    def __repr__(self) -> str:
        return f"RowsAddress({self})"


def check_rows_address(text: str) -> str:
    """Give the address back if rows can be there; ValueError says what is right, never what was given."""
    if "://" not in text:
        if not text:
            raise ValueError("expected the path of a file")
        return text
    try:
        url = _read(text)
    except ValueError:
        raise ValueError(f'expected a path, or "{SERVER}://USER@HOST/DATABASE"') from None
    if url.drivername != SERVER:
        raise ValueError(f'expected a path, or an address that begins with "{SERVER}://"')
    if not url.database:
        raise ValueError("the address names no database")
    if set(url.query) - _OPTIONS:
        raise ValueError(f"of options, only {' and '.join(sorted(_OPTIONS))} can be given")
    if url.query.get("ssl", "disable") not in _ENCRYPTED:
        raise ValueError(f"ssl is one of {', '.join(sorted(_ENCRYPTED))}")
    return text


def _read(text: str) -> "URL":
    from sqlalchemy import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        return make_url(text)
    except ArgumentError:
        raise ValueError("it is no address") from None


def _first_line(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise VaultIncomplete(f"others can read {path}, which holds the database's password: chmod 600")
        return path.read_text("utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as problem:
        raise VaultIncomplete(f"the database's password cannot be read from {path}") from problem
