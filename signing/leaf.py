"""The leaf of an entry, its sealed body and its openings: the log's final format (DESIGN 6).

    salt_p = HMAC-SHA256(seed, "kho/1/salt/" || p)
    C_p    = HMAC-SHA256(salt_p, "kho/1/part/" || p || 0x00 || json_p)
    K      = SHA-256("kho/1/entry" || 0x00 || kind || C_subject || C_actor || C_purpose || C_basis || C_event)
    leaf   = 0x01 || kind || K
    body   = AES-256-GCM(key HMAC-SHA256(seed, "kho/1/body"), nonce 12 zero bytes, AAD leaf, five json_p)

`seed` is 32 random bytes and serves one entry only, so that its body key never meets the nonce twice.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from signing.canonical import canonical, from_base64, parse_canonical, plain, to_base64
from signing.log_errors import LeafMalformed

PARTS = ("subject", "actor", "purpose", "basis", "event")
LEAF_SIZE = 34
SEED_SIZE = 32

_VERSION = 1
_BODY_NONCE = bytes(12)


class Kind(IntEnum):
    """What an entry tells of; public, the second byte of its leaf."""

    RELEASE_PERMITTED = 1
    REFUSED = 2
    DELIVERED = 3
    NOT_DELIVERED = 4
    PLAN_ASKED = 5
    SEARCH = 6
    DOSSIER_EVENT = 7
    RECORD_EVENT = 8
    CONSENT_EVENT = 9
    CONFIRMATION = 10
    POLICY_PUBLISHED = 11
    ACKNOWLEDGEMENT = 12
    ADMINISTRATOR_ACT = 13
    AUDITOR_ACT = 14
    MAINTENANCE = 15
    KEY_ERASED = 16
    HEARTBEAT = 17


@dataclass(frozen=True)
class Parts:
    """The five parts of an entry as JSON objects: objects, lists, strings, integers and booleans.

    What is not known is absent, never null. Strings and keys are kept in NFC, in copies of what was given.
    Raises LeafMalformed, naming the part, for floats, null, other types, integers beyond 2**53 - 1.
    """

    subject: Mapping[str, Any]
    actor: Mapping[str, Any]
    purpose: Mapping[str, Any]
    basis: Mapping[str, Any]
    event: Mapping[str, Any]
    encoded: Mapping[str, bytes] = field(init=False, repr=False, compare=False)
    """The canonical JSON of each part, made once, so that leaf, body and opening cannot differ."""

    def __post_init__(self) -> None:
        encoded = {}
        for part in PARTS:
            value = getattr(self, part)
            if not isinstance(value, Mapping):
                raise LeafMalformed("is not an object", part=part)
            taken = plain(value, part)
            object.__setattr__(self, part, taken)
            encoded[part] = rfc8785.dumps(taken)
        object.__setattr__(self, "encoded", encoded)


def new_seed() -> bytes:
    """Return 32 random bytes for one entry."""
    return os.urandom(SEED_SIZE)


def make_leaf(kind: Kind, parts: Parts, seed: bytes) -> bytes:
    """Return the 34-byte leaf that commits to the kind and to the five parts under `seed`."""
    return _leaf(kind, _commitments(parts, _checked_seed(seed)))


def leaf_kind(leaf: bytes) -> Kind:
    """Return the kind that a leaf names in the open. Raises LeafMalformed."""
    if len(leaf) != LEAF_SIZE or leaf[0] != _VERSION:
        raise LeafMalformed("the leaf is not 34 bytes of version 1")
    try:
        return Kind(leaf[1])
    except ValueError:
        raise LeafMalformed(f"the leaf is of the unknown kind {leaf[1]}") from None


def seal_body(parts: Parts, seed: bytes, leaf: bytes) -> bytes:
    """Return the encrypted five parts, bound to `leaf`. Raises LeafMalformed if leaf is not theirs."""
    _require_own(parts, seed, leaf)
    together = b"{" + b",".join(b'"%s":%s' % (p.encode(), parts.encoded[p]) for p in sorted(PARTS)) + b"}"
    return AESGCM(_body_key(seed)).encrypt(_BODY_NONCE, together, leaf)


def open_body(body: bytes, seed: bytes, leaf: bytes) -> Parts:
    """Return the parts sealed in `body`, after the leaf made from them was seen to be `leaf`.

    Raises LeafMalformed if the body was changed, is another leaf's, or holds parts of another leaf.
    """
    try:
        together = AESGCM(_body_key(_checked_seed(seed))).decrypt(_BODY_NONCE, body, leaf)
    except InvalidTag:
        raise LeafMalformed("the body does not open with this seed and leaf") from None
    values = parse_canonical(together)
    if not isinstance(values, dict) or set(values) != set(PARTS):
        raise LeafMalformed("the body does not hold the five parts")
    parts = Parts(**values)
    _require_own(parts, seed, leaf)
    return parts


def opening(parts: Parts, seed: bytes, leaf: bytes, show: Collection[str] = PARTS) -> dict[str, Any]:
    """Return a JSON object that shows some parts of `leaf` and proves that the others exist.

    {"commitments": {part: C_p in base64, all five}, "shown": {part: {"json": object, "salt": base64}}}.
    A commitment without its salt tells nothing of its part. Raises LeafMalformed for a foreign leaf or an
    unknown part.
    """
    for part in show:
        if part not in PARTS:
            raise LeafMalformed(f"there is no part {part!r}")
    _require_own(parts, seed, leaf)
    commitments = _commitments(parts, seed)
    return {
        "commitments": {part: to_base64(commitments[part]) for part in PARTS},
        "shown": {
            part: {"json": getattr(parts, part), "salt": to_base64(_salt(seed, part))}
            for part in PARTS
            if part in show
        },
    }


def check_commitments(opening: object, leaf: bytes) -> None:
    """Check that the five commitments of an opening make up `leaf`. Raises LeafMalformed."""
    kind = leaf_kind(leaf)
    commitments, _ = _split_opening(opening)
    if not compare_digest(_leaf(kind, commitments), leaf):
        raise LeafMalformed("the five commitments do not make up the leaf")


def check_shown(opening: object) -> dict[str, dict[str, Any]]:
    """Check that each shown part is the one committed to, and return the shown parts.

    Says nothing of a leaf: `check_opening` does both. Raises LeafMalformed naming the part that disagrees.
    """
    commitments, shown = _split_opening(opening)
    values = {}
    for part, content in shown.items():
        if not isinstance(content, dict) or set(content) != {"json", "salt"}:
            raise LeafMalformed("does not hold json and salt", part=part)
        value = content["json"]
        if not isinstance(value, dict) or plain(value, part) != value:
            raise LeafMalformed("is not an object in NFC", part=part)
        salt = _hash_of(content["salt"], part)
        if not compare_digest(_commitment(salt, part, canonical(value)), commitments[part]):
            raise LeafMalformed("is not what the entry committed to", part=part)
        values[part] = value
    return values


def check_opening(opening: object, leaf: bytes) -> dict[str, dict[str, Any]]:
    """Check an opening of foreign origin against `leaf` and return the shown parts.

    Raises LeafMalformed naming the part that disagrees, or with no part when the leaf does.
    """
    shown = check_shown(opening)
    check_commitments(opening, leaf)
    return shown


def _checked_seed(seed: bytes) -> bytes:
    if len(seed) != SEED_SIZE:
        raise LeafMalformed("a seed has 32 bytes")
    return seed


def _salt(seed: bytes, part: str) -> bytes:
    return hmac(seed, b"kho/1/salt/" + part.encode(), "sha256")


def _commitment(salt: bytes, part: str, encoded: bytes) -> bytes:
    return hmac(salt, b"kho/1/part/" + part.encode() + b"\x00" + encoded, "sha256")


def _commitments(parts: Parts, seed: bytes) -> dict[str, bytes]:
    return {part: _commitment(_salt(seed, part), part, parts.encoded[part]) for part in PARTS}


def _leaf(kind: Kind, commitments: Mapping[str, bytes]) -> bytes:
    every = b"".join(commitments[part] for part in PARTS)
    return bytes([_VERSION, kind]) + sha256(b"kho/1/entry\x00" + bytes([kind]) + every).digest()


def _body_key(seed: bytes) -> bytes:
    return hmac(seed, b"kho/1/body", "sha256")


def _require_own(parts: Parts, seed: bytes, leaf: bytes) -> None:
    if not compare_digest(make_leaf(leaf_kind(leaf), parts, seed), leaf):
        raise LeafMalformed("the leaf is not that of these parts and this seed")


def _split_opening(opening: object) -> tuple[dict[str, bytes], dict[str, Any]]:
    if not isinstance(opening, dict) or set(opening) != {"commitments", "shown"}:
        raise LeafMalformed("the opening does not hold commitments and shown")
    commitments, shown = opening["commitments"], opening["shown"]
    if not isinstance(commitments, dict) or set(commitments) != set(PARTS):
        raise LeafMalformed("the opening does not hold the five commitments")
    if not isinstance(shown, dict) or not set(shown) <= set(PARTS):
        raise LeafMalformed("the opening shows what is no part")
    return {part: _hash_of(commitments[part], part) for part in PARTS}, shown


def _hash_of(text: object, part: str) -> bytes:
    """Return 32 bytes from their one base64 text."""
    try:
        content = from_base64(text) if isinstance(text, str) else b""
    except ValueError:
        content = b""
    if len(content) != 32:
        raise LeafMalformed("holds a value that is not base64 of 32 bytes", part=part)
    return content
