"""The wallet: my documents, who has looked at them, the proof of each look, and adding a document."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from reuse_api.callers import AsOwner, TheVault
from reuse_api.content import content as file_of
from reuse_api.pages.rendering import GUARDED, language_of, page
from reuse_api.pages.troubles import PageRoute, refused
from reuse_api.pages.views import Narrator
from vault import deliver, finding, receipts
from vault.errors import NotFound
from vault.services import Refusal, Vault

_PAGE = 50  # entries on one page
_MAX_INDEX = 2**53  # of an entry; beyond it there is none, and a database may fail to compare

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/wallet")
async def records(request: Request, vault: TheVault, caller: AsOwner, added: str = "") -> Response:
    """Show my documents, newest first."""
    narrator = _narrator(request, vault)
    held = await finding.my_records(vault, caller)
    return page(
        request,
        "records.html",
        section="records",
        me=await finding.me(vault, caller),
        records=[narrator.record(one) for one in held],
        added=bool(added),
    )


@router.get("/wallet/records/{record}")
async def record(request: Request, vault: TheVault, caller: AsOwner, record: str) -> Response:
    """Show one document: its state in words, its facts, and the way to its file."""
    held = await finding.my_records(vault, caller)
    found = next((one for one in held if one.id == record), None)
    if found is None:
        raise NotFound
    return page(request, "record.html", section="records", one=_narrator(request, vault).record(found))


@router.get("/wallet/records/{record}/content")
async def content(request: Request, vault: TheVault, caller: AsOwner, record: str) -> Response:
    """Hand out the file to its owner; an entry of the log like every other reading."""
    told = await deliver.read_own(vault, caller, record)
    if isinstance(told, Refusal):
        return refused(request, told)
    return file_of(request, told, ranged=False)


@router.get("/wallet/accesses")
async def accesses(
    request: Request,
    vault: TheVault,
    caller: AsOwner,
    before: Annotated[int | None, Query(ge=0, le=_MAX_INDEX)] = None,
) -> Response:
    """Show who opened a dossier about me, who asked and who read, and what was refused; by dossier."""
    found = await finding.my_accesses(vault, caller, before=before, limit=_PAGE + 1)
    shown = found[:_PAGE]
    return page(
        request,
        "accesses.html",
        section="accesses",
        groups=_narrator(request, vault).groups(shown),
        older=shown[-1].index if len(found) > _PAGE else None,
        newest=before is None,
    )


@router.get("/wallet/accesses/{index}")
async def access(request: Request, vault: TheVault, caller: AsOwner, index: str) -> Response:
    """Show one entry, and how anybody can check its proof without us."""
    found = await finding.my_access(vault, caller, _number(index))
    return page(
        request,
        "access.html",
        section="accesses",
        one=_narrator(request, vault).access(found),
        log_key=vault.signer.verifier_line,
        file_name=_proof_name(request, found.index),
    )


@router.get("/wallet/accesses/{index}/proof")
async def proof(request: Request, vault: TheVault, caller: AsOwner, index: str) -> Response:
    """Hand out the proof of one entry as a text file."""
    number = _number(index)
    text = await receipts.proof_of(vault, caller, number)
    headers = {**GUARDED, "Content-Disposition": f'attachment; filename="{_proof_name(request, number)}"'}
    return PlainTextResponse(text, headers=headers)


def _narrator(request: Request, vault: Vault) -> Narrator:
    return Narrator(language_of(request), vault.book)


def _number(index: str) -> int:
    if not index.isascii() or not index.isdigit() or len(index) > len(str(_MAX_INDEX)):
        raise NotFound
    return int(index)


def _proof_name(request: Request, index: int) -> str:
    return language_of(request).say("access.file_name", index=index)
