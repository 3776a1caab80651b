"""The audit: entries found, opened, replayed and counted; never content; each look is an entry itself."""

from base64 import b64encode
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from policies.recording import plain
from policies.wording import name
from reuse_api.answering import answer
from reuse_api.audit_csv import MEDIA_TYPE, table
from reuse_api.audit_schemas import CountsQuery, EntriesQuery, FilterFields, GrowthQuery, OpeningBody
from reuse_api.callers import AsAuditor, TheVault
from reuse_api.idempotency import WriteKey
from reuse_api.language import Language, language_of
from vault import audit_counts, audit_opening, audit_versions, auditing, growing
from vault.anomalies import THRESHOLDS, Anomaly, anomalies
from vault.audit_filters import Filters
from vault.audit_opening import Opening
from vault.audit_versions import AuditedVersion
from vault.auditing import Line
from vault.callers import StaffCaller
from vault.entries import Logged
from vault.errors import FieldInvalid
from vault.services import Vault

router = APIRouter(prefix="/v1/audit", tags=["audit"])


@router.get("/entries")
async def get_entries(
    request: Request, vault: TheVault, caller: AsAuditor, query: Annotated[EntriesQuery, Query()]
) -> Response:
    """List entries that fit, newest first, unopened; `next` is a cursor, `entry` the search's own."""
    before = None if query.cursor is None else int(query.cursor)
    found = await auditing.search(
        vault, caller, await _filters(vault, caller, query), before=before, limit=query.limit
    )
    language = language_of(request)
    page: dict[str, Any] = {"entries": [_line(one, language) for one in found.lines]}
    if found.older is not None:
        page["next"] = str(found.older)
    return answer(request, page | {"entry": _entered(found.entered)})


@router.post("/openings")
async def post_opening(
    request: Request, vault: TheVault, caller: AsAuditor, body: OpeningBody, key: WriteKey
) -> Response:
    """Open one entry on a ground: its five parts, persons masked; those it concerns see who opened it."""
    told = await audit_opening.open_entry(vault, caller, body.index, body.ground, key=key)
    return _opened(request, told, {})


@router.post("/replays")
async def post_replay(
    request: Request, vault: TheVault, caller: AsAuditor, body: OpeningBody, key: WriteKey
) -> Response:
    """Decide again what an entry recorded, by the rules of the hash it names: the same, or an alarm."""
    told = await audit_opening.replay_entry(vault, caller, body.index, body.ground, key=key)
    words = name("replay", told.outcome, language_of(request))
    differences = [plain(one) for one in told.differences]
    replay = {"outcome": told.outcome, "words": words, "alarm": told.alarm, "differences": differences}
    return _opened(request, told.opening, {"replay": replay})


@router.post("/proofs")
async def post_proof(vault: TheVault, caller: AsAuditor, body: OpeningBody, key: WriteKey) -> Response:
    """Take the proof of one entry (C2SP tlog-proof); parts that name a person are proven, not shown."""
    return PlainTextResponse(await audit_opening.take_proof(vault, caller, body.index, body.ground, key=key))


@router.get("/consistency")
async def get_consistency(
    request: Request, vault: TheVault, caller: AsAuditor, query: Annotated[GrowthQuery, Query()]
) -> Response:
    """Prove that the log only grew between two sizes; `file` is what `kho verify growth` checks offline."""
    told = await growing.grown(vault, query.old, query.new)
    document: dict[str, Any] = {
        "old": {"size": told.old, "root": _base64(told.old_root)},
        "new": {"size": told.new, "root": _base64(told.new_root)},
        "proof": [_base64(one) for one in told.proof],
        "checkpoint": told.head,
    }
    return answer(request, document | ({} if told.file is None else {"file": told.file}))


@router.get("/records/{record}/versions")
async def get_versions(request: Request, vault: TheVault, caller: AsAuditor, record: str) -> Response:
    """List the files that a document has had, oldest first: digest, size, since when, why, which is current.

    `why` is handed_in (before it was sealed here: its digest alone is kept), original (what a copy was made
    from), stored, sealed or renewed. Never content; its owners see who looked.
    """
    told = await audit_versions.list_versions(vault, caller, record)
    document = asdict(told) | {"entry": _entered(told.entered)}
    document.pop("entered")
    document["versions"] = [_version(one) for one in told.versions]
    return answer(request, {key: value for key, value in document.items() if value is not None})


@router.get("/counts")
async def get_counts(
    request: Request, vault: TheVault, caller: AsAuditor, query: Annotated[CountsQuery, Query()]
) -> Response:
    """Count entries by day, reason, agency and the like; of each, how many say no."""
    filters = await _filters(vault, caller, query)
    told = await audit_counts.counts(vault, caller, filters, by=query.by)
    return answer(request, {"by": query.by, "counts": [asdict(one) for one in told]})


@router.get("/anomalies")
async def get_anomalies(
    request: Request, vault: TheVault, caller: AsAuditor, query: Annotated[FilterFields, Query()]
) -> Response:
    """List what is worth a look in a span of days; each pattern with the threshold that it passed."""
    told = await anomalies(vault, caller, await _filters(vault, caller, query))
    language = language_of(request)
    return answer(request, {"anomalies": [_anomaly(one, language) for one in told]})


@router.post("/exports")
async def post_export(vault: TheVault, caller: AsAuditor, body: FilterFields, key: WriteKey) -> Response:
    """Take the newest entries that fit away as CSV, 10,000 at most; `Entries-Left` says whether more fit."""
    found = await auditing.export(vault, caller, await _filters(vault, caller, body), key=key)
    headers = {
        "Content-Disposition": f'attachment; filename="kho-entries-{found.entered.index}.csv"',
        "Entries-Left": "yes" if found.older is not None else "no",
    }
    return Response(table(found.lines), media_type=MEDIA_TYPE, headers=headers)


async def _filters(vault: Vault, caller: StaffCaller, asked: FilterFields) -> Filters:
    """Find the owner's store where an identifier was given; looking somebody up is an entry too."""
    owner = asked.owner
    if owner is not None and not owner.startswith("own-"):
        owner = await auditing.find_owner(vault, caller, owner)
        if owner is None:
            raise FieldInvalid("owner", "owner_unknown")
    return asked.value(owner)


def _opened(request: Request, told: Opening, more: dict[str, Any]) -> Response:
    lies = [dict(zip(("name", "entry", "row"), one, strict=True)) for one in told.disagreements]
    document = {"entry": _line(told.line, language_of(request)), "opening": _entered(told.entered)}
    return answer(request, document | {"disagreements": lies}, verbatim={"parts": dict(told.parts)} | more)


def _line(one: Line, language: Language) -> dict[str, Any]:
    told = {key: value for key, value in asdict(one).items() if value is not None}
    told.pop("agency_vi", None)
    told.pop("agency_en", None)
    named = one.agency_vi if language == "vi" else one.agency_en
    told |= {"at": one.at.isoformat(), "kind_words": name("entry", str(one.kind), language)}
    return told | ({"agency_name": named} if named is not None else {})


def _version(one: AuditedVersion) -> dict[str, Any]:
    told = asdict(one) | {"since": one.since.isoformat()}
    return {key: value for key, value in told.items() if value is not None}


def _anomaly(one: Anomaly, language: Language) -> dict[str, Any]:
    told = {key: value for key, value in asdict(one).items() if value is not None}
    return told | {"words": name("anomaly", one.code, language), "threshold": THRESHOLDS[one.code]}


def _entered(entry: Logged) -> dict[str, Any]:
    return {"index": entry.index, "receipt": entry.receipt}


def _base64(content: bytes) -> str:
    return b64encode(content).decode()
