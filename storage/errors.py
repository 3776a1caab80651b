"""What can go wrong with bytes and keys; an adapter lets only these out."""

from typing import ClassVar


class StorageError(Exception):
    """The storage could not do what was asked."""

    code: ClassVar[str] = "storage_failed"

    def __init__(self, detail: str = "") -> None:
        """Keep `detail` (what and where, never content or key bytes) beside the words of the class."""
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        words = (type(self).__doc__ or "").strip().splitlines()[0]
        return f"{words} ({self.detail})" if self.detail else words


class AddressUnsupported(StorageError):
    """No kind of store is known for this address."""

    code = "store_address_unsupported"


class BlobKeyInvalid(StorageError):
    """A key is made of parts [a-z0-9]{2,} joined by slashes, at most 240 characters long."""

    code = "blob_key_invalid"


class BlobConflict(StorageError):
    """Other bytes are already stored under this key."""

    code = "blob_conflict"


class BlobMissing(StorageError):
    """Nothing is stored under this key."""

    code = "blob_missing"


class BlobDamaged(StorageError):
    """The stored bytes are not the ones that were sealed."""

    code = "blob_damaged"


class StoreUnavailable(StorageError):
    """The store cannot be read or written just now."""

    code = "store_unavailable"


class StoreRefused(StoreUnavailable):
    """The store does not let us in with these credentials."""

    code = "store_refused"


class StoreNotTrusted(StoreUnavailable):
    """The store's certificate is not trusted: it has ended, or nobody we know vouches for it."""

    code = "store_not_trusted"


class BucketMissing(StoreUnavailable):
    """There is no such bucket on the server; Kho makes none."""

    code = "store_bucket_missing"


class StoreCannotLock(StorageError):
    """The bucket cannot lock, or does not say so; make it with object lock, or ask for no lock."""

    code = "store_cannot_lock"


class CredentialsUnusable(StorageError):
    """The file of the store's credentials cannot be used."""

    code = "store_credentials_unusable"


class MasterKeyExposed(StorageError):
    """The key folder can be reached by others, so it is not used."""

    code = "master_key_exposed"


class MasterKeyMissing(StorageError):
    """A key that this vault needs is not in its folder."""

    code = "master_key_missing"


class MasterKeyDamaged(StorageError):
    """A key file does not hold a key of the right length."""

    code = "master_key_damaged"


class SealBroken(StorageError):
    """A sealed value cannot be opened with this key for this purpose."""

    code = "seal_broken"
