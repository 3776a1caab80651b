"""The published log on disk: tiles and bundles written once, then the checkpoint replaced (C2SP tlog-tiles).

Every call blocks on the disk and belongs in a thread, one at a time. What a path holds depends on the path
alone, so a publication that died anywhere is done again with the same bytes.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from signing.checkpoint import Checkpoint, LogVerifier
from signing.log_errors import NoteInvalid
from storage.durable import publish, sweep, sync_folder, temporary_file
from vault.errors import VaultBusy, VaultError

CHECKPOINT = "checkpoint"
_WRITING = ".writing"
_PUBLIC = 0o755  # the log is for everybody; the process itself makes everything for us alone


class LogForked(VaultError):
    """The log differs from what was signed or published before; nothing is signed until that is explained."""

    code = "log_forked"


class LogFolder:
    """The folder that is served under /log/; may be lost, for it is rebuilt from the rows."""

    def __init__(self, root: Path, verifier: LogVerifier) -> None:
        self._root = root
        self._verifier = verifier
        self._writing = root / _WRITING

    def prepare(self) -> None:
        """Make the folder and clear what a killed publication left. Raises VaultBusy."""
        with _busy_on_trouble():
            self._make_folder(self._root)
            self._root.chmod(_PUBLIC)  # it may have been made before, under a umask that closes it
            self._writing.mkdir(mode=0o700, exist_ok=True)
            sweep(self._writing)

    def head(self) -> Checkpoint | None:
        """Return the head that is published, None before the first. Raises LogForked, VaultBusy."""
        with _busy_on_trouble():
            try:
                note = (self._root / CHECKPOINT).read_bytes()
            except FileNotFoundError:
                return None
        try:
            return self._verifier.open_checkpoint(note.decode())
        except (NoteInvalid, UnicodeDecodeError) as error:
            raise LogForked(f"the published checkpoint is not ours: {error}") from None

    def write_once(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Write each (path, content) durably; one that is there must have the same content.

        Raises LogForked if it has another, VaultBusy.
        """
        with _busy_on_trouble():
            for path, content in files:
                self._write_one(self._root / path, content)

    def replace_checkpoint(self, note: str, size: int) -> None:
        """Publish a signed head of `size` in place of a smaller one, durably. Raises LogForked, VaultBusy."""
        with _busy_on_trouble(), self._locked():
            published = self.head()
            if published is None or published.size < size:  # else another process went ahead of us
                self._replace_checkpoint(note)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        handle = os.open(self._writing, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _replace_checkpoint(self, note: str) -> None:
        with temporary_file(self._writing) as (temporary, file):
            file.write(note.encode())
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
            temporary.rename(self._root / CHECKPOINT)
            sync_folder(self._root)

    def drop_partials(self, paths: Iterable[str]) -> None:
        """Remove the partial tiles of full ones, each given by the path of the full one. Raises VaultBusy."""
        with _busy_on_trouble():
            for path in paths:
                with suppress(FileNotFoundError):  # it was filled in one go, or this is done again
                    shutil.rmtree(self._root / f"{path}.p")

    def _write_one(self, target: Path, content: bytes) -> None:
        self._make_folder(target.parent)
        with temporary_file(self._writing) as (temporary, file):
            file.write(content)
            os.fchmod(file.fileno(), 0o644)
            try:
                publish(temporary, file, target)
            except FileExistsError:
                # Perhaps linked by a publication that died before the name was durable.
                sync_folder(target.parent)
                if target.read_bytes() != content:
                    raise LogForked(f"{target} was published with other content") from None

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        if folder.is_relative_to(self._root):
            folder.chmod(_PUBLIC)
        sync_folder(folder.parent)


@contextmanager
def _busy_on_trouble() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise VaultBusy(f"the log cannot be published: {error.strerror} ({error.filename})") from error
