"""The published log (C2SP tlog-tiles): static files, for anybody, checked by anybody."""

import re
from pathlib import Path
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter
from fastapi import Path as Number
from starlette.responses import PlainTextResponse, Response

from reuse_api.callers import Anybody, TheVault
from signing.canonical import to_base64
from vault import origins
from vault.errors import NotFound
from vault.origins import Origin

# A level (or "entries"), an index in groups of three digits, the width of a partial tile; all else is none.
_TILE = re.compile(r"(?:[0-9]{1,2}|entries)/(?:x[0-9]{3}/){0,6}[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?")
_FOR_EVERYBODY = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
_MOVING = _FOR_EVERYBODY | {"Cache-Control": "no-cache"}
_FOR_EVER = _FOR_EVERYBODY | {"Cache-Control": "public, max-age=31536000, immutable"}

_MOST = 10_000  # names of one log

router = APIRouter(prefix="/log", tags=["log"], dependencies=[Anybody])


@router.get("/checkpoint")
async def get_checkpoint(vault: TheVault) -> Response:
    """Give the newest published head, signed (C2SP tlog-checkpoint)."""
    return await _file(vault.log_folder / "checkpoint", "text/plain; charset=utf-8", _MOVING)


@router.get("/key")
async def get_key(vault: TheVault) -> Response:
    """Give the verifier key line of this log; keep it, and compare it with what others keep."""
    return PlainTextResponse(f"{vault.signer.verifier_line}\n", headers=_MOVING)


@router.get("/origins")
async def get_origins(vault: TheVault) -> dict[str, Any]:
    """List the names under which this log was signed: one, and one more after a restore that lost its end.

    What was signed under an earlier name is verified by that name's key line.
    """
    return {"items": [_shown(one) for one in await origins.names(vault)]}


@router.get("/origins/{number}/receipt")
async def get_origin_receipt(vault: TheVault, number: Annotated[int, Number(ge=0, le=_MOST)]) -> Response:
    """Give the proof of the entry that a name began with: opened, it names the newest head before it."""
    return PlainTextResponse(await origins.receipt_of(vault, number), headers=_MOVING)


def _shown(one: Origin) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": one.name,
        "key": one.key_line,
        "since": one.since,
        "entries_before": {"size": one.first, "root": to_base64(one.root)},
    }
    if one.old_size is not None and one.old_root is not None:
        told["newest_head_before"] = {"size": one.old_size, "root": to_base64(one.old_root)}
    if one.idx is not None:
        told |= {"entry": one.idx, "receipt": f"/log/origins/{one.n}/receipt"}
    return told


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
