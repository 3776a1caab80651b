"""The pages' own files: served under a name that carries the hash of their content, so kept for ever."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from reuse_api.callers import Anybody

_TYPES = {"css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Asset:
    """One file: its name with the hash, its bytes, its media type."""

    name: str
    content: bytes
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """Give every file by its plain name, such as kho.css."""
    found = {}
    for file in files("reuse_api.pages").joinpath("static").iterdir():
        stem, _, ending = file.name.rpartition(".")
        if ending in _TYPES:
            content = file.read_bytes()
            name = f"{stem}.{sha256(content).hexdigest()[:16]}.{ending}"
            found[file.name] = Asset(name, content, _TYPES[ending])
    return found


def address_of(name: str) -> str:
    """Give the address of a file by its plain name."""
    return f"/static/{assets()[name].name}"


@router.get("/static/{name}", dependencies=[Anybody])
async def static(name: str) -> Response:
    """Serve a file by its name with the hash; any other name is not there."""
    asset = next((one for one in assets().values() if one.name == name), None)
    if asset is None:
        raise HTTPException(404)
    headers = {"Cache-Control": _FOR_EVER, "X-Content-Type-Options": "nosniff"}
    return Response(asset.content, media_type=asset.media_type, headers=headers)
