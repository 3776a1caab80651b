"""Releases: documents in place of paper, each decided and entered, each with its receipt."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.answering import answer
from reuse_api.callers import AsSystem, TheVault
from reuse_api.content import Span, asked_span, content
from reuse_api.idempotency import WriteKey
from reuse_api.schemas import ReleasesBody
from vault import deliver, release

router = APIRouter(prefix="/v1", tags=["releases"])


@router.post("/dossiers/{code}/releases")
async def post_releases(
    request: Request, vault: TheVault, caller: AsSystem, code: str, body: ReleasesBody, key: WriteKey
) -> Response:
    """Ask for records in place of components; each is released or refused with reasons."""
    return answer(request, await release.request(vault, caller, code, body.value(), key=key))


@router.get("/releases/{release_id}/content")
async def get_content(request: Request, vault: TheVault, caller: AsSystem, release_id: str) -> Response:
    """Read the file of a release, or a range of it; decided afresh if anything moved since."""
    span = asked_span(request)
    part = span or Span()
    delivery = await deliver.deliver(vault, caller, release_id, start=part.start, stop=part.stop)
    return content(request, delivery, ranged=span is not None)


@router.get("/releases/{release_id}/signature")
async def get_signature(request: Request, vault: TheVault, caller: AsSystem, release_id: str) -> Response:
    """Read the signature that stands beside the file of a release; decided and entered as the file is."""
    return content(request, await deliver.signature(vault, caller, release_id), ranged=False)
