"""What a bucket does with what is written: keep versions, lock when asked, lock by itself; never guessed.

A server says "there is none" by its own codes; only those are taken for it. What it does not tell us, because
we may not ask or because it is out of order, is unknown, which is never the same as none.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from minio import Minio
from minio.commonconfig import ENABLED
from minio.error import S3Error
from minio.versioningconfig import SUSPENDED

from storage.s3_calls import code_of, may_pass

# No configuration of that kind, or a server without any: it does not know the question.
_NONE = frozenset(
    {
        "MethodNotAllowed",
        "NoSuchObjectLockConfiguration",
        "NotImplemented",
        "ObjectLockConfigurationNotFound",
        "ObjectLockConfigurationNotFoundError",
        "XNotImplemented",
    }
)
_CLIENT_FAULT, _SERVER_FAULT = 400, 500


@dataclass(frozen=True)
class Traits:
    """What a bucket was seen to do; None is unknown, and `untold` the codes by which the server refused.

    Args:
        versioning: on, suspended (those from before stay), off or unknown.
    """

    versioning: str
    locks: bool | None
    locks_itself: bool | None
    untold: tuple[str, ...] = ()

    @property
    def locking(self) -> str:
        """Whether the bucket would lock, in a word."""
        return {True: "offered", False: "off", None: "unknown"}[self.locks]


def traits_of(client: Minio, bucket: str) -> Traits:
    """Ask the server what the bucket does. Raises what the client raises where it does not answer."""
    untold: list[str] = []
    locks: tuple[bool | None, bool | None] = (None, None)
    try:
        status = client.get_bucket_versioning(bucket).status  # nothing at all where it was never on
        versioning = {ENABLED: "on", SUSPENDED: "suspended"}.get(status or "", "off")
    except S3Error as fault:
        versioning = "unknown" if _none_or_unknown(fault, untold) is None else "off"
    try:
        locks = True, client.get_object_lock_config(bucket).mode is not None
    except S3Error as fault:
        known = _none_or_unknown(fault, untold)
        locks = known, known
    return Traits(versioning, *locks, tuple(dict.fromkeys(untold)))


def _none_or_unknown(fault: S3Error, untold: list[str]) -> bool | None:
    code = code_of(fault)
    if code in _NONE:
        return False
    if code == "NoSuchBucket" or may_pass(fault):
        raise fault
    untold.append(code)
    return None


def held_back(client: Minio, bucket: str, name: str, version: str | None, fault: S3Error) -> bool:
    """Say whether a version could not be deleted because its lock lasts on: the server says until when.

    Servers refuse by different codes, some by the one they use for everything that we may not do; so the
    refusal is believed only where the version has a date of its own that is still to come.
    """
    if version is None or not _CLIENT_FAULT <= int(fault.response.status) < _SERVER_FAULT:
        return False
    try:
        held = client.get_object_retention(bucket, name, version_id=version)
    except S3Error as untold:
        if may_pass(untold):
            raise
        return False
    return held is not None and held.retain_until_date > datetime.now(UTC)
