"""One file, made into another inside a worker process: marked and prepared, or given its signature.

No key is here: what is signed is signed elsewhere, over bytes hashed elsewhere.
"""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any, BinaryIO

from signing.conversion import apply_mark
from signing.preparing import Prepared, SealOrder, embed, prepare_seal, prepare_stamp
from signing.scan_archiving import archive_scan
from signing.scan_reading import page_to_read


def rewrite_file(stream: BinaryIO, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return plain JSON values and the new file.

    `request`: task "mark" (mark, or place where it stands already; certificates, status, lists: base64; at,
    reason, name, reserved) gives a marked file prepared for its seal; "embed" (start, stop, signed: base64;
    stamp_reserved where an archive stamp follows) gives it its signature. `start` and `stop` in the answer
    are the gap, where one is left. "archive" and "page" are told of in scan_archiving.py, scan_reading.py.
    Raises whatever the libraries raise: the worker ends, and its file is refused.
    """
    stream.seek(0)  # whoever opened it has measured it first
    if request["task"] == "archive":
        return archive_scan(stream, request)
    if request["task"] == "page":
        return page_to_read(stream, request)
    if request["task"] == "mark":
        return _answer(_marked(stream, request))
    signed = _bytes(request["signed"])
    content = embed(stream.read(), int(request["start"]), int(request["stop"]), signed)
    if "stamp_reserved" in request:
        return _answer(prepare_stamp(content, int(request["stamp_reserved"])))
    return {}, content


def _marked(stream: BinaryIO, request: Mapping[str, Any]) -> Prepared:
    if "place" in request:
        left, bottom, right, top = (float(edge) for edge in request["place"])
        content, place = stream.read(), (left, bottom, right, top)
    else:
        content, place = apply_mark(stream, _bytes(request["mark"]))
    order = SealOrder(
        certificates=[_bytes(one) for one in request["certificates"]],
        status=[_bytes(one) for one in request["status"]],
        lists=[_bytes(one) for one in request["lists"]],
        at=datetime.fromisoformat(request["at"]),
        reason=str(request["reason"]),
        name=str(request["name"]),
        reserved=int(request["reserved"]),
    )
    return prepare_seal(content, order, place)


def _answer(prepared: Prepared) -> tuple[dict[str, Any], bytes]:
    return {"start": prepared.start, "stop": prepared.stop}, prepared.content


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
