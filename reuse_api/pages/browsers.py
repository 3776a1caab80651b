"""What a browser brings, and what it may be sent on to."""

from starlette.requests import Request

from reuse_api.pages.rendering import ROOMS, Room

_LONGEST = 512  # characters of an address


def device_of(request: Request) -> str:
    """Say on what kind of device a browser is: phone or computer; no more of it is kept."""
    return "phone" if "Mobi" in request.headers.get("user-agent", "") else "computer"


def within(place: str, room: Room) -> str:
    """Give an address of a room's pages back, or else the room's home: nobody is led elsewhere."""
    home = ROOMS[room].home
    plain = place.isascii() and place.isprintable() and len(place) <= _LONGEST
    inside = place == home or place.startswith(f"{home}/")
    return place if plain and inside and not set(place) & set("\\<>\"' ;") else home
