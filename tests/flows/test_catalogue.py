"""The catalogue's doors over HTTP, as an administrator uses them: looking, editing, ending, work left."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from policies.packages import shipped_packages
from reuse_api.demo import people
from vault.days import legal_day

EDITS = "/v1/catalogue/edits"
DOORS = ["/v1/catalogue/procedures", "/v1/catalogue/work-list", EDITS, "/v1/catalogue/types"]


@pytest.fixture(scope="module")
def administrator(kho: Any) -> Iterator[httpx.Client]:
    with kho.staff(people.COMMUNE, "administrator") as client:
        yield client


@pytest.fixture
def today(kho: Any) -> Any:
    return legal_day(kho.vault.clock.now())


@pytest.fixture
def edit(today: Any) -> dict[str, Any]:
    """A row of a case that no other test of this service opens a dossier for."""
    return {
        "procedure": "2.001610",
        "case": "doanh-nghiep-xa-hoi",
        "component": "KQ014026",
        "act": "overrule",
        "kind": "form",
        "name": {"vi": "Bản cam kết", "en": "Undertaking"},
        "valid_from": today.isoformat(),
        "reason": "Đây là mẫu do doanh nghiệp tự khai",
        "legal_reference": "Nghị định 47/2021/NĐ-CP, Điều 4",
    }


def keyed() -> dict[str, str]:
    return {"Idempotency-Key": os.urandom(8).hex()}


def test_procedures_are_paged_by_code_and_found_by_words(administrator: httpx.Client) -> None:
    codes, cursor = [], None
    while True:
        asked = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = administrator.get("/v1/catalogue/procedures", params=asked).json()
        codes += [one["code"] for one in page["procedures"]]
        cursor = page.get("next")
        if cursor is None:
            break
    assert codes == sorted(row["code"] for row in shipped_packages())
    found = administrator.get("/v1/catalogue/procedures", params={"q": "KẾT HÔN"}).json()["procedures"]
    assert [one["code"] for one in found] == ["1.000894"]


def test_each_row_is_told_with_what_it_was_taken_for_and_why(administrator: httpx.Client) -> None:
    told = administrator.get("/v1/catalogue/procedures/1.013225", headers={"Accept-Language": "vi"}).json()
    rows = {one["component"]: one for one in told["rows"] if one.get("case") == "ton-giao"}
    note = rows["KQ005476"]
    assert (note["kind"], note["rule"]) == ("note", "names_no_document")
    assert note["rule_words"] == "là quy định, không nêu giấy tờ nào phải nộp"
    land = rows["KQ003221"]
    assert (land["alternative"], land["types"], land["data_source"]) == ("giay-to-dat", ["GCNQSDD"], "land")
    assert told["conditions"]["heritage_project"]["en"].startswith("The building is part")
    assert {case["rule"] for case in told["cases"]} == {"case_by_book"}


def test_the_line_of_ours_is_told_as_an_edit_that_came_with_kho(administrator: httpx.Client) -> None:
    told = administrator.get("/v1/catalogue/procedures/1.004222").json()
    (row,) = (one for one in told["rows"] if one["component"] == "CT01")
    assert (row["rule"], row["edit"], row["national_code"]) == ("own_edit", "kho-ct01-dieu-20.2", "")
    shipped = next(one for one in told["edits"] if one["id"] == row["edit"])
    assert shipped["shipped"] is True and "agency" not in shipped
    assert shipped["reason"].startswith("The law asks for the declaration")


def test_an_edit_is_published_shown_and_ended(
    administrator: httpx.Client, edit: dict[str, Any], today: Any
) -> None:
    published = administrator.post(EDITS, json=edit, headers=keyed())
    assert published.status_code == 201, published.text
    told = administrator.get("/v1/catalogue/procedures/2.001610").json()
    (row,) = (
        one
        for one in told["rows"]
        if (one.get("case"), one["component"]) == (edit["case"], edit["component"])
    )
    assert (row["kind"], row["rule"], row["edit"]) == ("form", "own_edit", published.json()["edit"])
    listed = administrator.get(EDITS, params={"procedure": "2.001610", "limit": 1}).json()["edits"][0]
    assert listed["name"] == edit["name"], "both languages, as they were written"
    assert (listed["agency"], listed["officer"]) == (people.COMMUNE.code, people.COMMUNE.officer)
    assert "originals" not in listed
    again = administrator.post(EDITS, json=edit, headers=keyed())
    assert (again.status_code, again.json()["code"]) == (409, "edit_overlaps")
    end = {"valid_until": today.isoformat(), "reason": "nhầm"}
    place = f"{EDITS}/{listed['id']}/end"
    assert administrator.post(place, json=end, headers=keyed()).status_code == 200
    ended = administrator.get(EDITS, params={"procedure": "2.001610"}).json()["edits"][0]
    assert (ended["valid_until"], ended["end_reason"]) == (today.isoformat(), "nhầm")


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"component": "KQ999999"}, "component", "component_unknown"),
        ({"case": "nowhere"}, "case", "case_unknown"),
        ({"procedure": "9.999999"}, "procedure", "procedure_unknown"),
        ({"valid_until": "2020-01-01"}, "valid_until", "dates_in_wrong_order"),
        ({"valid_from": "2026-02-30"}, "valid_from", "date_malformed"),
        ({"valid_from": None}, "valid_from", "date_malformed"),
        ({"act": "burn"}, "act", "value_unknown"),
        ({"kind": "poem"}, "kind", "value_unknown"),
        ({"reason": "dòng\u0000"}, "reason", "value_malformed"),
        ({"reason": "\u202e"}, "reason", "too_short"),
        ({"name": {"vi": "Giấy"}}, "name.en", "field_missing"),
        ({"condition": "it_rains"}, "condition_name", "condition_name_missing"),
        ({"originals": -1}, "originals", "number_out_of_range"),
        ({"officer": "cb-01"}, "officer", "field_unknown"),
        ({"act": "add", "component": "CT99", "name": None}, "name", "field_missing"),
        ({"act": "add"}, "component", "component_known"),
    ],
)
def test_what_cannot_be_published_names_the_field(
    kho: Any, administrator: httpx.Client, edit: dict[str, Any], change: Any, field: str, code: str
) -> None:
    size = kho.vault.signer.tree.size
    reply = administrator.post(EDITS, json=edit | change, headers=keyed())
    assert reply.status_code in (422, 409)
    assert (reply.json()["field"], reply.json()["code"]) == (field, code)
    assert kho.vault.signer.tree.size == size


def test_a_day_that_has_passed_ends_nothing(administrator: httpx.Client, today: Any) -> None:
    place = f"{EDITS}/kho-ct01-dieu-20.2/end"
    end = {"valid_until": (today - timedelta(days=1)).isoformat(), "reason": "nhầm"}
    reply = administrator.post(place, json=end, headers=keyed())
    assert (reply.status_code, reply.json()["code"]) == (422, "day_has_passed")
    unknown = administrator.post(f"{EDITS}/none/end", json=end, headers=keyed())
    assert unknown.status_code == 404


def test_the_work_list_goes_on_by_cursor(administrator: httpx.Client) -> None:
    whole = administrator.get("/v1/catalogue/work-list", params={"limit": 100}).json()["work"]
    first = administrator.get("/v1/catalogue/work-list", params={"limit": 3}).json()
    rest = administrator.get("/v1/catalogue/work-list", params={"limit": 100, "cursor": first["next"]}).json()
    assert first["work"] + rest["work"] == whole
    assert whole[0]["reason_words"] == "no mapping to a type of document"


def test_types_are_told_with_their_days(administrator: httpx.Client) -> None:
    told = {one["code"]: one for one in administrator.get("/v1/catalogue/types").json()["types"]}
    assert told["GCNQSDD"]["in_force"]["start"] == "2009-12-10"
    assert told["GKS"]["name"] == "Birth certificate"


@pytest.mark.parametrize("door", [*DOORS, "/v1/catalogue/procedures/1.004222"])
@pytest.mark.parametrize("role", ["desk", "auditor"])
def test_nobody_else_sees_the_administrators_room(kho: Any, door: str, role: str) -> None:
    with kho.staff(people.COMMUNE, role) as client:
        assert client.get(door).status_code == 401


def test_systems_owners_and_strangers_neither(
    kho: Any, police: httpx.Client, daughter: httpx.Client, edit: dict[str, Any]
) -> None:
    for client in (police, daughter):
        assert client.get(EDITS).status_code == 401
        assert client.post(EDITS, json=edit, headers=keyed()).status_code == 401


def test_a_page_of_another_site_edits_nothing(
    kho: Any, administrator: httpx.Client, edit: dict[str, Any]
) -> None:
    size = kho.vault.signer.tree.size
    reply = administrator.post(EDITS, json=edit, headers=keyed() | {"Origin": "https://evil.example"})
    assert (reply.status_code, reply.json()["code"]) == (403, "cross_site")
    without = administrator.post(EDITS, json=edit)
    assert without.json()["code"] == "idempotency_key_missing"
    assert kho.vault.signer.tree.size == size


@pytest.mark.parametrize("door", [EDITS, "/v1/catalogue/procedures", "/v1/catalogue/work-list"])
def test_a_page_has_a_size(administrator: httpx.Client, door: str) -> None:
    assert administrator.get(door, params={"limit": 101}).json()["code"] == "number_out_of_range"
    assert administrator.get(door, params={"limit": 0}).json()["code"] == "number_out_of_range"


def test_what_is_not_there(administrator: httpx.Client) -> None:
    for code in ("9.999999", "nothing", "1.004222%00"):
        assert administrator.get(f"/v1/catalogue/procedures/{code}").status_code == 404
    assert administrator.get("/v1/catalogue/procedures/1.004222?version=99").status_code == 404
    assert administrator.get(EDITS, params={"cursor": "x"}).status_code == 422
