"""The files that one document has had, for an auditor: when, why and which digest; never what is in them.

Looking is an entry that its owners see, so there is a page for it and no list beside an entry.
"""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.callers import AsAuditor, TheVault
from reuse_api.pages.audit_views import Reviewer
from reuse_api.pages.dates import When
from reuse_api.pages.rendering import language_of, page
from reuse_api.pages.troubles import PageRoute
from reuse_api.pages.version_views import tell_why
from vault import audit_versions
from vault.audit_versions import AuditedVersion

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True)
class _VersionView:
    what: str
    since: When
    kind: str
    sha256: str
    kept: bool
    entry: int | None


@router.get("/audit/records/{record}/versions")
async def versions(request: Request, vault: TheVault, caller: AsAuditor, record: str) -> Response:
    """List the files of one document, oldest first."""
    told = await audit_versions.list_versions(vault, caller, record)
    reviewer = Reviewer(language_of(request), vault.book)
    return page(
        request,
        "audit_versions.html",
        room="audit",
        section="audit",
        here=f"/audit/records/{told.record}/versions",
        record=told.record,
        type=reviewer.type_name(told.type, vault.clock.now()),
        owners=told.owners,
        signature=told.signature,
        entered=told.entered.index,
        files=[_view(reviewer, one) for one in told.versions],
    )


def _view(reviewer: Reviewer, one: AuditedVersion) -> _VersionView:
    kind = reviewer.file(one.media_type, one.size)
    return _VersionView(
        what=tell_why(reviewer, one.why),
        since=reviewer.moment(one.since),
        kind=reviewer.language.say("versions.newest", file=kind) if one.current else kind,
        sha256=one.sha256,
        kept=one.kept,
        entry=one.entry,
    )
