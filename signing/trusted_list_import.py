"""Putting what a trusted list says into a folder of trust; the same list again changes nothing.

A certificate's description is written before it, so that it never counts without its dates. What an earlier
list of the same scheme brought, and this one does not name any more, ends with the day of this list.
"""

import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from signing.anchors import Anchor
from signing.errors import TrustedListRefused
from signing.trusted_list import TrustedList

_PREFIX = "list"


@dataclass
class Imported:
    """What came of an import: files by name below the folder."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)


def import_trusted_list(found: TrustedList, folder: Path, now: datetime) -> Imported:
    """Write the anchors of a list into `folder`, a sub-folder for each purpose.

    Raises:
        TrustedListRefused: "list_expired" (by `now`, aware), "list_older" than one that was taken before.
        OSError: the folder cannot be written.
    """
    if found.next_update is not None and found.next_update < now:
        raise TrustedListRefused("list_expired")
    mark = folder / f".{_tag(found.scheme)}.json"
    if mark.exists() and json.loads(mark.read_bytes())["sequence"] > found.sequence:
        raise TrustedListRefused("list_older")
    told, named = Imported(), set()
    for anchor in found.anchors:
        path = folder / anchor.purpose / f"{_stem(found.scheme, anchor)}.der"
        if path not in named:  # a service may be listed twice
            named.add(path)
            _keep(path, anchor, found.scheme, told)
    for path in sorted(folder.glob(f"*/{_PREFIX}-{_tag(found.scheme)}-*.der")):
        if path not in named:
            _end(path, found.issued_at, told)
    _write(mark, json.dumps({"scheme": found.scheme, "sequence": found.sequence}).encode())
    return told


def _tag(scheme: str) -> str:
    return sha256(scheme.encode()).hexdigest()[:8]


def _stem(scheme: str, anchor: Anchor) -> str:
    since = "" if anchor.valid_from is None else f"-{anchor.valid_from:%Y%m%d}"
    return f"{_PREFIX}-{_tag(scheme)}-{anchor.sha256[:16]}{since}"


def _keep(path: Path, anchor: Anchor, scheme: str, told: Imported) -> None:
    name = f"{path.parent.name}/{path.name}"
    description = path.with_suffix(".json")
    said = _described(anchor, scheme)
    fresh = not path.exists()
    if not fresh and description.exists() and description.read_bytes() == said:
        told.unchanged.append(name)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(description, said)
    if fresh:
        _write(path, anchor.certificate)
    (told.added if fresh else told.changed).append(name)


def _described(anchor: Anchor, scheme: str) -> bytes:
    said = {"label_vi": anchor.label_vi, "label_en": anchor.label_en, "source": scheme}
    if anchor.valid_from is not None:
        said["valid_from"] = anchor.valid_from.isoformat()
    if anchor.valid_until is not None:
        said["valid_until"] = anchor.valid_until.isoformat()
    return json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _end(path: Path, at: datetime, told: Imported) -> None:
    description = path.with_suffix(".json")
    said: dict[str, Any] = json.loads(description.read_bytes()) if description.exists() else {}
    if "valid_until" in said:
        return
    said["valid_until"] = at.isoformat()
    _write(description, json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True).encode())
    told.ended.append(f"{path.parent.name}/{path.name}")


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{os.urandom(8).hex()}.partial")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
