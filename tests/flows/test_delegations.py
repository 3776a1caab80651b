"""A mother acts for her child over HTTP: on the certificate in the child's store, seen by the child."""

import os
from typing import Any

import httpx
import pytest

from reuse_api.demo import people
from vault.clock import Clock
from vault.days import legal_day


def key() -> dict[str, str]:
    return {"Idempotency-Key": os.urandom(8).hex()}


def claim(wallet: httpx.Client, number: str = people.CHILD.number, kind: str = "parent") -> httpx.Response:
    scheme = "tax_code" if kind == "legal_representative" else "personal_number"
    body = {"kind": kind, "identifier": {"scheme": scheme, "value": number}}
    return wallet.post("/v1/me/delegations", json=body, headers=key())


def act_for(wallet: httpx.Client, delegation: str | None) -> httpx.Response:
    return wallet.post("/v1/me/acting", json={"delegation": delegation}, headers=key())


@pytest.fixture(scope="module")
def certificate_of_child(kho: Any, commune: httpx.Client, reregistration: dict[str, Any]) -> str:
    code = kho.new_code(people.COMMUNE)
    body = reregistration | {"persons": [people.CHILD.named("applicant")]}
    assert commune.put(f"/v1/dossiers/{code}", json=body).status_code == 200
    fields = people.childs_certificate(f"{next(kho.serials)}/2026", legal_day(Clock().now()).isoformat())
    result = {"type": "GKS", "owner_roles": ["applicant"], "fields": fields}
    reply = commune.post(f"/v1/dossiers/{code}/results", json=result, headers={"Idempotency-Key": code})
    assert reply.status_code == 201, reply.text
    return str(reply.json()["record"])


@pytest.fixture
def delegation(mother: httpx.Client, certificate_of_child: str) -> Any:
    reply = claim(mother)
    assert reply.status_code == 201, reply.text
    yield reply.json()["delegation"]
    act_for(mother, None)


def test_a_mother_acts_for_her_child(
    kho: Any, mother: httpx.Client, delegation: str, certificate_of_child: str
) -> None:
    told = act_for(mother, delegation).json()
    assert (told["name"], told["acted_for_by"]) == (people.CHILD.name, people.MOTHER.name)
    assert certificate_of_child in [one["id"] for one in mother.get("/v1/me/records").json()["records"]]
    content = mother.get(f"/v1/me/records/{certificate_of_child}/content")
    assert content.content.startswith(b"%PDF")
    (listed,) = [one for one in mother.get("/v1/me/delegations").json()["delegations"] if one["acting"]]
    assert (listed["id"], listed["side"], listed["state"]) == (delegation, "representative", "in_force")
    with kho.wallet(people.CHILD) as child:
        newest = child.get("/v1/me/accesses", params={"limit": 1}).json()["accesses"][0]
        assert (newest["basis"], newest["acted_by"]) == ("delegation", people.MOTHER.name)
        assert child.get(f"/v1/me/accesses/{newest['index']}/proof").status_code == 200
    assert act_for(mother, None).json()["name"] == people.MOTHER.name
    assert mother.get(f"/v1/me/records/{certificate_of_child}/content").status_code == 404


def test_who_has_no_evidence_learns_nothing(stranger: httpx.Client, certificate_of_child: str) -> None:
    known, unknown = claim(stranger), claim(stranger, "001216045672")
    assert known.status_code == unknown.status_code == 403
    strip = [
        {name: value for name, value in one.json().items() if name != "receipts"} for one in (known, unknown)
    ]
    assert strip[0] == strip[1]
    assert [reason["code"] for reason in known.json()["reasons"]] == ["delegation_not_evidenced"]


def test_an_ended_delegation_ends_the_acting_too(
    kho: Any, mother: httpx.Client, stranger: httpx.Client, delegation: str, certificate_of_child: str
) -> None:
    act_for(mother, delegation)
    assert stranger.post(f"/v1/me/delegations/{delegation}/end", headers=key()).status_code == 404
    with kho.wallet(people.CHILD) as child:
        assert child.post(f"/v1/me/delegations/{delegation}/end", headers=key()).json()["state"] == "ended"
    refused = mother.get("/v1/me/records")
    assert (refused.status_code, refused.json()["code"]) == (401, "acting_ended")
    assert mother.get(f"/v1/me/records/{certificate_of_child}/content").status_code == 401
    listed = mother.get("/v1/me/delegations").json()["delegations"]
    assert [one["state"] for one in listed if one["id"] == delegation] == ["ended"]
    again = act_for(mother, delegation)
    assert (again.status_code, again.json()["code"]) == (422, "delegation_ended")
    assert act_for(mother, None).status_code == 200
    assert mother.get("/v1/me/records").status_code == 200


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"kind": "aunt"}, "kind", "delegation_kind_unknown"),
        (
            {"identifier": {"scheme": "tax_code", "value": "0100109106"}},
            "identifier.scheme",
            "delegation_scheme_unfit",
        ),
        (
            {"identifier": {"scheme": "personal_number", "value": "12"}},
            "identifier.value",
            "personal_number_malformed",
        ),
    ],
)
def test_a_claim_that_cannot_be_one_names_its_field(
    mother: httpx.Client, body: dict[str, Any], field: str, code: str
) -> None:
    whole = {"kind": "parent", "identifier": {"scheme": "personal_number", "value": people.CHILD.number}}
    reply = mother.post("/v1/me/delegations", json=whole | body, headers=key())
    assert reply.status_code == 422
    assert (reply.json()["field"], reply.json()["code"]) == (field, code)
