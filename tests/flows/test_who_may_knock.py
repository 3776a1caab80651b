"""Who may knock where: every route of the app, for machines and for people, by every kind of caller.

The rule. A door has one kind of caller. Whoever proves to be of another kind, or proves nothing, is told 401
by a door for machines and is led to the sign-in by a page, whoever they are elsewhere; nothing is told of
what lies behind. Who is of the right kind but has no part in the thing gets 404, as if it were not there.
What a decision forbids, as to a system that names no officer, is 403; so is a form without the token of its
session. 422 and 415 say that the caller came in and what they brought did not fit. Only what is everybody's
lets everybody in.

The routes are the app's own: one that has no row here fails, and so does a row that has no route. For a new
door add a row to its group: `api(...)` for a machine's door, `room(...)` for a page, `form(...)` for what a
page sends, each with what every kind of caller gets that is let in; all others need not be named.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import httpx
import pytest
from fastapi.routing import APIRoute

from reuse_api.app import API, PAGES, create_app
from reuse_api.demo import people
from reuse_api.settings import Settings
from tests.flows.conftest import OTHER_COMMUNE
from tests.flows.knocking import Knocks, anybody, api, form, room
from tests.pages.desk import token
from vault.clock import Clock
from vault.days import legal_day
from vault.services import Vault

BANK, HERSELF = people.BANK, people.DAUGHTER.named("applicant")
DOSSIER, RECORD, CONSENT = {"code": "dossier"}, {"record": "record"}, {"consent": "consent"}
THEIRS = ("dossier", "record", "release", "receipt", "bundle", "consent")
INDEX, RELEASE, RECEIPT = {"index": "index"}, {"release_id": "release"}, {"receipt": "receipt"}
KINSHIP = DOSSIER | {"component": people.KINSHIP}
BOTH = {"system": 200, "officerless": 200}
NOT_THEIRS = {"system": 404, "officerless": 404}
UNNAMED = {"system": 200, "officerless": 403}  # an officer must answer for it
FORBIDDEN = {"system": 403, "officerless": 403}
OWNERS, HERS = {"owner": 200, "another": 200}, {"owner": 200, "another": 404}
GROUND = {"index": 1, "ground": "Kế hoạch kiểm tra quý IV"}
ENDED = {"ground": "Luật Hộ tịch 2014, Điều 70", "reason": "Cấp sai"}
ASKED = {
    "person": {"identifier": HERSELF["identifier"], "name": people.DAUGHTER.name},
    "purposes": [{"purpose": "loan_assessment", "reason": "Hồ sơ vay mua nhà số 2026/118"}],
    "types": ["GKS"],
    "valid_until": "{soon}",
    "max_reads": 3,
}
FETCH = {"consent": "{consent}", "purpose": "loan_assessment", "records": ["{record}"]}
RESULT = {"type": "GKS", "owner_roles": ["applicant"], "fields": {}}

EVERYBODYS = {
    "POST /oauth2/token": anybody(400),
    "GET /.well-known/jwks.json": anybody(200),
    "GET /.well-known/oauth-authorization-server": anybody(200),
    "GET /.well-known/webhook-keys.json": anybody(200),
    "GET /.well-known/webhook-events.json": anybody(200),
    "GET /log/checkpoint": anybody(200),
    "GET /log/key": anybody(200),
    "GET /log/origins": anybody(200),
    "GET /log/origins/{number}/receipt": anybody(404, at={"number": "0"}),
    "GET /log/tile/{path:path}": anybody(404, at={"path:path": "9/999"}),
    "GET /healthz": anybody(200),
    "GET /readyz": anybody(200),
    "GET /problems/{code}": anybody(200, at={"code": "not_found"}),
    "GET /sign-in": anybody(200),
    "POST /sign-in": anybody(422, data={"code": "none"}),
    "POST /sign-in/provider": anybody(404, data={"realm": "citizens"}),
    "POST /sign-in/again": anybody(403),
    "GET /sign-in/callback/{realm}": anybody(404, at={"realm": "citizens"}),
    "POST /sign-in/back-channel/{realm}": anybody(404, at={"realm": "citizens"}),
    "POST /sign-out": anybody(403),
    "POST /language": anybody(303, data={"language": "en"}),
    "GET /static/{name}": anybody(404, at={"name": "none"}),
    "GET /": anybody(303),
    "GET /sign-out": anybody(303),
    "GET /language": anybody(303),
    "GET /wallet/{rest:path}": anybody(404, at={"rest:path": "none"}),
    "GET /desk/{rest:path}": anybody(404, at={"rest:path": "none"}),
    "GET /audit/{rest:path}": anybody(404, at={"rest:path": "none"}),
    "GET /admin/{rest:path}": anybody(404, at={"rest:path": "none"}),
}
SYSTEMS = {
    "PUT /v1/dossiers/{code}": api(at={"code": "new_dossier"}, json="{residence}", **UNNAMED),
    "GET /v1/dossiers/{code}/plan": api(at=DOSSIER, **UNNAMED),
    "GET /v1/dossiers/{code}/search": api(at=DOSSIER, **UNNAMED),
    "PATCH /v1/dossiers/{code}": api(at={"code": "no_dossier"}, json={"state": "closed"}, **NOT_THEIRS),
    "POST /v1/dossiers/{code}/releases": api(
        at=DOSSIER, json={"components": [{"component": people.KINSHIP}]}, **UNNAMED
    ),
    "GET /v1/releases/{release_id}/content": api(at=RELEASE, **BOTH),
    "GET /v1/releases/{release_id}/signature": api(at=RELEASE, **NOT_THEIRS),
    "POST /v1/dossiers/{code}/results": api(at=DOSSIER, json=RESULT, **FORBIDDEN),
    "POST /v1/dossiers/{code}/components/{component}/confirmation": api(
        at=KINSHIP, json={"record": "{record}", "reason": "Đã đối chiếu bản chính"}, **FORBIDDEN
    ),
    "POST /v1/dossiers/{code}/components/{component}/digitised": api(at=KINSHIP, system=415, officerless=415),
    "POST /v1/records": api(json={}, system=422, officerless=422),
    "GET /v1/records": api(params={"q": "x"}, **UNNAMED),
    "POST /v1/records/{record}/revocation": api(at=RECORD, json=ENDED, **NOT_THEIRS),
    "POST /v1/records/{record}/suspension": api(at=RECORD, json=ENDED, **NOT_THEIRS),
    "POST /v1/records/{record}/reinstatement": api(at=RECORD, json=ENDED, **NOT_THEIRS),
    "POST /v1/records/{record}/replacement": api(at=RECORD, json=ENDED | {"by": "{record}"}, **NOT_THEIRS),
    "GET /v1/notices": api(**BOTH),
    "GET /v1/waiting-seals/{waiting}": api(at={"waiting": "none"}, **NOT_THEIRS),
    "GET /v1/indicators/rescans": api(
        params={"since": "2026-01-01", "until": "2026-12-31"}, auditor=200, **BOTH
    ),
    "POST /v1/notices/{notice}/seen": api(at={"notice": "none"}, **NOT_THEIRS),
    "GET /v1/webhooks": api(**BOTH),
    "POST /v1/webhooks": api(json={"url": "https://10.0.0.1/"}, system=422, officerless=422),
    "GET /v1/webhooks/{webhook}": api(at={"webhook": "none"}, **NOT_THEIRS),
    "POST /v1/webhooks/{webhook}/confirmation": api(
        at={"webhook": "none"}, json={"code": "none"}, **NOT_THEIRS
    ),
    "DELETE /v1/webhooks/{webhook}": api(at={"webhook": "none"}, **NOT_THEIRS),
    "POST /v1/consent-requests": api(json=ASKED, office=BANK, system=201, officerless=201),
    "GET /v1/consent-requests/{request_id}": api(at={"request_id": "bundle"}, office=BANK, **BOTH),
    "POST /v1/consent-requests/{request_id}/lapse": api(at={"request_id": "none"}, office=BANK, **NOT_THEIRS),
    "POST /v1/fetches": api(json=FETCH, office=BANK, **FORBIDDEN),
    "GET /v1/receipts/{receipt}": api(at=RECEIPT, owner=404, another=404, **BOTH),
}
WALLET = {
    "GET /v1/me/consent-requests": api(**OWNERS),
    "GET /v1/me/consents": api(**OWNERS),
    "GET /v1/me/consents/{consent}": api(at=CONSENT, **HERS),
    "POST /v1/me/consents/{consent}/answer": api(
        at=CONSENT, json={"act": "give", "language": "vi"}, owner=403, another=404
    ),
    "POST /v1/me/consents/{consent}/pause": api(at=CONSENT, owner=403, another=404),
    "POST /v1/me/consents/{consent}/resume": api(at=CONSENT, owner=403, another=404),
    "POST /v1/me/consents/{consent}/withdrawal": api(at=CONSENT, owner=403, another=404),
    "GET /v1/me/delegations": api(**OWNERS),
    "POST /v1/me/delegations": api(
        json={"kind": "parent", "identifier": HERSELF["identifier"]}, owner=403, another=403
    ),
    "POST /v1/me/delegations/{delegation}/end": api(at={"delegation": "none"}, owner=404, another=404),
    "POST /v1/me/acting": api(json={"delegation": "none"}, owner=404, another=404),
    "GET /v1/me/sessions": api(**OWNERS),
    "POST /v1/me/sessions/{session}/end": api(at={"session": "none"}, owner=404, another=404),
    "GET /v1/me/records": api(**OWNERS),
    "POST /v1/me/records": api(owner=415, another=415),
    "GET /v1/me/records/{record}/content": api(at=RECORD, **HERS),
    "GET /v1/me/records/{record}/signature": api(at=RECORD, owner=404, another=404),
    "GET /v1/me/records/{record}/versions": api(at=RECORD, **HERS),
    "GET /v1/me/records/{record}/versions/{sha256}/content": api(
        at=RECORD | {"sha256": "none"}, owner=404, another=404
    ),
    "GET /v1/me/records/{record}/pages/{page}": api(at=RECORD | {"page": "1"}, **HERS),
    "GET /v1/me/accesses": api(**OWNERS),
    "GET /v1/me/accesses/{index}": api(at=INDEX, **HERS),
    "GET /v1/me/accesses/{index}/proof": api(at=INDEX, **HERS),
    "GET /wallet/sessions": room(**OWNERS),
    "POST /wallet/sessions/{session}/end": form("owner", session="none"),
    "GET /wallet": room(**OWNERS),
    "GET /wallet/records/{record}": room(at=RECORD, **HERS),
    "GET /wallet/records/{record}/view/{number}": room(at=RECORD | {"number": "1"}, **HERS),
    "GET /wallet/records/{record}/pages/{number}": room(at=RECORD | {"number": "1"}, **HERS),
    "GET /wallet/records/{record}/signature": room(at=RECORD, owner=404, another=404),
    "GET /wallet/records/{record}/content": room(at=RECORD, **HERS),
    "GET /wallet/records/{record}/versions/{sha256}/content": room(
        at=RECORD | {"sha256": "none"}, owner=404, another=404
    ),
    "GET /wallet/accesses": room(**OWNERS),
    "GET /wallet/accesses/{index}": room(at=INDEX, **HERS),
    "GET /wallet/accesses/{index}/proof": room(at=INDEX, **HERS),
    "GET /wallet/upload": room(**OWNERS),
    "POST /wallet/records": room(owner=422, another=422),
    "GET /wallet/people": room(**OWNERS),
    "POST /wallet/search": form("owner"),
    "POST /wallet/people": form("owner"),
    "POST /wallet/people/act": form("owner"),
    "POST /wallet/people/end": form("owner"),
    "GET /wallet/requests/{bundle}": room(at={"bundle": "bundle"}, **HERS),
    "POST /wallet/requests/{bundle}": form("owner", bundle="bundle"),
    "GET /wallet/consents": room(**OWNERS),
    "GET /wallet/consents/{consent}": room(at=CONSENT, **HERS),
    "POST /wallet/consents/{consent}": form("owner", **CONSENT),
}
DESK = {
    "GET /desk/sessions": room(desk=200),
    "GET /desk": room(desk=200),
    "GET /desk/open": room(desk=422),
    "GET /desk/new": room(desk=200),
    "POST /desk/new": form("desk"),
    "GET /desk/dossiers/{code}": room(at=DOSSIER, desk=200),
    "POST /desk/dossiers/{code}/plan": form("desk", **DOSSIER),
    "POST /desk/dossiers/{code}/search": form("desk", **DOSSIER),
    "POST /desk/dossiers/{code}/releases": form("desk", **DOSSIER),
    # What was released to the agency's other system is that system's, not the desk's.
    "GET /desk/dossiers/{code}/releases/{release_id}": room(at=DOSSIER | RELEASE, desk=404),
    "GET /desk/dossiers/{code}/releases/{release_id}/view/{number}": room(
        at=DOSSIER | RELEASE | {"number": "1"}, desk=404
    ),
    "GET /desk/releases/{release_id}/pages/{number}": room(at=RELEASE | {"number": "1"}, desk=404),
    "GET /desk/releases/{release_id}/signature": room(at=RELEASE, desk=404),
    "GET /desk/releases/{release_id}/content": room(at=RELEASE, desk=404),
    "GET /desk/receipts/{receipt}": room(at=RECEIPT, desk=404),
    "GET /desk/dossiers/{code}/confirmation": room(at=DOSSIER, desk=404),
    "POST /desk/dossiers/{code}/confirmation": form("desk", **DOSSIER),
    "GET /desk/dossiers/{code}/scan": room(at=DOSSIER, params={"component": people.KINSHIP}, desk=200),
    "POST /desk/dossiers/{code}/scan": room(at=DOSSIER, desk=422),
    "POST /desk/dossiers/{code}/scan/look": room(at=DOSSIER, desk=422),
    "POST /desk/dossiers/{code}/scan/{draft}": form("desk", **DOSSIER, draft="none"),
    "GET /desk/dossiers/{code}/result": room(at=DOSSIER, desk=200),
    "POST /desk/dossiers/{code}/result": form("desk", **DOSSIER),
    "POST /desk/dossiers/{code}/result/file": room(at=DOSSIER, desk=422),
    "GET /desk/dossiers/{code}/close": room(at=DOSSIER, desk=200),
    "POST /desk/dossiers/{code}/close": form("desk", **DOSSIER),
    "POST /desk/notices/{notice}/seen": form("desk", notice="none"),
    "GET /desk/issued": room(desk=200),
    "POST /desk/issued": form("desk"),
    "GET /desk/issued/{record}": room(at=RECORD, desk=404),
    "POST /desk/issued/{record}": form("desk", **RECORD),
}
AUDIT = {
    "GET /v1/audit/entries": api(auditor=200),
    "POST /v1/audit/openings": api(json=GROUND, auditor=200),
    "POST /v1/audit/replays": api(json=GROUND, auditor=200),
    "POST /v1/audit/proofs": api(json=GROUND, auditor=200),
    "GET /v1/audit/consistency": api(params={"old": 1}, auditor=200),
    "GET /v1/audit/records/{record}/versions": api(at=RECORD, auditor=200),
    "GET /v1/audit/counts": api(auditor=200),
    "GET /v1/audit/anomalies": api(auditor=200),
    "POST /v1/audit/exports": api(json={}, auditor=200),
    "GET /audit/sessions": room(auditor=200),
    "GET /audit": room(auditor=200),
    "POST /audit/searches": form("auditor"),
    "POST /audit/exports": form("auditor"),
    "GET /audit/entries/{index}": room(at=INDEX, auditor=200),
    "POST /audit/entries/{index}": form("auditor", **INDEX),
    "POST /audit/entries/{index}/replay": form("auditor", **INDEX),
    "POST /audit/entries/{index}/proof": form("auditor", **INDEX),
    "GET /audit/records/{record}/versions": room(at=RECORD, auditor=200),
    "GET /audit/counts": room(auditor=200),
    "GET /audit/anomalies": room(auditor=200),
    "GET /audit/log": room(auditor=200),
    "POST /audit/log": form("auditor"),
    "GET /audit/log/growth": room(params={"old": 1}, auditor=200),
}
ADMINISTRATION = {
    "GET /v1/catalogue/procedures": api(administrator=200),
    "GET /v1/catalogue/procedures/{code}": api(at={"code": people.RESIDENCE}, administrator=200),
    "GET /v1/catalogue/work-list": api(administrator=200),
    "GET /v1/catalogue/edits": api(administrator=200),
    "POST /v1/catalogue/edits": api(json={}, administrator=422),
    "POST /v1/catalogue/edits/{edit}/end": api(at={"edit": "none"}, json={}, administrator=422),
    "GET /v1/catalogue/types": api(administrator=200),
    "GET /v1/agencies/{agency}/certificates": api(at={"agency": people.COMMUNE.code}, administrator=200),
    "POST /v1/agencies/{agency}/certificates": api(
        at={"agency": people.COMMUNE.code}, json={}, administrator=422
    ),
    "POST /v1/agencies/{agency}/certificates/{sha256}/end": api(
        at={"agency": people.COMMUNE.code, "sha256": "none"}, json={}, administrator=422
    ),
    "GET /v1/officers/sessions": api(administrator=200),
    "POST /v1/officers/sessions/{session}/end": api(
        at={"session": "none"}, json={"reason": "Máy bị mất"}, administrator=404
    ),
    "GET /admin/sessions": room(administrator=200),
    "GET /admin/staff": room(administrator=200),
    "POST /admin/staff/{session}/end": form("administrator", session="none"),
    "GET /admin": room(administrator=200),
    "GET /admin/work": room(administrator=200),
    "GET /admin/procedures/{code}": room(at={"code": people.RESIDENCE}, administrator=200),
    "POST /admin/procedures/{code}/edits": form("administrator", code=people.RESIDENCE),
    "POST /admin/edits/{edit_id}/end": form("administrator", edit_id="none"),
    "GET /admin/certificates": room(administrator=200),
    "POST /admin/certificates": form("administrator"),
    "POST /admin/certificates/{agency}/{sha256}/end": form("administrator", agency="none", sha256="none"),
    "GET /admin/quarantine": room(administrator=200),
    "POST /admin/quarantine/{item}/end": form("administrator", item="none"),
    "GET /admin/webhooks": room(administrator=200),
    "POST /admin/webhooks/{webhook}/replay": form("administrator", webhook="none"),
    "POST /admin/webhooks/{webhook}/resume": form("administrator", webhook="none"),
}
STAFF = {"desk": 200, "auditor": 200, "administrator": 200}
_NO_SESSION = {"session": "none"}
EVERY_OFFICERS = {
    "GET /v1/staff/sessions": api(**STAFF),
    "POST /v1/staff/sessions/{session}/end": api(at=_NO_SESSION, **dict.fromkeys(STAFF, 404)),
    "POST /desk/sessions/{session}/end": room(at=_NO_SESSION, desk=403),
    "POST /audit/sessions/{session}/end": room(at=_NO_SESSION, auditor=403),
    "POST /admin/sessions/{session}/end": room(at=_NO_SESSION, administrator=403),
}
TABLE = EVERY_OFFICERS | EVERYBODYS | SYSTEMS | WALLET | DESK | AUDIT | ADMINISTRATION


@pytest.fixture(scope="module")
def knocks(kho: Any, residence: Any, certificate: Any) -> Iterator[Knocks]:
    """Every kind of caller with its credentials, and one of everything that an address can name."""
    with ExitStack() as stack:
        clients: dict[tuple[str, str], httpx.Client] = {
            ("nobody", ""): kho.client(),
            ("owner", ""): kho.wallet(people.DAUGHTER),
            ("another", ""): kho.wallet(people.STRANGER),
            ("desk", ""): kho.staff(people.POLICE, "desk"),
            ("auditor", ""): kho.staff(people.COMMUNE, "auditor"),
            ("administrator", ""): kho.staff(people.COMMUNE, "administrator"),
        }
        for office in (people.POLICE, BANK):
            clients["system", office.code] = kho.system(office)
            clients["officerless", office.code] = kho.system(office, officer=False)
        for client in clients.values():
            stack.enter_context(client)
        things = {"residence": residence, "record": certificate.record, "index": certificate.index}
        yield Knocks(clients, things | _dossiers(kho, clients, things) | _consent(kho, clients))


def _dossiers(kho: Any, clients: dict[tuple[str, str], httpx.Client], things: Any) -> dict[str, Any]:
    code, police = kho.new_code(people.POLICE), clients["system", people.POLICE.code]
    assert police.put(f"/v1/dossiers/{code}", json=things["residence"]).status_code == 200
    wanted = {"components": [{"component": people.KINSHIP, "record": things["record"]}]}
    key = {"Idempotency-Key": code}
    (item,) = police.post(f"/v1/dossiers/{code}/releases", json=wanted, headers=key).json()["items"]
    fresh = {name: kho.new_code(people.POLICE) for name in ("new_dossier", "no_dossier")}
    return fresh | {"dossier": code, "release": item["release"], "receipt": item["receipt"]}


def _consent(kho: Any, clients: dict[tuple[str, str], httpx.Client]) -> dict[str, Any]:
    soon = (legal_day(Clock().now()) + timedelta(days=20)).isoformat()
    key = {"Idempotency-Key": kho.new_code(BANK)}
    asked = ASKED | {"valid_until": soon}
    reply = clients["system", BANK.code].post("/v1/consent-requests", json=asked, headers=key)
    assert reply.status_code == 201, reply.text
    waiting = clients["owner", ""].get("/v1/me/consent-requests").json()["consents"][0]
    return {"consent": waiting["id"], "bundle": waiting["bundle"], "soon": soon}


def doors() -> set[str]:
    """Give every route of the app: those of its routers, and nothing was added beside them."""
    app = create_app(cast(Vault, None), Settings())  # nothing is served
    routers = [getattr(one, "original_router", None) for one in app.routes]
    assert routers == [*(module.router for module in API), *PAGES], "a door stands beside the routers"
    routes = [route for router in (*(module.router for module in API), *PAGES) for route in router.routes]
    assert all(isinstance(route, APIRoute) for route in routes), "a door of another kind"
    return {f"{method} {one.path}" for one in routes if isinstance(one, APIRoute) for method in one.methods}


def test_every_route_of_the_app_has_a_row_and_every_row_a_route() -> None:
    assert doors() - set(TABLE) == set(), "a new door: say in TABLE who may knock"
    assert set(TABLE) - doors() == set(), "the door is gone: take its row out"


@pytest.mark.parametrize("door", TABLE)
def test_a_door_lets_in_whom_its_row_says_and_nobody_else(knocks: Knocks, kho: Any, door: str) -> None:
    row = TABLE[door]
    if (status := _way_in(kho.settings).get(door)) is not None:
        row = replace(row, told=dict.fromkeys(row.told, status))
    assert knocks.all(door, row) == row.told


def _way_in(settings: Settings) -> dict[str, int]:
    """Give how the doors of signing in answer everybody where it is not the demo: by a provider, or shut."""
    if settings.citizens_provider:
        return {
            "POST /sign-in": 200,  # the door is shown, no code is looked at
            "POST /sign-in/provider": 200,
            "GET /sign-in/callback/{realm}": 403,
            "POST /sign-in/back-channel/{realm}": 400,
        }
    return {} if settings.demo_sign_in else {"GET /sign-in": 404, "POST /sign-in": 404}


# The doors whose address names what is another agency's.
ELSEWHERE = [door for door, row in (SYSTEMS | DESK).items() if set(row.at.values()) & set(THEIRS)]


@pytest.fixture(scope="module")
def elsewhere(kho: Any, other_commune: httpx.Client) -> Iterator[dict[str, httpx.Client]]:
    """A system and an officer at the desk of an agency that has to do with nothing here."""
    with kho.staff(OTHER_COMMUNE, "desk") as desk:
        yield {"/v1": other_commune, "/desk": desk}


@pytest.mark.parametrize("door", ELSEWHERE)
def test_another_agency_learns_nothing_by_a_name_it_heard(
    knocks: Knocks, elsewhere: dict[str, httpx.Client], door: str
) -> None:
    room, row = "/desk" if " /desk" in door else "/v1", TABLE[door]
    theirs = Knocks({("system", row.office.code): elsewhere[room]}, knocks.things)
    unknown = Knocks(theirs.clients, knocks.things | dict.fromkeys(THEIRS, "none"))
    if door.startswith("POST /desk"):  # with the token of their own session
        form = {"form_token": token(elsewhere[room]), "component": people.KINSHIP}
        row = replace(row, send={"data": form})
    told = {each.knock("system", door, row) for each in (theirs, unknown)}
    assert told in ({404}, {415}), "that it is there is not even told"
