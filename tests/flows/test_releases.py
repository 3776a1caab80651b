"""A document in place of paper: decided, entered, delivered whole or in part, and only while it may be."""

import json
import time
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from reuse_api.demo.people import COMMUNE, KINSHIP, POLICE
from signing.receipt import verify_receipt
from vault.validity import MAX_WORDS

ROWS = ("sqlite", "postgresql")


@pytest.fixture
def dossier(kho: Any, police: httpx.Client, residence: dict[str, Any], certificate: Any) -> str:
    """An open dossier in which the daughter's newest certificate can be reused."""
    code = str(kho.new_code(POLICE))
    assert police.put(f"/v1/dossiers/{code}", json=residence).status_code == 200
    return code


@pytest.fixture
def release(police: httpx.Client, dossier: str, certificate: Any) -> str:
    return str(take(police, dossier, certificate.record, f"take-{dossier}").json()["items"][0]["release"])


def take(system: httpx.Client, code: str, record: str | None, key: str, component: str = KINSHIP) -> Any:
    wanted = {"component": component} | ({"record": record} if record else {})
    headers = {"Idempotency-Key": key}
    return system.post(f"/v1/dossiers/{code}/releases", json={"components": [wanted]}, headers=headers)


def content(system: httpx.Client, release: str, **headers: str) -> httpx.Response:
    return system.get(f"/v1/releases/{release}/content", headers=headers)


def codes(told: dict[str, Any]) -> list[str]:
    return [one["code"] for one in told["reasons"]]


def test_the_file_comes_whole_with_digest_verdict_and_receipt(
    kho: Any, police: httpx.Client, release: str, certificate: Any
) -> None:
    reply = content(police, release)
    digest = sha256(reply.content).digest()
    assert reply.status_code == 200
    assert digest.hex() == certificate.digest
    assert reply.headers["repr-digest"] == f"sha-256=:{b64encode(digest).decode()}:"
    assert reply.headers["etag"] == f'"sha256-{digest.hex()}"'
    assert (reply.headers["kho-verdict"], reply.headers["kho-validity"]) == ("valid", "in_force")
    assert reply.headers["content-type"] == "application/pdf"
    named = reply.headers["content-disposition"]
    assert named.startswith('attachment; filename="Giay_khai_sinh_')
    assert unquote(named.partition("filename*=UTF-8''")[2]).startswith("Giấy khai sinh ")
    assert reply.headers["cache-control"] == "no-store"
    receipt = police.get(f"/v1/receipts/{reply.headers['kho-receipt']}")
    line = police.get("/log/key").text.strip()
    checked = verify_receipt(receipt.text, line)
    assert checked.outcome == "valid"
    assert str(checked.index) == reply.headers["kho-leaf-index"]
    assert checked.parts["subject"]["digest"] == certificate.digest
    assert checked.parts["actor"]["officer"] == POLICE.officer


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-70000", 100, 70001),
        ("bytes=65536-", 65536, None),
        ("bytes=0-", 0, None),
    ],
)
def test_a_range_is_served(
    police: httpx.Client, release: str, certificate: Any, asked: str, start: int, stop: int | None
) -> None:
    whole = content(police, release)
    part = content(police, release, Range=asked)
    assert part.status_code == 206
    assert part.content == whole.content[start:stop]
    last = (stop or certificate.size) - 1
    assert part.headers["content-range"] == f"bytes {start}-{last}/{certificate.size}"
    assert part.headers["repr-digest"] == whole.headers["repr-digest"]
    assert part.headers["kho-leaf-index"] == whole.headers["kho-leaf-index"], "ranges share one entry"


@pytest.mark.parametrize("asked", ["bytes=-5", "bytes=0-1,5-6", "lines=1-2", "bytes=9-3", "bytes=x-"])
def test_another_range_is_answered_with_the_whole(
    police: httpx.Client, release: str, certificate: Any, asked: str
) -> None:
    reply = content(police, release, Range=asked)
    assert (reply.status_code, len(reply.content)) == (200, certificate.size)


def test_a_range_outside_the_file_is_refused(police: httpx.Client, release: str) -> None:
    reply = content(police, release, Range="bytes=99999999-")
    assert (reply.status_code, reply.json()["code"]) == (416, "range_outside_file")


def test_one_key_is_one_request(
    kho: Any, police: httpx.Client, dossier: str, certificate: Any, write_key: dict[str, str]
) -> None:
    key = write_key["Idempotency-Key"]
    first = take(police, dossier, certificate.record, key)
    size = kho.vault.signer.tree.size
    assert take(police, dossier, certificate.record, key).json() == first.json()
    assert kho.vault.signer.tree.size == size
    other = take(police, dossier, None, key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    body = {"components": [{"component": KINSHIP}]}
    unkeyed = police.post(f"/v1/dossiers/{dossier}/releases", json=body)
    assert (unkeyed.status_code, unkeyed.json()["field"]) == (400, "Idempotency-Key")
    assert kho.vault.signer.tree.size == size


def test_what_may_not_be_taken_is_refused_item_by_item(
    kho: Any,
    police: httpx.Client,
    dossier: str,
    stranger: httpx.Client,
    certificate: Any,
    plain_pdf: bytes,
) -> None:
    form = {"file": ("a.pdf", plain_pdf + b"\n\n", "application/pdf")}
    mine = stranger.post(
        "/v1/me/records", files=form, data={"title": "Riêng"}, headers={"Idempotency-Key": "strange"}
    )
    assert mine.status_code == 201, mine.text
    foreign = take(police, dossier, mine.json()["record"], "foreign").json()["items"][0]
    unknown = take(police, dossier, "rec-that-never-was", "unknown").json()["items"][0]
    assert foreign["state"] == unknown["state"] == "refused"
    assert codes(foreign) == codes(unknown), "a stranger's record and none are told alike"
    not_asked = take(police, dossier, certificate.record, "not-asked", "KQ999999").json()["items"][0]
    assert "component_not_asked" in codes(not_asked)
    assert all(item["receipt"] for item in (foreign, unknown, not_asked))


def test_a_receipt_tells_no_more_than_the_answer(
    kho: Any, police: httpx.Client, dossier: str, stranger: httpx.Client, plain_pdf: bytes
) -> None:
    form = {"file": ("b.pdf", plain_pdf + b"\n", "application/pdf")}
    key = {"Idempotency-Key": "strange-too"}
    mine = stranger.post("/v1/me/records", files=form, data={"title": "Của riêng"}, headers=key).json()
    line = police.get("/log/key").text.strip()
    shown, grown = [], []
    for number, record in enumerate((mine["record"], "rec-that-never-was")):
        size = kho.vault.signer.tree.size
        item = take(police, dossier, record, f"tell-{number}-{dossier}").json()["items"][0]
        grown.append(kho.vault.signer.tree.size - size)
        receipt = police.get(f"/v1/receipts/{item['receipt']}")
        parts = verify_receipt(receipt.text, line).parts
        assert mine["record"] not in receipt.text
        shown.append({name: part for name, part in parts.items() if name != "event"})
    assert shown[0] == shown[1]
    assert grown[0] == grown[1], "nor does the size of the log"
    seen = stranger.get("/v1/me/accesses").json()["accesses"][0]
    assert (seen["event"], seen["record"]) == ("release_refused", mine["record"])
    assert seen["index"] < kho.vault.signer.tree.size


def test_a_release_belongs_to_the_system_it_was_given_to(
    kho: Any, commune: httpx.Client, police: httpx.Client, daughter: httpx.Client, release: str
) -> None:
    size = kho.vault.signer.tree.size
    theirs = content(commune, release)
    seen = daughter.get("/v1/me/accesses").json()["accesses"][0]
    assert (seen["event"], seen["agency"]) == ("delivery_refused", COMMUNE.name_en)
    assert [one["code"] for one in seen["reasons"]] == ["release_of_another_system"]
    none = content(commune, "rel-none")
    assert theirs.status_code == none.status_code == 404
    assert theirs.json() == none.json()
    assert kho.vault.signer.tree.size == size + 2, "each try is an entry"
    receipt = content(police, release).headers["kho-receipt"]
    assert commune.get(f"/v1/receipts/{receipt}").status_code == 404
    assert police.get(f"/v1/receipts/{receipt}").status_code == 200


def test_a_revoked_record_is_read_no_more(
    kho: Any, commune: httpx.Client, police: httpx.Client, dossier: str, reregistration: dict[str, Any]
) -> None:
    record = kho.issue(commune, reregistration).record
    release = take(police, dossier, record, f"before-{dossier}").json()["items"][0]["release"]
    assert content(police, release).status_code == 200
    body = {"ground": "Luật Hộ tịch 2014, Điều 70", "reason": "Ghi sai nơi sinh"}
    place, key = f"/v1/records/{record}/revocation", {"Idempotency-Key": f"revoke-{record}"}
    assert police.post(place, json=body, headers=key).status_code == 404, "only who issued it"
    assert commune.post(place, json=body | {"ground": ""}, headers=key).json()["field"] == "ground"
    for field in body:
        reply = commune.post(place, json=body | {field: "x" * (MAX_WORDS + 1)}, headers=key)
        assert (reply.status_code, reply.json()["field"], reply.json()["code"]) == (422, field, "too_long")
    assert f"{MAX_WORDS:,}" in (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    body |= {"ground": body["ground"].ljust(MAX_WORDS, "."), "reason": body["reason"].ljust(MAX_WORDS, ".")}
    revoked = commune.post(place, json=body, headers=key)
    assert (revoked.status_code, revoked.json()["validity"]) == (200, "revoked")
    refused = content(police, release)
    assert (refused.status_code, codes(refused.json())[0]) == (403, "record_revoked")
    assert refused.json()["receipts"]
    again = take(police, dossier, record, f"again-{dossier}").json()["items"][0]
    assert "record_revoked" in codes(again)


def test_a_closed_dossier_releases_nothing_more(police: httpx.Client, release: str, dossier: str) -> None:
    key = {"Idempotency-Key": f"close-{dossier}"}
    assert police.patch(f"/v1/dossiers/{dossier}", json={"state": "closed"}, headers=key).status_code == 200
    ended = content(police, release)
    assert (ended.status_code, codes(ended.json())[0]) == (410, "dossier_closed")
    assert take(police, dossier, None, f"late-{dossier}").status_code == 410


def test_issuing_is_refused_to_who_may_not(
    kho: Any, police: httpx.Client, dossier: str, other_commune: httpx.Client
) -> None:
    result = {"type": "GKS", "owner_roles": ["applicant"], "fields": {}}
    key = {"Idempotency-Key": f"issue-{dossier}"}
    refused = police.post(f"/v1/dossiers/{dossier}/results", json=result, headers=key)
    assert refused.status_code == 403
    assert "type_not_registered" in codes(refused.json())
    foreign = other_commune.post(f"/v1/dossiers/{dossier}/results", json=result, headers=key)
    assert foreign.status_code == 404


def results(system: httpx.Client, code: str, **asked: Any) -> httpx.Response:
    return system.post(
        f"/v1/dossiers/{code}/results", headers={"Idempotency-Key": str(time.monotonic_ns())}, **asked
    )


@pytest.fixture(scope="module")
def issuing(kho: Any, commune: httpx.Client, reregistration: dict[str, Any]) -> str:
    code = str(kho.new_code(COMMUNE))
    assert commune.put(f"/v1/dossiers/{code}", json=reregistration).status_code == 200
    return code


RESULT: dict[str, Any] = {"type": "GKS", "owner_roles": ["applicant"]}


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({}, "fields", "fields_or_file"),
        ({"fields": {}}, "fields.number", "composing_failed"),
        ({"type": "NOPE", "fields": {}}, "type", None),
        ({"owner_roles": ["grandfather"], "fields": {}}, "owners", "role_not_in_dossier"),
        ({"owner_roles": []}, "owner_roles", "too_few"),
        ({"agency": "G01"}, "agency", "field_unknown"),
        ({"fields": {"number": "1"}, "issued_on": "31/12/2026"}, "issued_on", "date_malformed"),
    ],
)
def test_a_result_that_cannot_be_is_named(
    kho: Any, commune: httpx.Client, issuing: str, change: dict[str, Any], field: str, code: str | None
) -> None:
    reply = results(commune, issuing, json=RESULT | change)
    if code is None:
        assert reply.status_code in (403, 422)
        return
    told = reply.json()
    assert reply.status_code == 422, told
    assert told["code"] == code
    assert told["field"].startswith(field.partition(".")[0])


def test_a_result_handed_in_again_is_the_record_that_it_is(
    kho: Any, commune: httpx.Client, police: httpx.Client, issuing: str, release: str, certificate: Any
) -> None:
    ours = content(police, release).content
    parts = {"result": (None, json.dumps(RESULT)), "file": ("gks.pdf", ours, "application/pdf")}
    stored = results(commune, issuing, files=parts)
    assert stored.status_code == 201, stored.text
    told = stored.json()
    assert (told["record"], told["trust"], told["already_stored"]) == (certificate.record, "A", True)
    for files, field in (
        ({"file": parts["file"]}, "result"),
        ({"result": parts["result"], "file": ("a.pdf", b"plain text", "application/pdf")}, "file"),
        ({"result": (None, '{"type": 7}'), "file": parts["file"]}, "type"),
        ({"result": (None, "nonsense"), "file": parts["file"]}, "body"),
    ):
        reply = results(commune, issuing, files=files)
        assert (reply.status_code, reply.json()["field"]) == (422, field), reply.text
