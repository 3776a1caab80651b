"""Which language a person or a machine asked for: Vietnamese unless English is preferred (DESIGN 10)."""

from typing import Literal, get_args

from starlette.requests import HTTPConnection

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
_MAX_RANGES = 20  # nobody asks for more; the rest of a longer header is not read


def preferred(accept_language: str | None) -> Language:
    """Choose by an Accept-Language header (RFC 9110 12.5.4).

    The highest quality wins, the first named among equals; "*" stands for Vietnamese. What cannot be read is
    left out; nothing left is Vietnamese.
    """
    best: Language = "vi"
    highest = 0.0
    for item in (accept_language or "").split(",")[:_MAX_RANGES]:
        tag, _, parameters = item.strip().partition(";")
        language = _known(tag.strip().lower())
        quality = _quality(parameters.strip())
        if language is not None and quality > highest:
            best, highest = language, quality
    return best


def language_of(request: HTTPConnection) -> Language:
    """Choose by the request's own header."""
    return preferred(request.headers.get("accept-language"))


def _known(tag: str) -> Language | None:
    if tag == "*":
        return "vi"
    primary = tag.partition("-")[0]
    return next((one for one in LANGUAGES if one == primary), None)


def _quality(parameters: str) -> float:
    if not parameters:
        return 1.0
    name, _, value = parameters.partition("=")
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if name.strip().lower() == "q" and 0.0 <= quality <= 1.0 else 0.0
