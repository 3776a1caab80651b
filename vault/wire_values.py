"""Reading what a frame says, trusting none of it: each value is of its kind, or the frame is malformed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from signing.canonical import from_base64, to_base64
from vault.wire import FrameMalformed

Said = Mapping[str, Any]


def text(said: Said, name: str) -> str:
    """Give a text. Raises FrameMalformed."""
    value = said.get(name)
    if not isinstance(value, str):
        raise FrameMalformed(f"`{name}` is no text")
    return value


def number(said: Said, name: str) -> int:
    """Give a number that is not negative. Raises FrameMalformed."""
    value = said.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise FrameMalformed(f"`{name}` is no number")
    return value


def truth(said: Said, name: str) -> bool:
    """Give a yes or no; absent is no. Raises FrameMalformed."""
    value = said.get(name, False)
    if not isinstance(value, bool):
        raise FrameMalformed(f"`{name}` is neither true nor false")
    return value


def blob(said: Said, name: str) -> bytes:
    """Give bytes, which are written in base64. Raises FrameMalformed."""
    try:
        return from_base64(text(said, name))
    except ValueError:
        raise FrameMalformed(f"`{name}` is no base64") from None


def blobs(said: Said, name: str) -> list[bytes]:
    """Give a list of bytes. Raises FrameMalformed."""
    return [blob({name: one}, name) for one in several(said, name)]


def several(said: Said, name: str) -> list[Any]:
    """Give a list. Raises FrameMalformed."""
    value = said.get(name)
    if not isinstance(value, list):
        raise FrameMalformed(f"`{name}` is no list")
    return value


def inside(said: Said, name: str) -> Said:
    """Give an object. Raises FrameMalformed."""
    value = said.get(name)
    if not isinstance(value, dict):
        raise FrameMalformed(f"`{name}` is no object")
    return value


def moment(said: Said, name: str) -> datetime:
    """Give an instant with its zone. Raises FrameMalformed."""
    try:
        at = datetime.fromisoformat(text(said, name))
    except ValueError:
        raise FrameMalformed(f"`{name}` is no instant") from None
    if at.tzinfo is None:
        raise FrameMalformed(f"`{name}` has no zone")
    return at


def written(values: Mapping[str, Any]) -> dict[str, Any]:
    """Write values for a frame: bytes in base64, instants in ISO 8601; what is None is left out."""
    return {name: _written(value) for name, value in values.items() if value is not None}


def _written(value: Any) -> Any:
    if isinstance(value, bytes):
        return to_base64(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return written(value)
    if isinstance(value, list | tuple):
        return [_written(one) for one in value]
    return value
