"""The signature that stands beside a record's file: sealed under the record's own key, hashed in its row.

It is written with the record and never again, so that the verdict can be found again as long as the record
is kept. Reading it is reading the record: an entry, which names the digest of these very bytes.
"""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from storage.errors import BlobDamaged, BlobMissing, StorageError
from storage.sealed import read_sealed
from vault.errors import ContentDamaged, StoreAway
from vault.records import Stored
from vault.services import Vault

PART = "signature"
DELIVERED = "signature_delivered"  # the event of a reading
_DER, _PEM = "application/pkcs7-signature", "application/x-pem-file"
_COLUMNS = {  # of a file that is read -> of the signature in the record's row
    "blob": "signature_blob",
    "media_type": "signature_type",
    "content_sha256": "signature_sha256",
    "content_size": "signature_size",
    "sealed_sha256": "signature_sealed_sha256",
    "sealed_size": "signature_sealed_size",
}


def media_type_of(signature: bytes) -> str:
    """Give the media type that a signature is handed out as: DER (RFC 8551), else PEM."""
    return _PEM if signature.lstrip().startswith(b"-----BEGIN") else _DER


def row_of(blob: str, signature: bytes, sealed: bytes) -> dict[str, Any]:
    """Give the columns of a record's row that tell of its signature."""
    return {
        "signature_blob": blob,
        "signature_type": media_type_of(signature),
        "signature_sha256": sha256(signature).digest(),
        "signature_size": len(signature),
        "signature_sealed_sha256": sha256(sealed).digest(),
        "signature_sealed_size": len(sealed),
    }


def digest_of(row: Mapping[str, Any]) -> bytes | None:
    """Give the SHA-256 of the signature beside a record's file; None where there is none."""
    found: bytes | None = row.get("signature_sha256")
    return found


def told_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Say in an answer that there is a signature, and which; nothing where there is none."""
    digest = digest_of(row)
    return {"signature": {"digest": digest.hex(), "size": row["signature_size"]}} if digest else {}


def asked(signature: bytes | None) -> dict[str, str]:
    """Say which signature came with a request, in its hash and its entry; nothing where none did."""
    return {} if signature is None else {"signature": sha256(signature).hexdigest()}


def same(row: Mapping[str, Any], signature: bytes | None) -> bool:
    """Say whether a record holds the signature that a file comes with; without one it asks for none."""
    return signature is None or digest_of(row) == sha256(signature).digest()


def as_file(stored: Stored) -> Stored | None:
    """Give a record with its signature in the place of its file; None where there is none."""
    if digest_of(stored.row) is None:
        return None
    return replace(
        stored, row={**stored.row, **{name: stored.row[column] for name, column in _COLUMNS.items()}}
    )


async def opened(vault: Vault, stored: Stored, key: bytes) -> bytes | None:
    """Open the signature with the record's key, for work that an entry tells of; None where there is none.

    Raises:
        ContentDamaged: the stored bytes do not authenticate, or are not those of the record's row.
        StoreAway: the store did not answer.
    """
    kept = as_file(stored)
    if kept is None:
        return None
    row = kept.row
    try:
        async with await vault.store.open(row["blob"]) as reader:
            chunks = read_sealed(
                reader, key=key, record=row["id"], part=PART, content_size=row["content_size"]
            )
            found = b"".join([chunk async for chunk in chunks])
    except (BlobDamaged, BlobMissing) as problem:
        raise ContentDamaged from problem
    except StorageError as problem:
        raise StoreAway(f"storage: {problem.code}") from problem
    if sha256(found).digest() != row["content_sha256"]:
        raise ContentDamaged
    return found
