"""An address gives a store: the one place that knows which kinds of store there are."""

from pathlib import Path

from storage.blobs import BlobStore
from storage.errors import AddressUnsupported
from storage.folder import FolderStore
from storage.s3_address import FORM, SCHEMES, StoreAccess, parse_bucket, read_credentials

SUPPORTED = f"folder:PATH or {FORM}"


def check_address(address: str) -> str:
    """Give the address back if a store can be there, else raise AddressUnsupported; touches nothing."""
    kind, _, place = address.partition(":")
    if kind == "folder" and place:
        return address
    if kind in SCHEMES:
        parse_bucket(address)
        return address
    # An address may carry a password, so only its kind is repeated.
    raise AddressUnsupported(f"{kind[:20]!r} is no kind of store; supported: {SUPPORTED}")


def folder_of(address: str) -> Path | None:
    """Give the folder of this machine that a store lies in; None where it lies elsewhere."""
    kind, _, place = address.partition(":")
    return Path(place) if kind == "folder" else None


def open_store(address: str, access: StoreAccess | None = None) -> BlobStore:
    """Open the store at `address`; blocks while it looks at the place.

    Args:
        address: "folder:PATH", a folder of this machine, made if it is not there; or
            "s3+https://HOST[:PORT]/BUCKET[/PREFIX]", a bucket of any S3 server, which must be there.
        access: what a server needs beside it.

    Raises:
        AddressUnsupported: any other address.
        CredentialsUnusable, StoreCannotLock: of a server.
        StoreUnavailable: or StoreRefused, BucketMissing, which are kinds of it.
    """
    check_address(address)
    kind, _, place = address.partition(":")
    if kind == "folder":
        return FolderStore(Path(place))
    # minio takes long to import, so only who keeps a store in a bucket waits for it.
    from storage.s3 import S3Store  # noqa: PLC0415

    access = access or StoreAccess()
    bucket, credentials = parse_bucket(address), read_credentials(access.credentials)
    return S3Store(bucket, credentials, access.region, access.lock_days)
