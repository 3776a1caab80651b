"""An address gives a store: the one place that knows which kinds of store there are."""

from pathlib import Path

from storage.blobs import BlobStore
from storage.errors import AddressUnsupported
from storage.folder import FolderStore


def open_store(address: str) -> BlobStore:
    """Open the store at `address`: "folder:PATH", a folder of this machine, made if it is not there.

    Raises AddressUnsupported for any other address, and StoreUnavailable.
    """
    kind, _, place = address.partition(":")
    if kind == "folder" and place:
        return FolderStore(Path(place))
    # An address may carry a password, so only its kind is repeated.
    raise AddressUnsupported(f"{kind[:20]!r} is no kind of store; supported: folder:PATH")
