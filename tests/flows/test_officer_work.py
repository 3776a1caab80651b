"""The officer over HTTP: a candidate confirmed, a paper digitised in spite of an answer, with reasons."""

import json
import os
from hashlib import sha256
from io import BytesIO
from typing import Any

import httpx
import pikepdf
import pytest

from reuse_api.demo import people
from reuse_api.demo.people import Citizen
from tests.scans import making
from vault.clock import Clock
from vault.days import legal_day

KINSHIP = people.KINSHIP
TODAY = legal_day(Clock().now()).isoformat()


def key() -> dict[str, str]:
    return {"Idempotency-Key": os.urandom(8).hex()}


def opened(kho: Any, police: httpx.Client, residence: dict[str, Any], applicant: Citizen) -> str:
    code = str(kho.new_code(people.POLICE))
    persons = [applicant.named("applicant"), people.MOTHER.named("householder")]
    reply = police.put(f"/v1/dossiers/{code}", json=residence | {"persons": persons})
    assert reply.status_code == 200, reply.text
    return code


@pytest.fixture
def dossier(kho: Any, police: httpx.Client, residence: dict[str, Any]) -> str:
    """Of the stranger, who has no certificate that was issued to him."""
    return opened(kho, police, residence, people.STRANGER)


@pytest.fixture(scope="module")
def upload(stranger: httpx.Client, plain_pdf: bytes) -> str:
    said = {"title": "Giấy khai sinh chụp lại", "type": "GKS"}
    form = {"file": ("gks.pdf", plain_pdf, "application/pdf")}
    reply = stranger.post("/v1/me/records", data=said, files=form, headers=key())
    assert reply.status_code == 201, reply.text
    return str(reply.json()["record"])


@pytest.fixture(scope="module")
def paper() -> bytes:
    """A paper as a scanner gives it, that no other module's tests have."""
    return making.good_scan(os.urandom(8).hex())


def kinship(police: httpx.Client, code: str) -> dict[str, Any]:
    plan = police.get(f"/v1/dossiers/{code}/plan").json()
    return next(one for one in plan["components"] if one["component"] == KINSHIP)


def reasons(of: dict[str, Any]) -> list[str]:
    return [one["code"] for one in of["reasons"]]


def confirm(system: httpx.Client, code: str, record: str, **headers: str) -> httpx.Response:
    body = {"record": record, "reason": "Đã đối chiếu với bản chính tại quầy"}
    place = f"/v1/dossiers/{code}/components/{KINSHIP}/confirmation"
    return system.post(place, json=body, headers=key() | headers)


def scan(
    system: httpx.Client, code: str, content: bytes, component: str = KINSHIP, **said: Any
) -> httpx.Response:
    body = {"type": "GKS", "owner_roles": ["applicant"]} | said
    parts = {"scan": (None, json.dumps(body)), "file": ("scan.pdf", content, "application/pdf")}
    place = f"/v1/dossiers/{code}/components/{component}/digitised"
    return system.post(place, files=parts, headers=key())


def test_a_candidate_is_looked_at_confirmed_and_counts(
    police: httpx.Client, stranger: httpx.Client, dossier: str, upload: str
) -> None:
    before = kinship(police, dossier)
    assert before["state"] == "candidate"
    assert upload in [one["record"] for one in before["candidates"]]
    wanted = {"components": [{"component": KINSHIP, "record": upload}]}
    viewed = police.post(f"/v1/dossiers/{dossier}/releases", json=wanted, headers=key()).json()["items"][0]
    assert viewed["counts"] is False
    assert police.get(f"/v1/releases/{viewed['release']}/content").status_code == 200
    told = confirm(police, dossier, upload)
    assert told.status_code == 200, told.text
    assert (told.json()["state"], reasons(told.json())) == ("satisfied", ["confirmed_by_officer"])
    after = kinship(police, dossier)
    assert (after["state"], after["records"][0]["trust"]) == ("satisfied", "D")
    taken = police.post(f"/v1/dossiers/{dossier}/releases", json=wanted, headers=key()).json()["items"][0]
    assert taken["counts"] is False, "it was counted once it had been looked at"
    mine = stranger.get("/v1/me/accesses").json()["accesses"]
    (entry,) = [one for one in mine if one["event"] == "confirmed" and one["dossier"] == dossier]
    assert (entry["kind"], entry["record"]) == (10, upload)


def test_what_is_no_candidate_is_refused_in_words(
    kho: Any, police: httpx.Client, commune: httpx.Client, residence: Any, certificate: Any, upload: str
) -> None:
    code = opened(kho, police, residence, people.DAUGHTER)
    refused = confirm(police, code, certificate.record, **{"Accept-Language": "vi"})
    assert refused.status_code == 403
    assert "not_a_candidate" in reasons(refused.json())
    assert all(one["words"] for one in refused.json()["reasons"])
    strangers, none = confirm(police, code, upload), confirm(police, code, "rec-none")
    assert strangers.status_code == none.status_code == 403
    assert reasons(strangers.json()) == reasons(none.json()) == ["person_not_in_dossier"]
    assert confirm(commune, code, upload).status_code == 404
    place = f"/v1/dossiers/{code}/components/{KINSHIP}/confirmation"
    silent = police.post(place, json={"record": upload, "reason": ""}, headers=key())
    assert (silent.status_code, silent.json()["field"]) == (422, "reason")


def test_a_scan_is_marked_signed_and_stored_for_its_owner(
    kho: Any, police: httpx.Client, stranger: httpx.Client, dossier: str, paper: bytes
) -> None:
    unsaid = scan(police, dossier, paper)
    assert (unsaid.status_code, unsaid.json()["code"]) == (403, "rescan_reason_missing")
    reply = scan(police, dossier, paper, reason="outdated", number="15/1998")
    assert reply.status_code == 201, reply.text
    told = reply.json()
    assert (told["verdict"], told["scan_passed"], told["scan_type"]) == ("valid", True, "application/pdf")
    assert {one["outcome"] for one in told["scan_findings"]} == {"met"}
    content = stranger.get(f"/v1/me/records/{told['record']}/content")
    assert content.status_code == 200
    with pikepdf.open(BytesIO(content.content)) as copy, pikepdf.open(BytesIO(paper)) as before:
        grown = float(copy.pages[0].mediabox[3]) - float(before.pages[0].mediabox[3])
        assert grown > 20, "the strip with the mark"
        assert {str(one.T) for one in copy.Root.AcroForm.Fields} == {"Seal", "SealArchiveTimestamp"}
    held = {one["id"]: one for one in stranger.get("/v1/me/records").json()["records"]}
    assert (held[told["record"]]["source"], held[told["record"]]["number"]) == ("digitised", "15/1998")
    assert reasons(confirm(police, dossier, told["record"]).json()) == ["confirmed_by_officer"]


def test_scans_in_spite_of_an_answer_are_counted_from_what_was_entered(
    police: httpx.Client, commune: httpx.Client, dossier: str, paper: bytes
) -> None:
    days = {"since": TODAY, "until": TODAY}
    before = police.get("/v1/indicators/rescans", params=days).json()
    assert scan(police, dossier, paper, reason="wrong_person").status_code == 201
    after = police.get("/v1/indicators/rescans", params=days).json()
    assert after["rescans"] == before["rescans"] + 1
    assert after["by_reason"]["wrong_person"] == before["by_reason"].get("wrong_person", 0) + 1
    assert commune.get("/v1/indicators/rescans", params=days).json()["scans"] == 0
    turned = police.get("/v1/indicators/rescans", params={"since": TODAY, "until": "2026-01-01"})
    assert (turned.status_code, turned.json()["field"]) == (422, "until")


def test_an_auditor_counts_the_scans_of_all_agencies_and_that_is_an_entry(
    kho: Any, police: httpx.Client, commune: httpx.Client
) -> None:
    days = {"since": TODAY, "until": TODAY}
    theirs = [one.get("/v1/indicators/rescans", params=days).json()["scans"] for one in (police, commune)]
    with kho.staff(people.COMMUNE, "auditor") as auditor:
        before = kho.vault.signer.tree.size
        told = auditor.get("/v1/indicators/rescans", params=days)
        assert (told.status_code, kho.vault.signer.tree.size) == (200, before + 1)
        assert told.json()["scans"] >= sum(theirs) > 0
    with kho.staff(people.COMMUNE, "administrator") as other:
        assert other.get("/v1/indicators/rescans", params=days).status_code == 401


@pytest.mark.parametrize(
    ("said", "field", "code"),
    [
        ({"reason": "whim"}, "reason", "value_unknown"),
        ({"reason": "other"}, "explanation", "field_missing"),
        ({"owner_roles": ["witness"]}, "owners", "role_not_in_dossier"),
        ({"owner_roles": []}, "owner_roles", "too_few"),
        ({"trust": "A"}, "trust", "field_unknown"),
        ({"issued_on": "2099-01-01"}, "issued_on", "date_in_future"),
    ],
)
def test_what_is_said_wrongly_of_a_scan_is_named(
    kho: Any, police: httpx.Client, dossier: str, plain_pdf: bytes, said: Any, field: str, code: str
) -> None:
    size = kho.vault.signer.tree.size
    reply = scan(police, dossier, plain_pdf, **said)
    assert (reply.status_code, reply.json()["field"], reply.json()["code"]) == (422, field, code), reply.text
    assert kho.vault.signer.tree.size == size


def test_only_a_pdf_without_a_signature_is_a_scan(
    kho: Any, police: httpx.Client, daughter: httpx.Client, residence: Any, certificate: Any
) -> None:
    code = opened(kho, police, residence, people.DAUGHTER)
    signed = daughter.get(f"/v1/me/records/{certificate.record}/content").content
    for content, fault in ((signed, "scan_signed"), (b"just words", "not_a_pdf")):
        reply = scan(police, code, content, reason="unreadable")
        assert (reply.status_code, reply.json()["code"]) == (422, fault), reply.text
    bare = police.post(
        f"/v1/dossiers/{code}/components/{KINSHIP}/digitised",
        json={"type": "GKS", "owner_roles": ["applicant"]},
        headers=key(),
    )
    assert (bare.status_code, bare.json()["field"]) == (422, "file")


@pytest.mark.parametrize("tail", [b"PK\x03\x04" + bytes(60), b"<script>alert(1)</script>"])
def test_what_is_a_picture_and_something_else_is_kept_shut(
    kho: Any, police: httpx.Client, residence: Any, tail: bytes
) -> None:
    code = opened(kho, police, residence, people.DAUGHTER)
    body = {"type": "GKS", "owner_roles": ["applicant"], "reason": "unreadable"}
    content = making.as_jpeg(making.drawn(75)) + tail
    parts = {"scan": (None, json.dumps(body)), "file": ("photo.jpg", content, "image/jpeg")}
    place = f"/v1/dossiers/{code}/components/{KINSHIP}/digitised"
    reply = police.post(place, files=parts, headers=key())
    assert (reply.status_code, reply.json()["code"]) == (422, "polyglot"), reply.text
    assert reply.json()["quarantine"]["id"].startswith("qua-")


def test_a_scan_too_coarse_is_refused_with_what_was_measured(
    kho: Any, police: httpx.Client, residence: Any
) -> None:
    code = opened(kho, police, residence, people.DAUGHTER)
    coarse = making.as_pdf(making.drawn(150), dpi=150)
    reply = scan(police, code, coarse, reason="unreadable")
    told = reply.json()
    assert (reply.status_code, told["code"], told["field"]) == (422, "scan_resolution_low", "file")
    assert told["fields"][0]["values"] == {"page": "1", "measured": "150 dpi", "wanted": "≥ 200 dpi"}
    assert "150 dpi" in told["detail"] and "200 dpi" in told["detail"]


def test_black_and_white_stored_in_colours_is_refused_as_no_colour(
    kho: Any, police: httpx.Client, residence: Any
) -> None:
    code = opened(kho, police, residence, people.DAUGHTER)
    reply = scan(police, code, making.as_pdf_without_loss(making.two_toned(200)), reason="unreadable")
    told = reply.json()
    assert (reply.status_code, told["code"], told["field"]) == (422, "scan_not_colour", "file"), reply.text
    assert told["fields"][0]["values"] == {"page": "1", "measured": "2 tones", "wanted": "> 2 tones"}
    assert "2 tones" in told["detail"]


def test_a_photo_is_taken_and_its_scale_is_not_proven(
    kho: Any, police: httpx.Client, daughter: httpx.Client, residence: Any
) -> None:
    code = opened(kho, police, residence, people.DAUGHTER)
    photo = making.as_jpeg(making.drawn(200), comment=os.urandom(4))
    body = {"type": "GKS", "owner_roles": ["applicant"], "reason": "unreadable"}
    place = f"/v1/dossiers/{code}/components/{KINSHIP}/digitised"
    for declared, status in (("application/pdf", 422), ("image/jpeg", 201)):
        parts = {"scan": (None, json.dumps(body)), "file": ("IMG_1.jpg", photo, declared)}
        reply = police.post(place, files=parts, headers=key())
        assert reply.status_code == status, reply.text
    told = reply.json()
    assert (told["scan_type"], told["scan_passed"], told["trust"]) == ("image/jpeg", False, "E")
    assert told["scan_digest"] == sha256(photo).hexdigest() != told["digest"]
    assert [one["fault"] for one in told["scan_findings"] if one["fault"]] == ["scan_scale_unproven"]
    content = daughter.get(f"/v1/me/records/{told['record']}/content")
    assert content.headers["content-type"].startswith("application/pdf")
