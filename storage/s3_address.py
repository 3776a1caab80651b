"""Where a bucket is, and who asks: `s3+https://HOST[:PORT]/BUCKET[/PREFIX]`, credentials in a file."""

import ipaddress
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from storage.errors import AddressUnsupported, CredentialsUnusable

SCHEMES = {"s3+https": True, "s3+http": False}
FORM = "s3+https://HOST[:PORT]/BUCKET[/PREFIX]"
LOCK_DAYS_MAX = 36_500
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")  # the rule of S3 itself
_PREFIX = re.compile(r"[a-z0-9-]+(?:/[a-z0-9-]+)*")
_LINES = 2
_FILE_MAX = 4096  # bytes; two keys are under 200


@dataclass(frozen=True)
class StoreAccess:
    """What a store on a server needs beside its address; a folder needs none of it.

    Args:
        credentials: a file (mode 600): the access key in its first line, the secret key in its second.
        region: the region that requests are signed for.
        lock_days: how many days the server keeps each new blob from being deleted or changed by anybody
            (object lock, COMPLIANCE); 0 asks for no lock.
    """

    credentials: Path | None = None
    region: str = "us-east-1"
    lock_days: int = 0


@dataclass(frozen=True)
class Bucket:
    """A bucket on a server; blobs are under `prefix`, which is empty or ends with a slash."""

    host: str  # with its port, where one was given
    name: str
    prefix: str
    encrypted: bool

    def __str__(self) -> str:
        return f"{self.host}/{self.name}"


def parse_bucket(address: str) -> Bucket:
    """Read the address of a bucket.

    Raises:
        AddressUnsupported: it is not of the form above, carries credentials, or is not encrypted and leads
            off this machine. The address is never repeated: somebody may have put a secret into it.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise AddressUnsupported(f"expected {FORM}") from None
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None:
        raise AddressUnsupported("no credentials in the address: they are in a file of their own")
    bucket, _, prefix = parts.path.removeprefix("/").removesuffix("/").partition("/")
    whole = _HOST.fullmatch(host) and _BUCKET.fullmatch(bucket) and not parts.query and not parts.fragment
    if parts.scheme not in SCHEMES or not whole or (prefix and not _PREFIX.fullmatch(prefix)):
        raise AddressUnsupported(f"expected {FORM}")
    encrypted = SCHEMES[parts.scheme]
    if not encrypted and not _on_loopback(host):
        raise AddressUnsupported("s3+http is for this machine alone; use s3+https")
    return Bucket(f"{host}:{port}" if port else host, bucket, f"{prefix}/" if prefix else "", encrypted)


def _on_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_credentials(path: Path | None) -> tuple[str, str]:
    """Give access key and secret key.

    Raises:
        CredentialsUnusable: there is no file, others can read it, or it does not hold two lines.
    """
    if path is None:
        raise CredentialsUnusable("none is named, and an S3 store needs one")
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_FILE_MAX).decode("ascii")
    except OSError as problem:
        raise CredentialsUnusable(f"{path}: {problem.strerror}") from problem
    except UnicodeDecodeError:
        raise CredentialsUnusable(f"{path}: not ASCII") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise CredentialsUnusable(f"{path}: others can reach it; chmod 600")
    lines = text.split()
    if len(lines) != _LINES:
        raise CredentialsUnusable(f"{path}: expected two lines, the access key and the secret key")
    return lines[0], lines[1]
