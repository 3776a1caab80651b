"""The published log (C2SP tlog-tiles): static files, for anybody, checked by anybody."""

import re
from pathlib import Path

from anyio import to_thread
from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from reuse_api.callers import Anybody, TheVault
from vault.errors import NotFound

# A level (or "entries"), an index in groups of three digits, the width of a partial tile; all else is none.
_TILE = re.compile(r"(?:[0-9]{1,2}|entries)/(?:x[0-9]{3}/){0,6}[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?")
_FOR_EVERYBODY = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
_MOVING = _FOR_EVERYBODY | {"Cache-Control": "no-cache"}
_FOR_EVER = _FOR_EVERYBODY | {"Cache-Control": "public, max-age=31536000, immutable"}

router = APIRouter(prefix="/log", tags=["log"], dependencies=[Anybody])


@router.get("/checkpoint")
async def get_checkpoint(vault: TheVault) -> Response:
    """Give the newest published head, signed (C2SP tlog-checkpoint)."""
    return await _file(vault.log_folder / "checkpoint", "text/plain; charset=utf-8", _MOVING)


@router.get("/key")
async def get_key(vault: TheVault) -> Response:
    """Give the verifier key line of this log; keep it, and compare it with what others keep."""
    return PlainTextResponse(f"{vault.signer.verifier_line}\n", headers=_MOVING)


@router.get("/tile/{path:path}")
async def get_tile(vault: TheVault, path: str) -> Response:
    """Give a tile of hashes or a bundle of entries; its content never changes."""
    if _TILE.fullmatch(path) is None:
        raise NotFound
    return await _file(vault.log_folder / "tile" / path, "application/octet-stream", _FOR_EVER)


async def _file(path: Path, media_type: str, headers: dict[str, str]) -> Response:
    """Give a file of at most some 10 kB in one read: a partial tile may be outgrown and removed meanwhile."""
    try:
        content = await to_thread.run_sync(path.read_bytes)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as problem:
        raise NotFound from problem
    return Response(content, media_type=media_type, headers=headers)
