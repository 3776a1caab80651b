"""The audit's doors over HTTP, as an auditor uses them: finding, opening, replaying, counting, exporting."""

import csv
import json
import os
from collections.abc import Iterator
from io import StringIO
from typing import Any

import httpx
import pytest

from reuse_api.demo import people
from signing.growth import verify_growth
from signing.receipt import outcome_of, verify_receipt
from vault.masking import masked

GROUND = "Kiểm tra theo kế hoạch quý IV"
HERS = masked(people.DAUGHTER.number)
DOORS = ["/v1/audit/openings", "/v1/audit/replays", "/v1/audit/proofs", "/v1/audit/exports"]


@pytest.fixture(scope="module")
def auditor(kho: Any) -> Iterator[httpx.Client]:
    with kho.staff(people.COMMUNE, "auditor") as client:
        yield client


@pytest.fixture(scope="module")
def read(kho: Any, police: httpx.Client, certificate: Any, residence: Any) -> str:
    """The code of a dossier for which the daughter's certificate was released and read."""
    code: str = kho.new_code(people.POLICE)
    police.put(f"/v1/dossiers/{code}", json=residence)
    wanted = {"components": [{"component": people.KINSHIP, "record": certificate.record}]}
    told = police.post(f"/v1/dossiers/{code}/releases", json=wanted, headers={"Idempotency-Key": code})
    release = told.json()["items"][0]["release"]
    assert police.get(f"/v1/releases/{release}/content").status_code == 200
    refused = {"components": [{"component": "CT01"}]}
    police.post(f"/v1/dossiers/{code}/releases", json=refused, headers={"Idempotency-Key": f"{code}-no"})
    return code


@pytest.fixture
def write_key() -> dict[str, str]:
    return {"Idempotency-Key": os.urandom(8).hex()}


def size(kho: Any) -> int:
    return int(kho.vault.signer.tree.size)


def entries(auditor: httpx.Client, **asked: Any) -> list[dict[str, Any]]:
    reply = auditor.get("/v1/audit/entries", params=asked)
    assert reply.status_code == 200, reply.text
    return list(reply.json()["entries"])


def delivered(auditor: httpx.Client, read: str) -> dict[str, Any]:
    (found,) = entries(auditor, dossier=read, event="delivered")
    return found


def test_entries_are_found_by_their_codes_and_persons_stay_masked(auditor: httpx.Client, read: str) -> None:
    found = delivered(auditor, read)
    assert found["kind_words"] == "content delivered"
    assert (found["agency"], found["agency_name"]) == (people.POLICE.code, people.POLICE.name_en)
    assert found["owners"] == [HERS]
    refused = entries(auditor, dossier=read, result="refused")
    assert refused[0]["reasons"][0].keys() == {"code", "words"}


def test_an_owner_is_found_by_number_and_never_shown(kho: Any, auditor: httpx.Client, read: str) -> None:
    before = size(kho)
    reply = auditor.get("/v1/audit/entries", params={"owner": people.DAUGHTER.number, "limit": 3})
    found = reply.json()["entries"]
    assert len(found) == 3 and all(HERS in one["owners"] for one in found)
    assert people.DAUGHTER.number not in reply.text and people.DAUGHTER.name not in reply.text
    assert size(kho) == before + 2  # the number was looked up, the entries were searched
    unknown = auditor.get("/v1/audit/entries", params={"owner": "001090000001"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "owner_unknown")


def test_pages_follow_by_cursor(auditor: httpx.Client, read: str) -> None:
    first = auditor.get("/v1/audit/entries", params={"limit": 2}).json()
    second = auditor.get("/v1/audit/entries", params={"limit": 2, "cursor": first["next"]}).json()
    indexes = [one["index"] for page in (first, second) for one in page["entries"]]
    assert indexes == list(range(indexes[0], indexes[0] - 4, -1))


def test_an_entry_is_opened_on_a_ground_and_she_sees_it(
    kho: Any, auditor: httpx.Client, daughter: httpx.Client, read: str, write_key: dict[str, str]
) -> None:
    index = delivered(auditor, read)["index"]
    before = size(kho)
    reply = auditor.post("/v1/audit/openings", json={"index": index, "ground": GROUND}, headers=write_key)
    assert reply.status_code == 200, reply.text
    told = reply.json()
    assert told["opening"]["index"] == before
    assert told["parts"]["purpose"]["dossier"] == read
    assert told["parts"]["basis"]["facts"]["caller"]["officer"] == people.POLICE.officer
    assert told["parts"]["subject"]["owners"] == [HERS]
    assert told["disagreements"] == []
    for hidden in (people.DAUGHTER.name, people.DAUGHTER.number, "own-"):
        assert hidden not in reply.text
    seen = daughter.get("/v1/me/accesses", params={"limit": 1}).json()["accesses"][0]
    assert (seen["index"], seen["event"]) == (before, "entry_opened")
    assert seen["officer"] == people.COMMUNE.officer


def test_no_door_of_the_audit_gives_content(
    kho: Any, auditor: httpx.Client, read: str, certificate: Any, write_key: dict[str, str]
) -> None:
    for place in (
        f"/v1/me/records/{certificate.record}/content",
        f"/wallet/records/{certificate.record}/content",
        f"/v1/dossiers/{read}/plan",
        f"/v1/receipts/{certificate.receipt}",
    ):
        assert auditor.get(place).status_code in (303, 401), place


def test_a_decision_is_replayed_and_comes_out_the_same(
    auditor: httpx.Client, read: str, write_key: dict[str, str]
) -> None:
    body = {"index": delivered(auditor, read)["index"], "ground": GROUND}
    told = auditor.post("/v1/audit/replays", json=body, headers=write_key).json()
    assert told["replay"] == {
        "outcome": "same",
        "words": "deciding again gives what was recorded",
        "alarm": False,
        "differences": [],
    }


def test_a_proof_is_taken_and_checked_offline(
    kho: Any, auditor: httpx.Client, read: str, write_key: dict[str, str]
) -> None:
    body = {"index": delivered(auditor, read)["index"], "ground": GROUND}
    reply = auditor.post("/v1/audit/proofs", json=body, headers=write_key)
    assert reply.headers["content-type"].startswith("text/plain")
    checked = verify_receipt(reply.text, kho.vault.signer.verifier_line)
    assert (checked.outcome, checked.index) == ("valid", body["index"])


def test_the_log_is_held_to_a_checkpoint_that_was_kept(
    kho: Any, auditor: httpx.Client, daughter: httpx.Client, certificate: Any
) -> None:
    async def head() -> str:
        return str(await kho.vault.signer.checkpoint())

    kept = kho.run(head())
    assert daughter.get(f"/v1/me/records/{certificate.record}/content").status_code == 200
    told = auditor.get("/v1/audit/consistency", params={"old": int(kept.split("\n")[1])}).json()
    assert told["new"]["size"] > told["old"]["size"]
    assert outcome_of(verify_growth(told["file"], kept, kho.vault.signer.verifier_line)) == "valid"
    between = auditor.get("/v1/audit/consistency", params={"old": 2, "new": 5}).json()
    assert "file" not in between and between["proof"]


@pytest.mark.parametrize(
    ("asked", "field", "code"),
    [
        ({"old": "0"}, "old", "sizes_reversed"),
        ({"old": "5", "new": "2"}, "old", "sizes_reversed"),
        ({"old": "1", "new": "99999999"}, "new", "size_not_reached"),
        ({"old": "-1"}, "old", "number_out_of_range"),
        ({}, "old", "field_missing"),
    ],
)
def test_sizes_that_cannot_be_are_named(
    auditor: httpx.Client, asked: dict[str, str], field: str, code: str
) -> None:
    told = auditor.get("/v1/audit/consistency", params=asked).json()
    assert (told["field"], told["code"]) == (field, code)


def test_entries_are_counted(auditor: httpx.Client, read: str) -> None:
    days = auditor.get("/v1/audit/counts").json()
    assert days["by"] == "day" and len(days["counts"]) == 30
    assert days["counts"][-1]["number"] > 0
    told = auditor.get("/v1/audit/counts", params={"by": "event", "dossier": read}).json()["counts"]
    assert {one["key"]: one["number"] for one in told}["delivered"] == 1


def test_what_is_worth_a_look_is_listed_with_its_threshold(kho: Any, auditor: httpx.Client) -> None:
    before = size(kho)
    told = auditor.get("/v1/audit/anomalies").json()["anomalies"]
    assert size(kho) == before + 1
    assert all({"code", "words", "threshold", "number"} <= one.keys() for one in told)


def test_an_export_is_a_table_without_formulas_or_persons(
    kho: Any, auditor: httpx.Client, police: httpx.Client, read: str, write_key: dict[str, str]
) -> None:
    wanted = {"components": [{"component": "-2+3"}]}
    police.post(f"/v1/dossiers/{read}/releases", json=wanted, headers={"Idempotency-Key": f"{read}-f"})
    reply = auditor.post("/v1/audit/exports", json={"dossier": read}, headers=write_key)
    assert reply.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert reply.headers["entries-left"] == "no"
    assert reply.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(StringIO(reply.content.decode("utf-8-sig"))))
    assert {one["dossier"] for one in rows} == {read}
    assert HERS in {one["owners"] for one in rows}
    assert people.DAUGHTER.number not in reply.text
    assert not [cell for one in rows for cell in one.values() if cell.startswith(("=", "+", "-", "@"))]
    newest = entries(auditor, event="entries_exported")[0]
    assert newest["officer"] == people.COMMUNE.officer


@pytest.mark.parametrize(
    ("asked", "field", "code"),
    [
        ({"kind": "0"}, "kind", "number_out_of_range"),
        ({"kind": "x"}, "kind", "wrong_type"),
        ({"result": "maybe"}, "result", "value_unknown"),
        ({"since": "hôm qua"}, "since", "date_malformed"),
        ({"since": "2026-02-02", "until": "2026-02-01"}, "until", "days_reversed"),
        ({"since": "0001-01-01"}, "since", "value_invalid"),
        ({"agency": ""}, "agency", "too_short"),
        ({"agency": "x" * 101}, "agency", "too_long"),
        ({"owner": "own-0"}, "owner", "owner_unknown"),
        ({"owner": "không phải số"}, "owner", "identifier_unreadable"),
        ({"name": "x"}, "name", "field_unknown"),
        ({"cursor": "x"}, "cursor", "value_malformed"),
        ({"limit": "101"}, "limit", "number_out_of_range"),
    ],
)
def test_filters_that_cannot_be_are_named_and_nothing_is_entered(
    kho: Any, auditor: httpx.Client, asked: dict[str, str], field: str, code: str
) -> None:
    before = size(kho)
    reply = auditor.get("/v1/audit/entries", params=asked)
    assert (reply.status_code, reply.json()["field"], reply.json()["code"]) == (422, field, code)
    assert size(kho) == before


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"index": 1}, "ground", "field_missing"),
        ({"index": 1, "ground": "ngắn"}, "ground", "ground_length"),
        ({"index": 1, "ground": " " * 40}, "ground", "ground_length"),
        ({"index": -1, "ground": GROUND}, "index", "number_out_of_range"),
        ({"index": "một", "ground": GROUND}, "index", "wrong_type"),
        ({"index": 1, "ground": GROUND, "officer": "cb-khac"}, "officer", "field_unknown"),
    ],
)
def test_an_opening_without_index_or_ground_is_refused(
    kho: Any, auditor: httpx.Client, body: dict[str, Any], field: str, code: str, write_key: dict[str, str]
) -> None:
    before = size(kho)
    told = auditor.post("/v1/audit/openings", json=body, headers=write_key).json()
    assert (told["field"], told["code"]) == (field, code)
    assert size(kho) == before


def test_there_is_no_entry_beyond_the_last(auditor: httpx.Client, write_key: dict[str, str]) -> None:
    body = {"index": 10**12, "ground": GROUND}
    assert auditor.post("/v1/audit/openings", json=body, headers=write_key).status_code == 404


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "origin",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ],
    ids=lambda one: next(iter(one.values())),
)
def test_a_page_of_another_site_opens_nothing(
    kho: Any, auditor: httpx.Client, door: str, origin: dict[str, str], write_key: dict[str, str]
) -> None:
    body = {} if door.endswith("exports") else {"index": 1, "ground": GROUND}
    before = size(kho)
    reply = auditor.post(door, json=body, headers=write_key | origin)
    assert (reply.status_code, reply.json()["code"]) == (403, "cross_site")
    # What a form of another site can send at all: no header of its own, no JSON.
    form = {"Content-Type": "text/plain"} | origin
    assert auditor.post(door, content=json.dumps(body), headers=form).status_code == 403
    assert auditor.post(door, json=body).json()["code"] == "idempotency_key_missing"
    assert size(kho) == before
