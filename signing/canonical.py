"""One text for each value: canonical JSON (RFC 8785) and strict base64 (RFC 4648 section 4).

What is hashed or signed must not have a second spelling: another one is refused, never repaired.
"""

import json
import unicodedata
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any, NoReturn

import rfc8785

from signing.log_errors import LeafMalformed

_INTEGER_LIMIT = 2**53 - 1  # RFC 8785: larger integers are not exact in every reader
_DEEPEST = 32


def canonical(value: Any) -> bytes:
    """Return the one UTF-8 text of a value that `plain` would take. Raises LeafMalformed."""
    return rfc8785.dumps(plain(value))


def parse_canonical(text: bytes) -> Any:
    """Return the value whose canonical text is `text`.

    Other spacing, order or escapes, doubled keys, floats and null are refused (LeafMalformed).
    """
    try:
        value = json.loads(text.decode(), parse_float=_refuse_number, parse_constant=_refuse_number)
    except (ValueError, RecursionError):
        raise LeafMalformed("is not JSON of objects, lists, strings, integers and booleans") from None
    if canonical(value) != text:
        raise LeafMalformed("is not canonical JSON")
    return value


def plain(value: Any, part: str = "") -> Any:
    """Return a copy of a JSON value in plain types, its strings and keys in NFC.

    Objects, lists, strings, integers within 2**53 - 1 and booleans; anything else is refused with
    LeafMalformed, which names `part`.
    """
    return _plain(value, part, 0)


def to_base64(content: bytes) -> str:
    """Return the base64 text of some bytes."""
    return b64encode(content).decode()


def from_base64(text: str) -> bytes:
    """Return the bytes whose one base64 text this is; raises ValueError for any other text."""
    try:
        content = b64decode(text, validate=True)
    except Base64Error as error:
        raise ValueError("not base64") from error
    if to_base64(content) != text:
        raise ValueError("not the one base64 text of its bytes")
    return content


def _plain(value: Any, part: str, depth: int) -> Any:
    if depth > _DEEPEST:
        raise LeafMalformed("is nested too deeply", part=part)
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _normal(value, part)
    if isinstance(value, int):
        if abs(value) > _INTEGER_LIMIT:
            raise LeafMalformed("holds an integer beyond 2**53 - 1", part=part)
        return int(value)
    if isinstance(value, Mapping):
        return _plain_object(value, part, depth)
    if isinstance(value, list | tuple):
        return [_plain(each, part, depth + 1) for each in value]
    raise LeafMalformed(f"holds a value of type {type(value).__name__}", part=part)


def _plain_object(value: Mapping[Any, Any], part: str, depth: int) -> dict[str, Any]:
    result = {}
    for key, each in value.items():
        if not isinstance(key, str):
            raise LeafMalformed(f"holds a key of type {type(key).__name__}", part=part)
        result[_normal(key, part)] = _plain(each, part, depth + 1)
    if len(result) != len(value):
        raise LeafMalformed("holds two keys that are the same in NFC", part=part)
    return result


def _normal(text: str, part: str) -> str:
    text = str.__str__(text)  # without what a subclass (a StrEnum) adds
    if text.isascii():
        return text
    normal = unicodedata.normalize("NFC", text)
    try:
        normal.encode()
    except UnicodeEncodeError:
        raise LeafMalformed("holds half a surrogate pair", part=part) from None
    return normal


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(text)
