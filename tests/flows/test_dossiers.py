"""A dossier is opened on evidence, asked about, and closed; bad input names its field and stores nothing."""

from typing import Any

import httpx
import pytest

from reuse_api.demo.people import CASE, COMMUNE, DAUGHTER, KINSHIP, POLICE, RESIDENCE, STRANGER
from signing.receipt import verify_receipt


def put(system: httpx.Client, code: str, body: Any, language: str = "en") -> httpx.Response:
    return system.put(f"/v1/dossiers/{code}", json=body, headers={"Accept-Language": language})


def component(plan: dict[str, Any], code: str) -> dict[str, Any]:
    return next(one for one in plan["components"] if one["component"] == code)


def codes(reply: httpx.Response) -> list[str]:
    return [one["code"] for one in reply.json()["reasons"]]


def test_opening_answers_the_plan_and_the_same_body_the_same_answer(
    kho: Any, police: httpx.Client, daughter: httpx.Client, residence: dict[str, Any], certificate: Any
) -> None:
    code = kho.new_code(POLICE)
    first = put(police, code, residence)
    assert first.status_code == 200
    kinship = component(first.json(), KINSHIP)
    assert kinship["state"] == "satisfied"
    # Of equal certificates, issued to her by other tests on this same day, one is named, whichever it is.
    (named,) = [one["record"] for one in kinship["records"]]
    hers = daughter.get("/v1/me/records").json()["records"]
    assert named in [one["id"] for one in hers if one["validity"] == "in_force"]
    assert certificate.record in [one["id"] for one in hers]
    assert kinship["data_source"]["name"] == "National population database"
    assert component(first.json(), "CT01")["reasons"][0]["code"] == "form_not_reusable"
    size = kho.vault.signer.tree.size
    assert put(police, code, residence).json() == first.json()
    assert kho.vault.signer.tree.size == size + 2, "given once more, entered once more for each person"
    seen = daughter.get("/v1/me/accesses").json()["accesses"][0]
    assert (seen["event"], seen["dossier"], seen["result"]) == ("plan_given_again", code, "permitted")


def test_the_plan_speaks_vietnamese(kho: Any, police: httpx.Client, residence: dict[str, Any]) -> None:
    reply = put(police, kho.new_code(POLICE), residence, "vi")
    assert reply.headers["content-language"] == "vi"
    assert component(reply.json(), KINSHIP)["data_source"]["name"] == "Cơ sở dữ liệu quốc gia về dân cư"


def test_another_body_under_the_same_code_is_a_conflict(
    kho: Any, police: httpx.Client, daughter: httpx.Client, residence: dict[str, Any]
) -> None:
    code = kho.new_code(POLICE)
    assert put(police, code, residence).status_code == 200
    size = kho.vault.signer.tree.size
    other = put(police, code, residence | {"channel": "portal"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert kho.vault.signer.tree.size == size + 2, "a refusal is an entry for each person"
    seen = daughter.get("/v1/me/accesses").json()["accesses"][0]
    assert (seen["event"], seen["result"]) == ("open_dossier_refused", "refused")
    assert [one["code"] for one in seen["reasons"]] == ["dossier_code_taken"]


def test_a_closed_dossier_gives_its_plan_to_nobody_again(
    kho: Any, police: httpx.Client, residence: dict[str, Any], write_key: dict[str, str]
) -> None:
    code = kho.new_code(POLICE)
    put(police, code, residence)
    police.patch(f"/v1/dossiers/{code}", json={"state": "closed"}, headers=write_key)
    size = kho.vault.signer.tree.size
    again = put(police, code, residence)
    assert (again.status_code, codes(again)) == (410, ["dossier_closed"])
    assert kho.vault.signer.tree.size == size + 2


def test_a_dossier_is_one_however_its_code_is_written(
    kho: Any, police: httpx.Client, residence: dict[str, Any], certificate: Any
) -> None:
    code = kho.new_code(POLICE)
    day = code.removeprefix(POLICE.code)
    written = f"000.05.26.g01{day}"
    opened = put(police, written, residence)
    assert (opened.status_code, opened.json()["dossier"]) == (200, code)
    assert put(police, code, residence).json() == opened.json()
    for spelling in (written, code, code.lower(), f" {code}"):
        asked = police.get(f"/v1/dossiers/{spelling}/plan")
        assert (asked.status_code, asked.json()["dossier"]) == (200, code)
    body = {"components": [{"component": KINSHIP, "record": certificate.record}]}
    for spelling in (written, code):
        taken = police.post(
            f"/v1/dossiers/{spelling}/releases", json=body, headers={"Idempotency-Key": f"spell-{code}"}
        )
        assert taken.status_code == 200, taken.text
        assert (taken.json()["dossier"], taken.json()["items"][0]["state"]) == (code, "released")
    closed = police.patch(
        f"/v1/dossiers/{written}", json={"state": "closed"}, headers={"Idempotency-Key": f"end-{code}"}
    )
    assert (closed.status_code, closed.json()["dossier"]) == (200, code)
    assert police.get(f"/v1/dossiers/{code}/plan").status_code == 410


def test_a_case_suffix_of_a_procedure_code_is_no_other_procedure(
    kho: Any, police: httpx.Client, residence: dict[str, Any]
) -> None:
    code = kho.new_code(POLICE)
    opened = put(police, code, residence | {"procedure": f"{RESIDENCE}.01"})
    assert (opened.status_code, opened.json()["procedure"]) == (200, RESIDENCE), opened.text
    assert put(police, code, residence).json() == opened.json()


def test_the_entry_names_the_evidence(kho: Any, police: httpx.Client, residence: dict[str, Any]) -> None:
    digest = "ab" * 32
    code = kho.new_code(POLICE)
    evidence = {"kind": "signed_form", "reference": digest.upper()}
    reply = put(police, code, residence | {"evidence": evidence})
    assert reply.status_code == 200
    line = police.get("/log/key").text.strip()
    receipt = police.get(f"/v1/receipts/{reply.json()['receipts'][0]}").text
    parts = verify_receipt(receipt, line).parts
    assert parts["event"]["type"] == "dossier_opened"
    assert parts["basis"]["evidence"] == {"kind": "signed_form", "reference": digest}


def test_each_asking_is_an_entry_for_each_person(
    kho: Any, police: httpx.Client, residence: dict[str, Any]
) -> None:
    code = kho.new_code(POLICE)
    put(police, code, residence)
    size = kho.vault.signer.tree.size
    reply = police.get(f"/v1/dossiers/{code}/plan")
    assert reply.status_code == 200
    assert len(reply.json()["receipts"]) == 2
    assert kho.vault.signer.tree.size == size + 2


@pytest.mark.parametrize("code", ["X", "G01.26.05-261124-999999", "G01.26.05-259999-0001"])
def test_a_dossier_that_is_not_there_and_anothers_are_told_alike(
    kho: Any,
    police: httpx.Client,
    other_commune: httpx.Client,
    residence: dict[str, Any],
    code: str,
    write_key: dict[str, str],
) -> None:
    theirs = kho.new_code(POLICE)
    put(police, theirs, residence)
    body = {"components": [{"component": KINSHIP}]}
    for place in (code, theirs):
        asked = other_commune.get(f"/v1/dossiers/{place}/plan")
        closed = other_commune.patch(f"/v1/dossiers/{place}", json={"state": "closed"}, headers=write_key)
        taken = other_commune.post(f"/v1/dossiers/{place}/releases", json=body, headers=write_key)
        for reply in (asked, closed, taken):
            assert reply.status_code == 404
            assert reply.json() == asked.json()
    assert police.get(f"/v1/dossiers/{theirs}/plan").status_code == 200


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"evidence": None}, "evidence_not_recorded"),
        ({"procedure": "1.004884", "case": None}, "procedure_not_registered"),
    ],
)
def test_a_dossier_without_ground_is_refused_with_a_receipt(
    kho: Any, police: httpx.Client, residence: dict[str, Any], change: dict[str, Any], reason: str
) -> None:
    body = {key: value for key, value in (residence | change).items() if value is not None}
    code = kho.new_code(POLICE)
    reply = put(police, code, body)
    assert reply.status_code == 403
    assert reason in codes(reply)
    assert all(one["words"] for one in reply.json()["reasons"])
    receipt = police.get(f"/v1/receipts/{reply.json()['receipts'][0]}")
    assert receipt.status_code == 200
    assert police.get(f"/v1/dossiers/{code}/plan").status_code == 404


def test_another_agencys_code_is_outside_the_territory(
    kho: Any, police: httpx.Client, residence: dict[str, Any]
) -> None:
    reply = put(police, kho.new_code(COMMUNE), residence)
    assert reply.status_code == 403
    assert "outside_territory" in codes(reply)


def test_a_body_that_names_another_agency_changes_nothing(
    kho: Any, police: httpx.Client, residence: dict[str, Any]
) -> None:
    code, size = kho.new_code(POLICE), kho.vault.signer.tree.size
    reply = put(police, code, residence | {"agency": COMMUNE.code})
    assert (reply.status_code, reply.json()["field"]) == (422, "agency")
    assert kho.vault.signer.tree.size == size
    assert police.get(f"/v1/dossiers/{code}/plan").status_code == 404


def person(scheme: str, value: str) -> dict[str, Any]:
    return {
        "persons": [
            {"role": "applicant", "identifier": {"scheme": scheme, "value": value}, "name": "Công ty An"}
        ]
    }


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"procedure": "9.999999"}, "procedure", "procedure_unknown"),
        ({"procedure": "nonsense"}, "procedure", "procedure_code_malformed"),
        ({"case": "điều-99"}, "case", "case_unknown"),
        ({"case": None}, "case", "case_missing"),
        ({"additional_cases": ["điều-99"]}, "additional_cases", "case_unknown"),
        ({"conditions": ["full_moon"]}, "conditions", "condition_unknown"),
        (person("tax_code", "0100109107"), "persons.0.identifier", "tax_code_check_digit"),
        (person("personal_number", "001307"), "persons.0.identifier", "personal_number_malformed"),
        (person("personal_number", "999907012347"), "persons.0.identifier", "personal_number_implausible"),
        (person("shoe_size", "42"), "persons.0.identifier", "identifier_scheme_unknown"),
        ({"persons": []}, "persons", "persons_missing"),
        ({"persons": [DAUGHTER.named("applicant")] * 2}, "persons", "role_twice"),
        ({"evidence": {"kind": "hunch"}}, "evidence.kind", "evidence_unknown"),
        ({"evidence": {"kind": "signed_form"}}, "evidence.reference", "evidence_reference_missing"),
        ({"evidence": {"kind": "portal_submission"}}, "evidence.reference", "evidence_reference_missing"),
        (
            {"evidence": {"kind": "portal_submission", "reference": " "}},
            "evidence.reference",
            "evidence_reference_missing",
        ),
        (
            {"evidence": {"kind": "signed_form", "reference": "tờ khai"}},
            "evidence.reference",
            "evidence_not_a_digest",
        ),
        ({"channel": "pigeon"}, "channel", "value_unknown"),
    ],
)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_field_that_cannot_be_is_named_in_both_languages(
    kho: Any,
    police: httpx.Client,
    residence: dict[str, Any],
    change: dict[str, Any],
    field: str,
    code: str,
    language: str,
) -> None:
    body = {key: value for key, value in (residence | change).items() if value is not None}
    place, size = kho.new_code(POLICE), kho.vault.signer.tree.size
    reply = put(police, place, body, language)
    told = reply.json()
    assert (reply.status_code, told["field"], told["code"]) == (422, field, code)
    assert reply.headers["content-type"] == "application/problem+json"
    assert told["type"] == f"/problems/{code}"
    assert told["fields"][0]["words"]
    explained = police.get(told["type"], headers={"Accept-Language": language})
    assert explained.json()["words"] == told["detail"]
    assert kho.vault.signer.tree.size == size, "nothing was stored"


def test_a_code_that_is_none_is_named(police: httpx.Client, residence: dict[str, Any]) -> None:
    reply = put(police, "G01.26.05-269999-0001", residence)
    assert (reply.status_code, reply.json()["field"]) == (422, "code")


@pytest.mark.parametrize("body", ["", "{", "[]", '"text"', "null", '{"a": ' * 5000])
def test_a_body_that_is_no_object_is_named(kho: Any, police: httpx.Client, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    reply = police.put(f"/v1/dossiers/{kho.new_code(POLICE)}", content=body, headers=headers)
    assert reply.status_code in (400, 422)
    assert reply.json()["code"] in ("body_missing", "body_not_json", "body_unreadable")


def test_a_huge_body_is_refused(kho: Any, police: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    reply = police.put(f"/v1/dossiers/{kho.new_code(POLICE)}", content=b" " * 300_000, headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")


def test_closing_needs_a_key_and_ends_the_dossier(
    kho: Any, police: httpx.Client, residence: dict[str, Any], write_key: dict[str, str]
) -> None:
    code = kho.new_code(POLICE)
    put(police, code, residence)
    unkeyed = police.patch(f"/v1/dossiers/{code}", json={"state": "closed"})
    assert (unkeyed.status_code, unkeyed.json()["code"]) == (400, "idempotency_key_missing")
    too_long = {"Idempotency-Key": "x" * 201}
    malformed = police.patch(f"/v1/dossiers/{code}", json={"state": "closed"}, headers=too_long)
    assert (malformed.status_code, malformed.json()["field"]) == (422, "Idempotency-Key")
    closed = police.patch(f"/v1/dossiers/{code}", json={"state": "closed"}, headers=write_key)
    assert (closed.status_code, closed.json()["state"]) == (200, "closed")
    again = police.patch(f"/v1/dossiers/{code}", json={"state": "closed"}, headers=write_key)
    assert again.json() == closed.json()
    asked = police.get(f"/v1/dossiers/{code}/plan")
    assert (asked.status_code, codes(asked)[0]) == (410, "dossier_closed")
    reopened = police.patch(f"/v1/dossiers/{code}", json={"state": "open"}, headers=write_key)
    assert reopened.status_code == 422


def test_a_person_whose_store_was_unknown_gets_one(kho: Any, police: httpx.Client) -> None:
    body = {
        "procedure": RESIDENCE,
        "case": CASE,
        "channel": "portal",
        "evidence": {"kind": "portal_submission", "reference": "DVC-1"},
        "persons": [STRANGER.named("applicant"), DAUGHTER.named("householder")],
    }
    code = kho.new_code(POLICE)
    reply = put(police, code, body)
    assert reply.status_code == 200
    with kho.wallet(STRANGER) as wallet:
        accesses = wallet.get("/v1/me/accesses").json()["accesses"]
    assert {"dossier_opened", "plan_asked"} <= {
        one["event"] for one in accesses if one.get("dossier") == code
    }
