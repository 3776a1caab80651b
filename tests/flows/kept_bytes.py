"""The bytes that a vault has kept, looked at and changed behind its back: in a folder, or in a bucket."""

from io import BytesIO
from pathlib import Path
from typing import Protocol

from tests.servers.seaweed import client_of


class KeptBytes(Protocol):
    """Blobs by the name that they have in their store."""

    def names(self) -> dict[str, int]:
        """Give every blob with its size in bytes."""
        ...

    def change(self, name: str, content: bytes) -> None:
        """Put other bytes in the place of a blob's."""
        ...

    def read(self, name: str) -> bytes:
        """Give what is there, as it is there."""
        ...


def waiting(kept: KeptBytes) -> list[str]:
    """Give the blobs of files that wait for their seal."""
    return [one for one in kept.names() if one.rpartition("/")[2].startswith("waiting.")]


def flip(kept: KeptBytes, name: str, at: int) -> None:
    """Change one bit of a blob."""
    content = bytearray(kept.read(name))
    content[at] ^= 1
    kept.change(name, bytes(content))


class FolderBytes:
    """Those of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> dict[str, int]:
        files = [one for one in self._folder.rglob("*") if one.is_file()]
        return {str(one.relative_to(self._folder)): one.stat().st_size for one in files}

    def change(self, name: str, content: bytes) -> None:
        file = self._folder / name
        file.chmod(0o600)
        file.write_bytes(content)

    def read(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()


class BucketBytes:
    """Those under a prefix of a bucket: what the store's address (`s3+http://host/bucket/prefix`) names."""

    def __init__(self, address: str, access: str, secret: str) -> None:
        host, self._bucket, self._prefix = address.removeprefix("s3+http://").split("/", 2)
        self._client = client_of(host, access, secret)

    def names(self) -> dict[str, int]:
        found = self._client.list_objects(self._bucket, prefix=f"{self._prefix}/", recursive=True)
        return {str(one.object_name).removeprefix(f"{self._prefix}/"): int(one.size or 0) for one in found}

    def change(self, name: str, content: bytes) -> None:
        """Write a newer version: what is locked is only hidden by it."""
        self._client.put_object(self._bucket, f"{self._prefix}/{name}", BytesIO(content), len(content))

    def read(self, name: str) -> bytes:
        answer = self._client.get_object(self._bucket, f"{self._prefix}/{name}")
        try:
            return bytes(answer.read())
        finally:
            answer.close()
            answer.release_conn()
