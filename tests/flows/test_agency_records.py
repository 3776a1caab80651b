"""Agencies over HTTP: records outside a dossier, what was issued, the life of a record, who hears of it."""

import json
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from reuse_api.demo import papers, people
from vault.clock import Clock
from vault.days import legal_day

WHY = {"ground": "Luật Hộ tịch 2014, Điều 12", "reason": "Ghi sai nơi sinh"}
TODAY = legal_day(Clock().now()).isoformat()


def key() -> dict[str, str]:
    return {"Idempotency-Key": os.urandom(8).hex()}


def owner(role: str, named: Any) -> dict[str, Any]:
    return {"role": role} | {
        name: value for name, value in named.named(role).items() if name in ("identifier", "name")
    }


def certificate(number: str, **changes: Any) -> dict[str, Any]:
    owners = [owner("wife", people.MOTHER), owner("husband", people.FATHER)]
    return {"type": "GCNQSDD", "owners": owners, "fields": papers.land(number, TODAY)} | changes


@pytest.fixture(scope="module")
def land(kho: Any) -> Iterator[httpx.Client]:
    with kho.system(people.LAND_OFFICE) as system:
        yield system


@pytest.fixture(scope="module")
def business(kho: Any) -> Iterator[httpx.Client]:
    with kho.system(people.BUSINESS_OFFICE) as system:
        yield system


@pytest.fixture(scope="module")
def deed(land: httpx.Client) -> dict[str, Any]:
    reply = land.post("/v1/records", json=certificate("AA 00123456"), headers=key())
    assert reply.status_code == 201, reply.text
    told: dict[str, Any] = reply.json()
    return told


@pytest.fixture
def moving(kho: Any, police: httpx.Client, commune: httpx.Client, residence: Any, reregistration: Any) -> Any:
    """A residence dossier for which a fresh certificate was taken: dossier, record, release."""
    record = kho.issue(commune, reregistration).record
    code = kho.new_code(people.POLICE)
    assert police.put(f"/v1/dossiers/{code}", json=residence).status_code == 200
    wanted = {"components": [{"component": people.KINSHIP, "record": record}]}
    taken = police.post(f"/v1/dossiers/{code}/releases", json=wanted, headers=key()).json()["items"][0]
    return code, record, taken["release"]


def about(police: httpx.Client, code: str) -> list[dict[str, Any]]:
    """The notices of one dossier; other tests' dossiers are told of too."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = police.get("/v1/notices", params={"limit": 100, **cursor}).json()
        found += [one for one in page["notices"] if one["dossier"] == code]
        if "next" not in page:
            return found
        cursor = {"cursor": page["next"]}


# Outside a dossier ----------------------------------------------------------------------------------------


def test_wife_and_husband_each_find_the_one_certificate_and_read_it(kho: Any, deed: dict[str, Any]) -> None:
    assert deed["trust"] == "A"
    read = []
    for role, citizen in (("wife", people.MOTHER), ("husband", people.FATHER)):
        with kho.wallet(citizen) as wallet:
            held = {one["id"]: one for one in wallet.get("/v1/me/records").json()["records"]}
            assert held[deed["record"]]["document_code"] == deed["document_codes"][role]
            assert citizen.number in held[deed["record"]]["document_code"]
            content = wallet.get(f"/v1/me/records/{deed['record']}/content")
            assert content.status_code == 200
            read.append(content.content)
            events = {one["event"] for one in wallet.get("/v1/me/accesses").json()["accesses"]}
            assert {"issued", "delivered"} <= events
    assert read[0] == read[1]
    with kho.wallet(people.STRANGER) as stranger:
        assert stranger.get(f"/v1/me/records/{deed['record']}/content").status_code == 404


def test_an_enterprise_gets_its_certificate(business: httpx.Client) -> None:
    body = {
        "type": "GCNDKDN",
        "owners": [owner("enterprise", people.WORKSHOP)],
        "fields": papers.enterprise(TODAY),
    }
    reply = business.post("/v1/records", json=body, headers=key())
    assert reply.status_code == 201, reply.text
    code = reply.json()["document_codes"]["enterprise"]
    assert code.startswith(f"{people.WORKSHOP.tax_code}-GCNDKDN-")
    listed = business.get("/v1/records", params={"number": people.WORKSHOP.tax_code}).json()["records"]
    assert [one["record"] for one in listed] == [reply.json()["record"]]


def test_a_file_comes_as_a_form(land: httpx.Client, plain_pdf: bytes) -> None:
    said = certificate("BT 77") | {"number": "BT 77"}
    del said["fields"]
    parts = {"record": (None, json.dumps(said)), "file": ("so-do.pdf", plain_pdf, "application/pdf")}
    reply = land.post("/v1/records", files=parts, headers=key())
    assert (reply.status_code, reply.json()["trust"]) == (201, "E"), reply.text
    unsaid = land.post("/v1/records", files={"file": parts["file"]}, headers=key())
    assert (unsaid.status_code, unsaid.json()["field"]) == (422, "record")


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"owners": []}, "owners", "too_few"),
        ({"owners": [owner("tenant", people.MOTHER)]}, "owners.0.role", "role_not_of_type"),
        ({"owners": [owner("wife", people.MOTHER)] * 2}, "owners", "role_twice"),
        (
            {"owners": [owner("wife", people.MOTHER), owner("husband", people.MOTHER)]},
            "owners",
            "owner_twice",
        ),
        ({"fields": {"area": "1 m²"}}, "fields.holder_address", "composing_failed"),
        ({"fields": {"area": 1.5}}, "fields.area", "wrong_type"),
        ({"replaces": ["rec-none"]}, "replaces", "record_not_found"),
        ({"issued_on": "2099-01-01"}, "issued_on", "date_in_future"),
        ({"agency": "H26"}, "agency", "field_unknown"),
    ],
)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_cannot_be_is_named_and_nothing_is_stored(
    kho: Any, land: httpx.Client, change: dict[str, Any], field: str, code: str, language: str
) -> None:
    size = kho.vault.signer.tree.size
    reply = land.post(
        "/v1/records", json=certificate("AA 9", **change), headers=key() | {"Accept-Language": language}
    )
    told = reply.json()
    assert (reply.status_code, told["code"]) == (422, code), told
    assert told["field"].startswith(field.partition(".")[0])
    assert told["fields"][0]["words"]
    assert kho.vault.signer.tree.size == size


def test_another_agency_may_not_and_is_told_why(kho: Any, police: httpx.Client) -> None:
    reply = police.post("/v1/records", json=certificate("AA 10"), headers=key())
    assert reply.status_code == 403
    assert "type_not_registered" in [one["code"] for one in reply.json()["reasons"]]
    assert reply.json()["receipts"]
    assert police.post("/v1/records", json=certificate("AA 10")).json()["code"] == "idempotency_key_missing"


# What was issued ------------------------------------------------------------------------------------------


def test_an_agency_lists_what_it_issued_and_no_more(
    land: httpx.Client, police: httpx.Client, deed: dict[str, Any]
) -> None:
    page = land.get("/v1/records", params={"number": "AA 00123456", "state": "in_force"}).json()
    (one,) = page["records"]
    assert (one["record"], one["owners"], one["validity"]) == (deed["record"], 2, "in_force")
    assert people.MOTHER.number not in json.dumps(page)
    assert land.get(f"/v1/receipts/{page['receipt']}").status_code == 200, "a search is an entry"
    assert deed["record"] not in police.get("/v1/records").text
    for wrong in ({"state": "lost"}, {"cursor": "rec-none"}, {"limit": 0}, {"issued_from": "1/1/2026"}):
        assert land.get("/v1/records", params=wrong).status_code == 422


# The life of a record -------------------------------------------------------------------------------------


def test_a_suspended_record_is_not_read_until_reinstated_and_the_dossier_hears(
    commune: httpx.Client, police: httpx.Client, moving: Any
) -> None:
    code, record, release = moving
    place = f"/v1/releases/{release}/content"
    assert police.get(place).status_code == 200
    assert police.post(f"/v1/records/{record}/suspension", json=WHY, headers=key()).status_code == 404
    suspended = commune.post(f"/v1/records/{record}/suspension", json=WHY, headers=key())
    assert (suspended.status_code, suspended.json()["dossiers"]) == (200, 1)
    refused = police.get(place)
    assert (refused.status_code, refused.json()["code"]) == (403, "record_suspended")
    again = commune.post(f"/v1/records/{record}/suspension", json=WHY, headers=key())
    assert (again.status_code, again.json()["code"]) == (403, "record_already_suspended")
    back = commune.post(f"/v1/records/{record}/reinstatement", json=WHY, headers=key())
    assert (back.status_code, back.json()["validity"]) == (200, "in_force")
    assert police.get(place).status_code == 200
    heard = about(police, code)
    assert [(one["event"], one["record"]) for one in heard] == [
        ("suspended", record),
        ("reinstated", record),
    ]
    seen = police.post(f"/v1/notices/{heard[0]['id']}/seen", headers=key())
    assert seen.status_code == 200, seen.text
    assert commune.post(f"/v1/notices/{heard[0]['id']}/seen", headers=key()).status_code == 404
    assert [("seen_at" in one) for one in about(police, code)] == [True, False]
    assert police.get("/v1/notices", params={"cursor": "ntc-none"}).status_code == 422


def test_notices_of_one_dossier_are_its_own_and_nobody_elses(
    kho: Any, commune: httpx.Client, police: httpx.Client, land: httpx.Client, moving: Any, residence: Any
) -> None:
    code, record, _ = moving
    other = kho.new_code(people.POLICE)
    assert police.put(f"/v1/dossiers/{other}", json=residence).status_code == 200
    wanted = {"components": [{"component": people.KINSHIP, "record": record}]}
    taken = police.post(f"/v1/dossiers/{other}/releases", json=wanted, headers=key())
    assert taken.status_code == 200, taken.text
    ended = commune.post(f"/v1/records/{record}/suspension", json=WHY, headers=key())
    assert ended.json()["dossiers"] == 2
    for one in (code, other):
        for written in (one, f" {one.lower()} "):
            heard = police.get("/v1/notices", params={"dossier": written}).json()
            told = [(each["dossier"], each["event"], each["record"]) for each in heard["notices"]]
            assert (told, "next" in heard) == ([(one, "suspended", record)], False)
    page = police.get("/v1/notices", params={"dossier": code, "limit": 1}).json()
    following = {"dossier": code, "limit": 1, "cursor": page["next"]}
    assert police.get("/v1/notices", params=following).json() == {"notices": []}
    for unknown in (kho.new_code(people.POLICE), "no code at all"):
        assert police.get("/v1/notices", params={"dossier": unknown}).json() == {"notices": []}
    for stranger in (
        commune,
        land,
    ):  # not even who suspended it hears of the dossier
        assert stranger.get("/v1/notices", params={"dossier": code}).json() == {"notices": []}
    assert police.get("/v1/notices", params={"dossier": "G" * 201}).status_code == 422


def test_a_noted_change_replaces_the_certificate_and_the_open_dossier_hears(
    kho: Any, commune: httpx.Client, police: httpx.Client, moving: Any, reregistration: dict[str, Any]
) -> None:
    code, record, release = moving
    change = kho.new_code(people.COMMUNE)
    body = reregistration | {"procedure": people.CIVIL_STATUS_CHANGE}
    assert commune.put(f"/v1/dossiers/{change}", json=body).status_code == 200
    results = [
        {"type": "TLTDCC", "fields": papers.correction("12/TLCC-UBND", TODAY, of="118/2026")},
        {"type": "GKS", "fields": papers.noted("118/2026", TODAY, extract="12"), "replaces": [record]},
    ]
    for result in results:
        said = {"owner_roles": ["applicant"]} | result
        reply = commune.post(f"/v1/dossiers/{change}/results", json=said, headers=key())
        assert reply.status_code == 201, reply.text
    newer = reply.json()["record"]
    (heard,) = about(police, code)
    assert (heard["event"], heard["record"]) == ("replaced", record)
    gone = police.get(f"/v1/releases/{release}/content")
    assert (gone.status_code, gone.json()["code"]) == (403, "record_replaced")
    plan = police.get(f"/v1/dossiers/{code}/plan").json()
    kinship = next(one for one in plan["components"] if one["component"] == people.KINSHIP)
    assert kinship["state"] == "satisfied"
    with kho.wallet(people.DAUGHTER) as wallet:
        held = {one["id"]: one for one in wallet.get("/v1/me/records").json()["records"]}
    assert held[record]["replaced_by"] == newer


def test_a_stored_record_takes_anothers_place(
    kho: Any, commune: httpx.Client, police: httpx.Client, moving: Any, reregistration: Any
) -> None:
    code, record, _ = moving
    newer = kho.issue(commune, reregistration).record
    place = f"/v1/records/{record}/replacement"
    missing = commune.post(place, json=WHY, headers=key())
    assert (missing.status_code, missing.json()["field"]) == (422, "by")
    unknown = commune.post(place, json=WHY | {"by": "rec-none"}, headers=key())
    assert (unknown.status_code, unknown.json()["code"]) == (422, "replacement_unknown")
    done = commune.post(place, json=WHY | {"by": newer}, headers=key())
    assert (done.status_code, done.json()["replaced_by"]) == (200, newer)
    assert [one["event"] for one in about(police, code)] == ["replaced"]
