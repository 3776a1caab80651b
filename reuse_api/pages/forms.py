"""Forms as they were sent: without files, from a page of ours and, by their token, from this very session."""

import os
import unicodedata
from collections.abc import Mapping

from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request

from reuse_api.pages.rendering import Room, check_form

_MAX_FIELDS = 400
MAX_KEY = 200  # characters of a request key


async def sent(request: Request, room: Room) -> FormData:
    """Read the form of a request.

    Raises:
        FormRefused: it was not made by a page of this session.
    """
    form = await request.form(max_files=0, max_fields=_MAX_FIELDS)
    check_form(request, one(form, "form_token"), room=room)
    return form


def one(form: FormData | QueryParams, name: str) -> str:
    """Give one text field in NFC with its white space evened out, "" when it was not sent."""
    value = form.get(name, "")
    return _evened(value) if isinstance(value, str) else ""


def many(form: FormData, name: str) -> tuple[str, ...]:
    """Give every value sent under a name, as of checkboxes; each once, in order."""
    return tuple(dict.fromkeys(value for value in form.getlist(name) if isinstance(value, str)))


def even(fields: Mapping[str, str]) -> dict[str, str]:
    """Give the text fields of a form that came with a file, evened out as `one` does."""
    return {name: _evened(value) for name, value in fields.items()}


def _evened(value: str) -> str:
    return " ".join(unicodedata.normalize("NFC", value).split())


def request_key(form: FormData) -> str:
    """Give the key by which the same form sent twice is one request (Idempotency-Key)."""
    return one(form, "request")[:MAX_KEY] or new_key()


def new_key() -> str:
    """Make a key for a form to carry."""
    return os.urandom(16).hex()
