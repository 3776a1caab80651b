"""One page as it leaves: in the reader's language, never cached, closed to everything from outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac
from typing import Any, Literal

from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request

from reuse_api.callers import SESSION_COOKIE, STAFF_COOKIE, cookie_of
from reuse_api.pages.assets import address_of
from reuse_api.pages.languages import Language, preferred
from reuse_api.same_origin import at_home

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action {forms}; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# The rest is set around every answer (reuse_api/doorway.py). Without a referrer browsers send `Origin: null`.
GUARDED = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}


Room = Literal["wallet", "desk", "audit", "admin"]


@dataclass(frozen=True)
class _Room:
    """One user's part of the pages: its home, whose cookie proves them, and its tabs (name, address)."""

    home: str
    cookie: str
    tabs: tuple[tuple[str, str], ...]


ROOMS: dict[Room, _Room] = {
    "wallet": _Room(
        "/wallet",
        SESSION_COOKIE,
        (
            ("records", "/wallet"),
            ("accesses", "/wallet/accesses"),
            ("consents", "/wallet/consents"),
            ("people", "/wallet/people"),
        ),
    ),
    "desk": _Room(
        "/desk",
        STAFF_COOKIE,
        (("desk", "/desk"), ("new_dossier", "/desk/new"), ("issued", "/desk/issued")),
    ),
    "audit": _Room(
        "/audit",
        STAFF_COOKIE,
        (
            ("audit", "/audit"),
            ("counts", "/audit/counts"),
            ("anomalies", "/audit/anomalies"),
            ("log", "/audit/log"),
        ),
    ),
    "admin": _Room(
        "/admin",
        STAFF_COOKIE,
        (
            ("admin", "/admin"),
            ("work", "/admin/work"),
            ("certificates", "/admin/certificates"),
            ("quarantine", "/admin/quarantine"),
            ("webhooks", "/admin/webhooks"),
            ("staff", "/admin/staff"),
        ),
    ),
}


def room_of(request: Request) -> Room:
    """Give the room whose page was asked for; an address of no room's own is the wallet's."""
    first = f"/{request.url.path.split('/')[1]}"
    return next((name for name, room in ROOMS.items() if room.home == first), "wallet")


# Control characters, and those that turn the text around them round: no title or name needs one.
_TURNING = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_STEERING = [*range(0x20), *range(0x7F, 0xA0), *_TURNING]
_SHOWN = dict.fromkeys(set(_STEERING) - {0x09, 0x0A, 0x0D}, "\ufffd")


class FormRefused(Exception):
    """The form was not made by a page of this session."""

    code = "form_refused"


def shown(value: Any) -> Any:
    """Keep a text from steering the page: what hides or turns text around is shown as a replacement sign."""
    return value.translate(_SHOWN) if type(value) is str else value


@cache
def environment() -> Environment:
    """Give the templates: everything in them is escaped, and a name that nobody set is an error."""
    made = Environment(
        loader=PackageLoader("reuse_api.pages"),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset"] = address_of
    return made


def render(template: str, language: Language, values: Mapping[str, Any]) -> str:
    """Render a template with words of one language."""
    return (
        environment()
        .get_template(template)
        .render(lang=language, say=language.say, count=language.count, **values)
    )


def language_of(request: Request) -> Language:
    """Give the language that the reader of this request wants."""
    return preferred(request.cookies, request.headers.get("accept-language"))


def page(
    request: Request,
    template: str,
    *,
    room: Room = "wallet",
    section: str = "",
    here: str | None = None,
    signed_in: bool | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    forms_to: str = "",
    **values: Any,
) -> HTMLResponse:
    """Answer with a page.

    Args:
        room: whose page it is: that decides the tabs and which session its forms belong to.
        section: the tab that is marked, or none.
        here: the address that the language switch comes back to; the request's own if not given.
        forms_to: an origin that a form of the page may be sent to beside our own.
        signed_in: whether tabs and sign-out are shown; as the cookie says if not given.
        values: what the template shows.
    """
    language = language_of(request)
    secret = cookie_of(request, ROOMS[room].cookie)
    frame = {
        "room": room,
        "home": ROOMS[room].home,
        "tabs": ROOMS[room].tabs,
        "section": section,
        "here": here or request.url.path,
        "signed_in": bool(secret) if signed_in is None else signed_in,
        "form_token": form_token(secret),
        "acting": getattr(request.state, "acting", None) if room == "wallet" else None,
    }
    return HTMLResponse(
        render(template, language, frame | values),
        status,
        headers={
            **GUARDED,
            "Content-Security-Policy": _POLICY.format(forms=f"'self' {forms_to}".strip()),
            "Content-Language": language.code,
            "Vary": "Cookie, Accept-Language",
            **(headers or {}),
        },
    )


def onward(place: str) -> RedirectResponse:
    """Send the browser on with a GET, as after every form."""
    return RedirectResponse(place, 303, headers=dict(GUARDED))


def form_token(secret: str) -> str:
    """Give what a form of this session carries; who cannot read the cookie cannot make it."""
    return hmac(secret.encode(), b"kho/1/form", sha256).hex()


def check_form(request: Request, token: str | None = None, *, room: Room = "wallet") -> None:
    """Make sure that a form came from our own page, and, where it has a token, from this very session.

    Raises:
        FormRefused: it did not.
    """
    secret = cookie_of(request, ROOMS[room].cookie)
    if not at_home(request) or (token is not None and not _same(token, form_token(secret))):
        raise FormRefused


def _same(token: str, ours: str) -> bool:
    """Compare as bytes: of texts, only those in ASCII can be compared in a time that tells nothing."""
    return compare_digest(token.encode(), ours.encode())
