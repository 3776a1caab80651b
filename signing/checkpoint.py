"""Signed heads of the log: C2SP signed-note and tlog-checkpoint, with an Ed25519 key (type 0x01).

The origin of a checkpoint is the name of the key that signs it.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from signing.canonical import from_base64, to_base64
from signing.log_errors import NoteInvalid
from signing.merkle import HASH_SIZE

_ED25519 = b"\x01"
_SECRET_PREFIX = "PRIVATE+KEY+"  # noqa: S105  # the form that Go's note package uses for secret lines
_SIGNATURE_LINE = re.compile(r"\u2014 ([^\s+]+) (\S+)")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_MOST_SIGNATURES = 64  # C2SP: at least 16 must be taken


@dataclass(frozen=True)
class Checkpoint:
    """A head of a log: `origin` names it, `size` counts its leaves, `root` is the 32-byte root hash."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the note text that is signed."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"


class LogKey:
    """The secret key of a log."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self.name = _checked_name(name)
        self._key = key
        self._public = key.public_key().public_bytes_raw()

    @classmethod
    def new(cls, name: str) -> Self:
        """Return a fresh key. Raises NoteInvalid for a name that notes do not allow (spaces, plus)."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read what `to_line` wrote. Raises NoteInvalid, which never repeats the line."""
        if not line.startswith(_SECRET_PREFIX):
            raise NoteInvalid("this is no secret key line")
        name, key_id, content = _split_key_line(line.removeprefix(_SECRET_PREFIX))
        key = cls(name, Ed25519PrivateKey.from_private_bytes(content))
        if key_id != _key_id(name, key._public):
            raise NoteInvalid("the secret key line names another key id")
        return key

    def to_line(self) -> str:
        """Return the secret as one line, without a line end."""
        secret = to_base64(_ED25519 + self._key.private_bytes_raw())
        return f"{_SECRET_PREFIX}{self.name}+{_key_id(self.name, self._public).hex()}+{secret}"

    def verifier_line(self) -> str:
        """Return the public key line: name, key id in hex, type and key in base64, joined by plus."""
        return _verifier_line(self.name, self._public)

    def sign_checkpoint(self, size: int, root: bytes) -> str:
        """Return the whole signed note for a tree of `size` leaves; the same input, the same note."""
        text = Checkpoint(self.name, size, root).text()
        signature = _key_id(self.name, self._public) + self._key.sign(text.encode())
        return f"{text}\n\u2014 {self.name} {to_base64(signature)}\n"


class LogVerifier:
    """The public key of a log."""

    def __init__(self, name: str, public: bytes) -> None:
        self.name = _checked_name(name)
        self._public = public
        self._key = Ed25519PublicKey.from_public_bytes(public)

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read a verifier line; white space around it is dropped. Raises NoteInvalid."""
        name, key_id, content = _split_key_line(line.strip())
        if key_id != _key_id(name, content):
            raise NoteInvalid("the key line names another key id")
        return cls(name, content)

    def line(self) -> str:
        """Return the verifier line."""
        return _verifier_line(self.name, self._public)

    def open_checkpoint(self, note: str) -> Checkpoint:
        """Return the checkpoint in a note signed by this key, whose name must be its origin.

        Signatures by other keys are ignored, as the standard asks. Raises NoteInvalid.
        """
        text, signatures = split_note(note)
        own_id = _key_id(self.name, self._public)
        own = [each[4:] for name, each in signatures if name == self.name and each[:4] == own_id]
        if not own:
            raise NoteInvalid(f"the note is not signed by {self.name}")
        for signature in own:
            try:
                self._key.verify(signature, text.encode())
            except InvalidSignature:
                raise NoteInvalid(f"the signature by {self.name} does not fit the note") from None
        checkpoint = parse_checkpoint(text)
        if checkpoint.origin != self.name:
            raise NoteInvalid(f"the checkpoint is of another log: {checkpoint.origin}")
        return checkpoint


def split_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Return the signed text of a note and its signatures as (key name, key id and signature bytes).

    Nothing is verified. Raises NoteInvalid for what is no note.
    """
    _require_plain_text(note)
    text, separator, rest = note.rpartition("\n\n")
    lines = rest.split("\n")
    if not separator or not text or lines.pop() or not 0 < len(lines) <= _MOST_SIGNATURES:
        raise NoteInvalid("the note is not text, an empty line and signature lines")
    signatures = []
    for line in lines:
        match = _SIGNATURE_LINE.fullmatch(line)
        if match is None:
            raise NoteInvalid("a signature line is malformed")
        signature = _decoded(match[2])
        if len(signature) < 5:
            raise NoteInvalid("a signature is too short")
        signatures.append((match[1], signature))
    return text + "\n", signatures


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint that a note's text states; extension lines are passed over.

    Nothing is verified. Raises NoteInvalid.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise NoteInvalid("the checkpoint is not origin, size and root on a line each")
    origin, size, root = lines[0], lines[1], _decoded(lines[2])
    if not _SIZE.fullmatch(size) or len(root) != HASH_SIZE:
        raise NoteInvalid("the checkpoint's size or root is malformed")
    return Checkpoint(origin, int(size), root)


def _require_plain_text(note: str) -> None:
    try:
        note.encode()
    except UnicodeEncodeError:
        raise NoteInvalid("the note is not UTF-8") from None
    if any(character < " " and character != "\n" for character in note):
        raise NoteInvalid("the note holds control characters")


def _split_key_line(line: str) -> tuple[str, bytes, bytes]:
    name, _, rest = line.partition("+")
    key_id, _, content = rest.partition("+")
    key = _decoded(content)
    if not re.fullmatch("[0-9a-f]{8}", key_id) or len(key) != 33 or key[:1] != _ED25519:
        raise NoteInvalid("the key line is not name, key id and Ed25519 key joined by plus")
    return _checked_name(name), bytes.fromhex(key_id), key[1:]


def _checked_name(name: str) -> str:
    if not name or "+" in name or any(each.isspace() or not each.isprintable() for each in name):
        raise NoteInvalid("a key name is not empty and has no space, plus or control character")
    return name


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _verifier_line(name: str, public: bytes) -> str:
    return f"{name}+{_key_id(name, public).hex()}+{to_base64(_ED25519 + public)}"


def _decoded(text: str) -> bytes:
    try:
        return from_base64(text)
    except ValueError:
        raise NoteInvalid("a value is not base64") from None
