"""The operator's folder of trust: a sub-folder for each purpose, a file for each certificate.

`public/`, `government/`, `timestamp/` and `test/` hold PEM or DER files of one certificate each. A file of
the same name that ends in `.json` may give `label_vi`, `label_en`, `valid_from`, `valid_until` (ISO 8601: a
day, in UTC, or a time with its zone). Without a label the certificate's own name is shown; without dates
those of the certificate count.
"""

import json
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from stat import S_ISREG

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signing.anchors import PURPOSES, Anchor, Purpose, TrustSet

MOST_ANCHORS = 300
_LARGEST = 64 * 1024  # bytes of one file
LOOK_EVERY = 1.0  # seconds
_ENDINGS = frozenset({".pem", ".crt", ".cer", ".der"})
_DESCRIPTION = ".json"
_KNOWN = frozenset({"label_vi", "label_en", "valid_from", "valid_until", "source"})
_LONGEST_LABEL = 200  # characters
_log = logging.getLogger("kho.trust")

_State = tuple[tuple[str, int, int, int], ...]


class AnchorUnreadable(Exception):
    """A file of the folder is no anchor; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class TrustFolder:
    """The anchors of a folder, looked at again when it changed; safe to share between threads.

    `folder` None is no folder; `fixed` anchors count beside it, whatever the folder says. A folder that
    cannot be read counts for nothing, and a broken file is a fault of the set: the others still count.
    `look_every` are the seconds that what was seen holds.
    """

    def __init__(
        self, folder: Path | None = None, fixed: Sequence[Anchor] = (), *, look_every: float = LOOK_EVERY
    ) -> None:
        self._folder = folder
        self._fixed = tuple(fixed)
        self._look_every = look_every
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._state: _State | None = None
        self._set = TrustSet(self._fixed)

    def current(self) -> TrustSet:
        """Give the anchors that count now; the folder is not looked at more often than agreed."""
        if self._folder is None:
            return self._set
        with self._lock:
            now = time.monotonic()
            if now - self._looked >= self._look_every:
                self._looked = now
                self._look(self._folder)
            return self._set

    def _look(self, folder: Path) -> None:
        state = tuple(_state(folder))
        if state == self._state:
            return
        self._state = state
        self._set = _read(folder, self._fixed)
        for code, count in Counter(code for _, code in self._set.faults).items():  # /readyz names the files
            _log.warning("anchor_refused", extra={"facts": {"code": code, "count": count}})
        _log.info("trust_loaded", extra={"facts": {"digest": self._set.digest, "anchors": self._set.counts}})


def _state(folder: Path) -> Iterator[tuple[str, int, int, int]]:
    """Tell what the folder looks like from outside: names, sizes, times of change."""
    for place in (folder, *(folder / purpose for purpose in PURPOSES)):
        for name, entry in _listed(place):
            try:
                seen = entry.stat()
            except OSError:
                yield f"{place.name}/{name}", -1, -1, -1
                continue
            yield f"{place.name}/{name}", seen.st_size, seen.st_mtime_ns, seen.st_ino


def _listed(place: Path) -> list[tuple[str, os.DirEntry[str]]]:
    try:
        with os.scandir(place) as entries:
            return sorted((one.name, one) for one in entries if not one.name.startswith("."))
    except OSError:
        return []


def _read(folder: Path, fixed: Sequence[Anchor]) -> TrustSet:
    anchors, faults = list(fixed), []
    if not folder.is_dir():
        return TrustSet(tuple(fixed), ((".", "folder_missing"),))
    faults += [(name, "purpose_unknown") for name, _ in _listed(folder) if name not in PURPOSES]
    for purpose in PURPOSES:
        listed = [name for name, _ in _listed(folder / purpose)]
        for name in listed:
            path = folder / purpose / name
            if path.suffix == _DESCRIPTION and any(path.stem + end in listed for end in _ENDINGS):
                continue
            try:
                if len(anchors) >= MOST_ANCHORS + len(fixed):
                    raise AnchorUnreadable("too_many")
                anchors.append(read_anchor(path, purpose))
            except AnchorUnreadable as problem:
                faults.append((f"{purpose}/{name}", problem.code))
    return TrustSet(tuple(anchors), tuple(faults))


def read_anchor(path: Path, purpose: Purpose) -> Anchor:
    """Read one certificate and what is written beside it.

    Raises:
        AnchorUnreadable: "kind_unknown", "unreadable", "too_large", "not_a_certificate", "not_an_authority",
            "description_wrong".
    """
    if path.suffix.lower() not in _ENDINGS:
        raise AnchorUnreadable("kind_unknown")
    certificate = _certificate(_content(path))
    if not _may_vouch(certificate, purpose):
        raise AnchorUnreadable("not_an_authority")
    description = path.with_suffix(_DESCRIPTION)
    said = _description(_content(description)) if description.exists() else {}
    name = _own_name(certificate)
    since, until = said.get("valid_from"), said.get("valid_until")
    return Anchor(
        certificate.public_bytes(Encoding.DER),
        purpose,
        said.get("label_vi") or said.get("label_en") or name,
        said.get("label_en") or said.get("label_vi") or name,
        certificate.not_valid_before_utc if since is None else _instant(since),
        certificate.not_valid_after_utc if until is None else _instant(until, ending=True),
    )


def _content(path: Path) -> bytes:
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not S_ISREG(os.fstat(file.fileno()).st_mode):
                raise AnchorUnreadable("kind_unknown")
            content = file.read(_LARGEST + 1)
    except OSError as problem:
        raise AnchorUnreadable("unreadable") from problem
    if len(content) > _LARGEST:
        raise AnchorUnreadable("too_large")
    return content


def _without_waiting(path: str, flags: int) -> int:
    """Open what may be no file: a pipe that nobody writes into must not stop everybody."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _certificate(content: bytes) -> x509.Certificate:
    try:
        if b"-----BEGIN" not in content:
            return x509.load_der_x509_certificate(content)
        found = x509.load_pem_x509_certificates(content)
    except ValueError as problem:
        raise AnchorUnreadable("not_a_certificate") from problem
    if len(found) != 1:  # a bundle would hide what is trusted, and one description cannot label several
        raise AnchorUnreadable("not_a_certificate")
    return found[0]


def _may_vouch(certificate: x509.Certificate, purpose: Purpose) -> bool:
    try:
        extensions = certificate.extensions
        if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return True
    except x509.ExtensionNotFound:
        pass
    except ValueError:
        return False
    if purpose != "timestamp":
        return False
    try:
        usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.TIME_STAMPING in usage


def _description(content: bytes) -> dict[str, str]:
    try:
        said = json.loads(content)
    except ValueError as problem:
        raise AnchorUnreadable("description_wrong") from problem
    if not isinstance(said, dict) or not said.keys() <= _KNOWN:
        raise AnchorUnreadable("description_wrong")
    if not all(isinstance(one, str) and 0 < len(one) <= _LONGEST_LABEL for one in said.values()):
        raise AnchorUnreadable("description_wrong")
    return said


def _own_name(certificate: x509.Certificate) -> str:
    named = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(named[0].value) if named else certificate.subject.rfc4514_string()
    return name[:_LONGEST_LABEL]


def _instant(text: str, *, ending: bool = False) -> datetime:
    """Read a time with its zone, or a day in UTC: its beginning, or its end."""
    try:
        if len(text) == len("2026-11-26"):
            day = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return day + timedelta(days=1) - timedelta(microseconds=1) if ending else day
        at = datetime.fromisoformat(text)
    except ValueError as problem:
        raise AnchorUnreadable("description_wrong") from problem
    if at.tzinfo is None:
        raise AnchorUnreadable("description_wrong")
    return at.astimezone(UTC)
