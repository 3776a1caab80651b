"""The log as a whole: its signed head, the proof that it only grew, and how to check both without us."""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from reuse_api.callers import AsAuditor, TheVault
from reuse_api.pages.forms import sent
from reuse_api.pages.languages import Language
from reuse_api.pages.rendering import GUARDED, language_of, page
from reuse_api.pages.troubles import PageRoute
from reuse_api.problems import words
from signing.canonical import to_base64
from signing.checkpoint import parse_checkpoint, split_note
from signing.merkle import verify_consistency
from vault.errors import FieldInvalid, NotFound
from vault.growing import Compared, Grown, compared, grown
from vault.services import Vault

_DIGITS = 15  # of a size
_MOST = 10_000  # characters of a checkpoint; one of ours has about 250

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True)
class _Asked:
    """What was typed: two sizes, or a checkpoint that was kept."""

    old: str = ""
    new: str = ""
    kept: str = ""


@router.get("/audit/log")
async def log(request: Request, vault: TheVault, caller: AsAuditor, old: str = "", new: str = "") -> Response:
    """Show the newest head, and the proof of growth between two sizes where they were named."""
    told, fault = None, None
    try:
        if old or new:
            told = await grown(vault, _size("old", old), _size("new", new) if new else None)
            verify_consistency(told.old, told.new, told.proof, told.old_root, told.new_root)
    except FieldInvalid as problem:
        fault = problem
    return await _shown(request, vault, _Asked(old=old, new=new), fault, told=told)


@router.post("/audit/log")
async def hold(request: Request, vault: TheVault, caller: AsAuditor) -> Response:
    """Hold the log to a checkpoint that the auditor kept."""
    text = (await sent(request, "audit")).get("kept", "")
    asked = _Asked(kept=text.strip()[:_MOST] if isinstance(text, str) else "")
    try:
        told = await compared(vault, "\n".join(line.strip() for line in asked.kept.splitlines()) + "\n")
    except FieldInvalid as problem:
        return await _shown(request, vault, asked, problem)
    return await _shown(request, vault, asked, None, against=told)


async def _shown(
    request: Request,
    vault: Vault,
    asked: _Asked,
    fault: FieldInvalid | None,
    *,
    told: Grown | None = None,
    against: Compared | None = None,
) -> Response:
    language = language_of(request)
    head = told.head if told is not None else await vault.signer.checkpoint()
    known = parse_checkpoint(split_note(head)[0])
    return page(
        request,
        "audit_log.html",
        room="audit",
        section="log",
        here="/audit/log",
        status=422 if fault else 200,
        head=head,
        size=known.size,
        root=to_base64(known.root),
        log_key=vault.signer.verifier_line,
        address=str(request.base_url).rstrip("/"),
        asked=asked,
        grown=told,
        against=against,
        in_base64=to_base64,
        most=_MOST,
        file_name=_file_name(language, told.old) if told is not None else "",
        errors={fault.field: words(fault.code, language.code, "officer")} if fault else {},
    )


@router.get("/audit/log/growth")
async def growth(request: Request, vault: TheVault, caller: AsAuditor, old: str = "") -> Response:
    """Hand out the proof that the log only grew since a size, up to its newest head."""
    try:
        told: Grown = await grown(vault, _size("old", old))
    except FieldInvalid as problem:
        raise NotFound from problem
    name = _file_name(language_of(request), told.old)
    headers = {**GUARDED, "Content-Disposition": f'attachment; filename="{name}"'}
    return PlainTextResponse(told.file or "", headers=headers)


def _file_name(language: Language, old: int) -> str:
    return language.say("audit.log.file_name", old=old)


def _size(name: str, text: str) -> int:
    typed = text.strip()
    if not typed.isascii() or not typed.isdigit() or len(typed) > _DIGITS:
        raise FieldInvalid(name, "size_malformed")
    return int(typed)
