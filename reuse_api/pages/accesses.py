"""Who has looked: the entries about me by month and dossier, and the proof of each."""

import re
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from reuse_api.callers import AsOwner, TheVault
from reuse_api.pages import dates
from reuse_api.pages.access_views import tell_access, tell_groups
from reuse_api.pages.acting import Announced
from reuse_api.pages.rendering import GUARDED, language_of, page
from reuse_api.pages.troubles import PageRoute
from reuse_api.pages.views import Narrator
from vault import finding, receipts
from vault.errors import NotFound
from vault.months import Month, month_of, my_months

_HOME = "/wallet/accesses"
_PAGE = 50  # entries on one page
_MAX_INDEX = 2**53  # of an entry; beyond it there is none, and a database may fail to compare
_MONTH = re.compile(r"(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])")

router = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[Announced])


@router.get(_HOME)
async def accesses(
    request: Request,
    vault: TheVault,
    caller: AsOwner,
    month: str | None = None,
    before: Annotated[int | None, Query(ge=0, le=_MAX_INDEX)] = None,
) -> Response:
    """Show who opened a dossier about me, who asked, read or was refused: a month, by dossier."""
    months = await my_months(vault, caller)
    asked = _month(month) if month else months[0][0] if months else None
    found = await finding.my_accesses(vault, caller, before=before, limit=_PAGE + 1, month=asked)
    shown = found[:_PAGE]
    language = language_of(request)
    return page(
        request,
        "accesses.html",
        section="accesses",
        here=f"{_HOME}?month={asked.iso}" if month and asked else _HOME,
        months=[(one.iso, dates.month(one.first, language.code), count) for one, count in months],
        month=dates.month(asked.first, language.code) if asked else None,
        groups=tell_groups(Narrator(language, vault.book), shown),
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
        one=tell_access(Narrator(language_of(request), vault.book), found),
        month=month_of(found.at).iso,
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


def _month(text: str) -> Month:
    if _MONTH.fullmatch(text) is None:
        raise NotFound
    return Month.of(text)


def _number(index: str) -> int:
    if not index.isascii() or not index.isdigit() or len(index) > len(str(_MAX_INDEX)):
        raise NotFound
    return int(index)


def _proof_name(request: Request, index: int) -> str:
    return language_of(request).say("access.file_name", index=index)
