"""Every route names who may call it, and every write takes a key: a new door cannot forget either."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from reuse_api.app import API, PAGES
from reuse_api.callers import CALLERS
from reuse_api.idempotency import idempotency_key

NAMES = {caller: caller.__name__ for caller in CALLERS}
PROTOCOLS = {"POST /oauth2/token", "POST /sign-in/back-channel/{realm}"}  # of others, without a key of ours
EXPECTED = {
    "anybody": {
        "POST /oauth2/token",
        "POST /sign-in/back-channel/{realm}",
        "GET /.well-known/jwks.json",
        "GET /.well-known/oauth-authorization-server",
        "GET /.well-known/webhook-keys.json",
        "GET /.well-known/webhook-events.json",
        "GET /log/checkpoint",
        "GET /log/key",
        "GET /log/origins",
        "GET /log/origins/{number}/receipt",
        "GET /log/tile/{path:path}",
        "GET /healthz",
        "GET /readyz",
        "GET /problems/{code}",
    },
    "system_caller": {
        "PUT /v1/dossiers/{code}",
        "GET /v1/dossiers/{code}/plan",
        "GET /v1/dossiers/{code}/search",
        "PATCH /v1/dossiers/{code}",
        "POST /v1/dossiers/{code}/releases",
        "GET /v1/releases/{release_id}/content",
        "GET /v1/releases/{release_id}/signature",
        "POST /v1/dossiers/{code}/results",
        "POST /v1/dossiers/{code}/components/{component}/confirmation",
        "POST /v1/dossiers/{code}/components/{component}/digitised",
        "POST /v1/records",
        "GET /v1/records",
        "POST /v1/records/{record}/revocation",
        "POST /v1/records/{record}/suspension",
        "POST /v1/records/{record}/reinstatement",
        "POST /v1/records/{record}/replacement",
        "POST /v1/consent-requests",
        "GET /v1/consent-requests/{request_id}",
        "POST /v1/consent-requests/{request_id}/lapse",
        "POST /v1/fetches",
        "GET /v1/notices",
        "GET /v1/waiting-seals/{waiting}",
        "POST /v1/notices/{notice}/seen",
        "GET /v1/webhooks",
        "POST /v1/webhooks",
        "GET /v1/webhooks/{webhook}",
        "POST /v1/webhooks/{webhook}/confirmation",
        "DELETE /v1/webhooks/{webhook}",
    },
    "owner_caller": {
        "GET /v1/me/records",
        "POST /v1/me/records",
        "GET /v1/me/records/{record}/content",
        "GET /v1/me/records/{record}/signature",
        "GET /v1/me/records/{record}/versions",
        "GET /v1/me/records/{record}/versions/{sha256}/content",
        "GET /v1/me/records/{record}/pages/{page}",
        "GET /v1/me/accesses",
        "GET /v1/me/accesses/{index}",
        "GET /v1/me/accesses/{index}/proof",
        "GET /v1/me/consent-requests",
        "GET /v1/me/consents",
        "GET /v1/me/consents/{consent}",
        "POST /v1/me/consents/{consent}/answer",
        "POST /v1/me/consents/{consent}/pause",
        "POST /v1/me/consents/{consent}/resume",
        "POST /v1/me/consents/{consent}/withdrawal",
    },
    "person_caller": {
        "GET /v1/me/delegations",
        "POST /v1/me/delegations",
        "POST /v1/me/delegations/{delegation}/end",
        "POST /v1/me/acting",
        "GET /v1/me/sessions",
        "POST /v1/me/sessions/{session}/end",
    },
    "staff_caller": {"GET /v1/staff/sessions", "POST /v1/staff/sessions/{session}/end"},
    "auditor_caller": {
        "GET /v1/audit/entries",
        "POST /v1/audit/openings",
        "POST /v1/audit/replays",
        "POST /v1/audit/proofs",
        "GET /v1/audit/consistency",
        "GET /v1/audit/records/{record}/versions",
        "GET /v1/audit/counts",
        "GET /v1/audit/anomalies",
        "POST /v1/audit/exports",
    },
    "administrator_caller": {
        "GET /v1/agencies/{agency}/certificates",
        "POST /v1/agencies/{agency}/certificates",
        "POST /v1/agencies/{agency}/certificates/{sha256}/end",
        "GET /v1/catalogue/procedures",
        "GET /v1/catalogue/procedures/{code}",
        "GET /v1/catalogue/work-list",
        "GET /v1/catalogue/edits",
        "POST /v1/catalogue/edits",
        "POST /v1/catalogue/edits/{edit}/end",
        "GET /v1/catalogue/types",
        "GET /v1/officers/sessions",
        "POST /v1/officers/sessions/{session}/end",
    },
    "counting_caller": {"GET /v1/indicators/rescans"},
    "either_caller": {"GET /v1/receipts/{receipt}"},
}


def routes(routers: Any) -> list[APIRoute]:
    found = [route for router in routers for route in router.routes]
    assert all(isinstance(route, APIRoute) for route in found), "a door of another kind is not looked at here"
    return found


API_ROUTES = routes(module.router for module in API)
PAGE_ROUTES = routes(PAGES)


def calls(dependant: Dependant) -> Iterator[Callable[..., Any] | None]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from calls(inner)


def door(route: APIRoute) -> str:
    (method,) = route.methods
    return f"{method} {route.path}"


def callers(route: APIRoute) -> list[str]:
    return sorted({NAMES[call] for call in calls(route.dependant) if call in NAMES})


@pytest.mark.parametrize("route", [*API_ROUTES, *PAGE_ROUTES], ids=door)
def test_every_route_names_its_caller(route: APIRoute) -> None:
    assert len(callers(route)) == 1


def test_the_api_is_called_by_whom_the_design_says() -> None:
    found: dict[str, set[str]] = {}
    for route in API_ROUTES:
        found.setdefault(callers(route)[0], set()).add(door(route))
    assert found == EXPECTED


@pytest.mark.parametrize("route", API_ROUTES, ids=door)
def test_every_write_takes_a_key(route: APIRoute) -> None:
    writes = route.methods & {"POST", "PATCH", "DELETE"} and door(route) not in PROTOCOLS
    assert (idempotency_key in calls(route.dependant)) == bool(writes)


@pytest.mark.parametrize("route", [*API_ROUTES, *PAGE_ROUTES], ids=door)
def test_every_route_says_what_it_does(route: APIRoute) -> None:
    assert route.endpoint.__doc__


def test_settings_are_read_in_one_place() -> None:
    package = Path(__file__).parents[2] / "reuse_api"
    readers = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if "os.environ" in file.read_text("utf-8")
    }
    assert readers == {"settings.py", "commands/speaking.py"}, "the locale is no setting of ours"
