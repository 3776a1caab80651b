"""What results, releases and revocations do not take: the field, its code, words in both languages."""

import json
import os
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from reuse_api.demo import people
from reuse_api.demo.people import COMMUNE, KINSHIP, POLICE

FIELDS = people.certificate("9/2026", "2026-01-05", birth_place="Hà Nội")
RESULT: dict[str, Any] = {"type": "GKS", "owner_roles": ["applicant"], "fields": FIELDS}
GROUND = {"ground": "Luật Hộ tịch 2014, Điều 70", "reason": "Ghi sai nơi sinh"}


@dataclass(frozen=True)
class Doors:
    """The three doors, open for one who may use them."""

    commune: httpx.Client
    police: httpx.Client
    results: str
    releases: str
    revocation: str

    def send(self, door: str, body: Any, language: str) -> httpx.Response:
        system = self.police if door == "releases" else self.commune
        headers = {
            "Idempotency-Key": os.urandom(8).hex(),
            "Accept-Language": language,
            "Content-Type": "application/json",
        }
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        return system.post(getattr(self, door), content=text, headers=headers)


@pytest.fixture(scope="module")
def doors(
    kho: Any,
    commune: httpx.Client,
    police: httpx.Client,
    residence: dict[str, Any],
    reregistration: dict[str, Any],
    certificate: Any,
) -> Doors:
    ours, theirs = kho.new_code(COMMUNE), kho.new_code(POLICE)
    assert commune.put(f"/v1/dossiers/{ours}", json=reregistration).status_code == 200
    assert police.put(f"/v1/dossiers/{theirs}", json=residence).status_code == 200
    return Doors(
        commune,
        police,
        f"/v1/dossiers/{ours}/results",
        f"/v1/dossiers/{theirs}/releases",
        f"/v1/records/{certificate.record}/revocation",
    )


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


BAD = [
    ("results", without(RESULT, "type"), "type", "field_missing"),
    ("results", without(RESULT, "fields"), "fields", "fields_or_file"),
    ("results", RESULT | {"type": ""}, "type", "too_short"),
    ("results", RESULT | {"owner_roles": ["applicant"] * 11}, "owner_roles", "too_many"),
    ("results", RESULT | {"owner_roles": ["uncle"]}, "owners", "role_not_in_dossier"),
    ("results", RESULT | {"title": "x" * 501}, "title", "too_long"),
    ("results", RESULT | {"title": "a\nb"}, "title", "value_malformed"),
    ("results", RESULT | {"issued_on": "05/01/2026"}, "issued_on", "date_malformed"),
    ("results", RESULT | {"issued_on": "2099-01-05"}, "issued_on", "date_in_future"),
    ("results", RESULT | {"valid_until": "2001-01-05"}, "valid_until", "ends_before_it_begins"),
    ("results", RESULT | {"replaces": ["rec-none"]}, "replaces", "record_not_found"),
    ("results", RESULT | {"fields": without(FIELDS, "sex")}, "fields.sex", "composing_failed"),
    ("results", RESULT | {"fields": FIELDS | {"shoe_size": "42"}}, "fields.shoe_size", "composing_failed"),
    (
        "results",
        RESULT | {"fields": FIELDS | {"mother_personal_number": "1"}},
        "fields.mother_personal_number",
        "personal_number_malformed",
    ),
    (
        "results",
        RESULT | {"fields": FIELDS | {"personal_number": people.STRANGER.number}},
        "fields.personal_number",
        "number_of_another_person",
    ),
    ("results", RESULT | {"officer": "somebody"}, "officer", "field_unknown"),
    ("results", b"{", "body", "body_not_json"),
    ("releases", {}, "components", "field_missing"),
    ("releases", {"components": []}, "components", "components_number"),
    ("releases", {"components": [{"component": KINSHIP}] * 51}, "components", "components_number"),
    ("releases", {"components": [{}]}, "components.0.component", "field_missing"),
    ("releases", {"components": [{"component": 7}]}, "components.0.component", "wrong_type"),
    ("releases", {"components": "all"}, "components", "wrong_type"),
    (
        "releases",
        {"components": [{"component": KINSHIP, "owner": "x"}]},
        "components.0.owner",
        "field_unknown",
    ),
    ("releases", b"[1", "body", "body_not_json"),
    ("revocation", without(GROUND, "ground"), "ground", "field_missing"),
    ("revocation", GROUND | {"ground": ""}, "ground", "too_short"),
    ("revocation", GROUND | {"ground": "   "}, "ground", "text_length"),
    ("revocation", GROUND | {"reason": "x" * 1001}, "reason", "too_long"),
    ("revocation", GROUND | {"ground": ["Điều 70"]}, "ground", "wrong_type"),
    ("revocation", GROUND | {"agency": "G01"}, "agency", "field_unknown"),
    ("revocation", b"no json", "body", "body_not_json"),
]


@pytest.mark.parametrize(("door", "body", "field", "code"), BAD)
def test_the_field_at_fault_is_named_in_both_languages(
    kho: Any, doors: Doors, door: str, body: Any, field: str, code: str
) -> None:
    size, words = kho.vault.signer.tree.size, set()
    for language in ("vi", "en"):
        reply = doors.send(door, body, language)
        told = reply.json()
        assert (reply.status_code, told.get("field"), told["code"]) == (422, field, code), told
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.headers["content-language"] == language
        assert told["type"] == f"/problems/{code}"
        assert told["detail"] == told["fields"][0]["words"]
        words.add(told["detail"])
    assert len(words) == 2, "each language has its own"
    assert kho.vault.signer.tree.size == size, "nothing is entered"


@pytest.mark.parametrize("door", ["results", "releases", "revocation"])
def test_a_write_without_a_key_is_told_in_both_languages(kho: Any, doors: Doors, door: str) -> None:
    system = doors.police if door == "releases" else doors.commune
    size, words = kho.vault.signer.tree.size, set()
    for language in ("vi", "en"):
        reply = system.post(getattr(doors, door), json={}, headers={"Accept-Language": language})
        assert reply.json()["field"] in ("Idempotency-Key", "ground", "components", "type"), reply.text
        words.add(reply.json()["detail"])
    assert len(words) == 2
    assert kho.vault.signer.tree.size == size
