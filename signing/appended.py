"""A file that is only read, and what is written behind it: an increment, without a copy of the file."""

import io
from typing import BinaryIO


class Appended(io.RawIOBase):
    """A file with a tail. Reading knows both; writing reaches the tail alone, which is kept in memory."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._size = file.seek(0, io.SEEK_END)
        self._tail = io.BytesIO()
        self._at = 0

    @property
    def tail(self) -> bytes:
        """What was written behind the file."""
        return self._tail.getvalue()

    def readable(self) -> bool:
        """Say yes."""
        return True

    def writable(self) -> bool:
        """Say yes: behind the file."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Give the place in the whole, in bytes."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the whole."""
        whole = self._size + len(self._tail.getbuffer())
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: whole}[whence]
        if start + offset < 0:
            raise ValueError("there is nothing before the beginning")
        self._at = start + offset
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on; less than asked for only at the end."""
        wanted = -1 if size is None or size < 0 else size
        found = b""
        if self._at < self._size:
            self._file.seek(self._at)
            found = self._file.read(wanted)
            self._at += len(found)
        if self._at >= self._size and (wanted < 0 or len(found) < wanted):
            self._tail.seek(self._at - self._size)
            more = self._tail.read(wanted if wanted < 0 else wanted - len(found))
            self._at += len(more)
            found += more
        return found

    def readinto(self, buffer: "memoryview | bytearray", /) -> int:  # type: ignore[override]
        """Read on into a buffer."""
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def write(self, content: "bytes | bytearray | memoryview", /) -> int:  # type: ignore[override]
        """Write into the tail. Raises OSError for a place inside the file."""
        if self._at < self._size:
            raise OSError("only what follows the file can be written")
        self._tail.seek(self._at - self._size)
        self._at += self._tail.write(content)
        return len(content)
