"""One file, examined from beginning to end inside a worker process. No key and no network are needed."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, BinaryIO

from signing.anchors import Anchor
from signing.errors import FileRefused
from signing.file_types import UNKNOWN
from signing.grounds import Grounds, Piece
from signing.intake import look_at
from signing.report import undetermined
from signing.validation import validate


def examine_file(stream: BinaryIO, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain JSON values: media_type, pages (absent when unknown), refusal and found (absent if none),
    report, grounds (absent for a refused file).

    `request`: anchors (see anchors.py), at (ISO 8601 with zone), declared_type, sealing (whether it is about
    to be sealed), fetched (proofs from outside, see grounds.py; absent for none). Raises MemoryError when
    the process has no more, nothing else for the sake of the file.
    """
    try:
        look = look_at(stream, declared_type=str(request["declared_type"]), sealing=bool(request["sealing"]))
    except FileRefused as refused:
        return {
            "media_type": UNKNOWN,
            "refusal": refused.code,
            "found": list(refused.found),
            "report": undetermined("file_refused").to_json(),
        }
    anchors = [Anchor.from_json(one) for one in request["anchors"]]
    grounds = Grounds(tuple(Piece.from_json(one) for one in request.get("fetched", ())))
    at = datetime.fromisoformat(request["at"])
    judged = asyncio.run(validate(stream, anchors=anchors, at=at, grounds=grounds))
    return {
        "media_type": look.media_type,
        "pages": look.pages,
        "report": judged.to_json(),
        "grounds": grounds.to_json(),
    }
