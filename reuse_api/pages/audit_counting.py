"""Counts of entries as a chart with its table, and the patterns that are worth a look."""

from typing import get_args

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reuse_api.callers import AsAuditor, TheVault
from reuse_api.pages.audit_asked import Asked, asked
from reuse_api.pages.audit_views import Reviewer
from reuse_api.pages.charts import Column, bar, columns
from reuse_api.pages.languages import Language
from reuse_api.pages.rendering import language_of, page
from reuse_api.pages.troubles import PageRoute
from reuse_api.problems import words
from vault import auditing
from vault.anomalies import CODES, THRESHOLDS, Anomaly, anomalies
from vault.audit_counts import BYS, NOBODY, OTHERS, By, Count, counts
from vault.errors import FieldInvalid

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/audit/counts")
async def counted(request: Request, vault: TheVault, caller: AsAuditor, by: str = "day") -> Response:
    """Show how many entries there are by day, reason, agency and the like."""
    wanted, reviewer = asked(request.query_params), Reviewer(language_of(request), vault.book)
    chosen: By = next((one for one in BYS if one == by), "day")
    told: list[Count] = []
    fault = None
    try:
        told = await counts(vault, caller, wanted.filters(), by=chosen)
    except FieldInvalid as problem:
        fault = problem
    return page(
        request,
        "audit_counts.html",
        room="audit",
        section="counts",
        here="/audit/counts",
        status=422 if fault else 200,
        asked=wanted,
        by=chosen,
        bys=get_args(By),
        offered=await auditing.choices(vault),
        reviewer=reviewer,
        chart=_chart(reviewer.language, told) if chosen == "day" and told else None,
        rows=_rows(reviewer, chosen, told, wanted),
        total=sum(one.number for one in told),
        refused=sum(one.refused for one in told),
        ends=[reviewer.counted(chosen, one.key) for one in (told[0], told[-1])] if told else [],
        most=max((one.number for one in told), default=0),
        errors=_errors(fault, reviewer.language),
    )


@router.get("/audit/anomalies")
async def worth_a_look(request: Request, vault: TheVault, caller: AsAuditor) -> Response:
    """Show the patterns that are worth a look, each with its threshold and the way to its entries."""
    wanted, reviewer = asked(request.query_params), Reviewer(language_of(request), vault.book)
    told: list[Anomaly] = []
    fault = None
    try:
        told = await anomalies(vault, caller, wanted.filters())
    except FieldInvalid as problem:
        fault = problem
    return page(
        request,
        "audit_anomalies.html",
        room="audit",
        section="anomalies",
        here="/audit/anomalies",
        status=422 if fault else 200,
        asked=wanted,
        reviewer=reviewer,
        offered=await auditing.choices(vault),
        found=[(one, _entries_of(one)) for one in told],
        codes=CODES,
        thresholds=THRESHOLDS,
        errors=_errors(fault, reviewer.language),
    )


def _chart(language: Language, told: list[Count]) -> str:
    return columns(
        [Column(one.number, one.refused) for one in told],
        id="chart",
        title=language.say("audit.counts.chart"),
        description=language.say(
            "audit.counts.chart_note",
            total=sum(one.number for one in told),
            refused=sum(one.refused for one in told),
        ),
    )


def _rows(reviewer: Reviewer, by: By, told: list[Count], wanted: Asked) -> list[dict[str, object]]:
    """Give the table: of days the latest first and only those with entries."""
    most = max((one.number for one in told), default=0)
    shown = [one for one in reversed(told) if one.number] if by == "day" else told
    return [
        {
            "name": reviewer.counted(by, one.key),
            "number": one.number,
            "refused": one.refused,
            "bar": bar(one.number, one.refused, most),
            "way": _way(by, one.key, wanted),
        }
        for one in shown
    ]


def _way(by: By, key: str, wanted: Asked) -> str | None:
    """Give the address of the entries that were counted together, where a filter names them."""
    if key in (NOBODY, OTHERS):
        return None
    names = ("since", "until") if by == "day" else (by,)
    return f"/audit?{Asked({**wanted.typed, **dict.fromkeys(names, key)}).query(find=1)}"


def _entries_of(one: Anomaly) -> str:
    """Give the address of the entries behind a pattern."""
    names = {"agency": one.agency, "officer": one.officer, "dossier": one.dossier}
    days = {"since": one.day, "until": one.day}
    kinds = {"bulk_reads": "3", "night_reads": "3", "read_without_release": "3", "asked_not_taken": "5"}
    more = {"kind": kinds.get(one.code), "result": "refused" if one.code == "many_refusals" else None}
    narrowed = {name: value for name, value in (names | days | more).items() if value is not None}
    return f"/audit?{Asked(narrowed).query(find=1)}"


def _errors(fault: FieldInvalid | None, language: Language) -> dict[str, str]:
    return {} if fault is None else {fault.field: words(fault.code, language.code, "officer")}
