"""The administrator's room over plain HTTP: what each row was taken for, edits by form; closed to others."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from reuse_api.app import PAGES
from reuse_api.callers import SESSION_COOKIE, STAFF_COOKIE
from reuse_api.demo import people
from tests.pages.desk import hidden
from vault.importing import import_procedure
from vault.tables import log_entry

HOSTILE = '<script>alert("1")</script>{{ 7 * 7 }}"><img src=x onerror=alert(2)>'
PLACES = "/admin/procedures"
PLACE = f"{PLACES}/1.013225"
ADMIN_DOORS = sorted(
    (next(iter(route.methods)), route.path)
    for router in PAGES
    for route in router.routes
    if route.path.startswith("/admin") and "rest" not in route.path
)
EDIT = {
    "act": "overrule",
    "kind": "note",
    "reason": "Đã có trong cơ sở dữ liệu",
    "legal_reference": "Nghị định 175/2024/NĐ-CP, Điều 55",
}


@pytest.fixture
def admin(told: Any) -> Iterator[httpx.Client]:
    with signed_in(told, "vi") as client:
        yield client


@contextmanager
def signed_in(told: Any, language: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=told.url, headers={"Accept-Language": language}, timeout=60) as client:
        answer = client.post("/sign-in", data={"code": told.staff_code(people.COMMUNE, "administrator")})
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin")
        yield client


def entries(told: Any) -> int:
    async def count() -> int:
        async with told.vault.db.read() as db:
            return int((await db.execute(select(func.count()).select_from(log_entry))).scalar_one())

    return int(told.run(count()))


def form_of(admin: httpx.Client, component: str) -> dict[str, str]:
    """Give what the form of a row carries, as a browser would send it."""
    place = re.search(
        rf'href="({re.escape(PLACE)}\?row=\d+)#row-\d+">[^<]*<span class="unseen">: {component}<',
        admin.get(PLACE).text,
    )
    assert place is not None
    shown = admin.get(place[1]).text
    day = re.search(r'id="valid_from" name="valid_from" type="date" value="([\d-]+)"', shown)
    case = re.search(r'<option value="([^"]+)" selected>', shown[shown.index('name="case"') :])
    assert day is not None and case is not None
    fields = hidden(shown, f"{PLACE}/edits")
    return fields | {"case": case[1], "valid_from": day[1], "condition": "keep", "alternative": "keep"}


@pytest.mark.parametrize(
    ("language", "rule", "kind"),
    [
        ("vi", "Là quy định, không nêu giấy tờ nào phải nộp", "Ghi chú"),
        ("en", "A rule that names no document to hand in", "Note"),
    ],
)
def test_each_row_says_what_it_was_taken_for_and_why(told: Any, language: str, rule: str, kind: str) -> None:
    with signed_in(told, language) as admin:
        shown = admin.get(PLACE).text
        row = next(one for one in shown.split("<li id=") if ">KQ005476<" in one)
        assert kind in row and rule in row
        assert "GCNQSDD" in shown and "nha-o-rieng-le" in shown
        ours = admin.get("/admin/procedures/1.004222").text
        assert {"vi": "Đi kèm Kho", "en": "Came with Kho"}[language] in ours


def test_procedures_are_found_by_code_and_by_words(admin: httpx.Client) -> None:
    assert "1.004222" in admin.get("/admin").text
    found = admin.get("/admin", params={"q": "kết hôn"}).text
    assert f"{PLACES}/1.000894" in found and f"{PLACES}/1.004222" not in found
    assert "Không có thủ tục nào khớp" in admin.get("/admin", params={"q": "xyzzy"}).text
    assert "Chưa có ánh xạ" in admin.get(PLACE).text
    assert "KQ002712" in admin.get("/admin/work").text


def test_an_edit_is_published_by_form_shown_and_ended(told: Any, admin: httpx.Client) -> None:
    before = entries(told)
    fields = form_of(admin, "KQ002709") | EDIT | {"name_vi": "Bản vẽ", "name_en": "Drawings"}
    first, again = (admin.post(f"{PLACE}/edits", data=fields) for _ in range(2))
    assert first.headers["location"] == again.headers["location"] == f"{PLACE}?done=published"
    assert entries(told) == before + 1, "a form sent twice is published once"
    shown = admin.get(first.headers["location"]).text
    assert "Đã công bố chỉnh sửa" in shown and "Theo chỉnh sửa của quản trị viên" in shown
    place = re.search(r"/admin/edits/(edt-\w+)/end", shown)
    assert place is not None
    ending = hidden(shown, place[0]) | {"valid_until": "2020-01-01", "reason": "nhầm"}
    refused = admin.post(place[0], data=ending)
    assert refused.status_code == 422
    assert "Ngày này đã qua" in refused.text and 'value="2020-01-01"' in refused.text
    done = admin.post(place[0], data=ending | {"valid_until": fields["valid_from"]})
    assert done.headers["location"] == f"{PLACE}?done=ended"
    assert "nhầm" in admin.get(PLACE).text


def test_a_line_is_added_by_form(admin: httpx.Client) -> None:
    place = "/admin/procedures/1.000894"
    shown = admin.get(f"{place}?row=new").text
    day = re.search(r'name="valid_from" type="date" value="([\d-]+)"', shown)
    assert day is not None
    fields = hidden(shown, f"{place}/edits") | EDIT | {"act": "add", "kind": "document", "component": "XN02"}
    names = {"name_vi": "Giấy xác nhận", "name_en": "Confirmation", "valid_from": day[1]}
    condition = {"condition_key": "lives_abroad", "condition_vi": "Ở nước ngoài", "condition_en": "Abroad"}
    refused = admin.post(f"{place}/edits", data=fields | condition | {"valid_from": day[1]})
    assert refused.status_code == 422 and 'href="#name_vi"' in refused.text
    assert 'value="lives_abroad"' in refused.text, "nothing that was typed is lost"
    published = admin.post(f"{place}/edits", data=fields | condition | names)
    assert published.status_code == 303, published.text
    shown = admin.get(place).text
    assert "XN02" in shown and "Ở nước ngoài" in shown and "dòng do chỉnh sửa thêm vào" in shown


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"reason": ""}, "reason", "Thiếu trường này"),
        ({"legal_reference": ""}, "legal_reference", "Thiếu trường này"),
        ({"valid_from": ""}, "valid_from", "Thiếu trường này"),
        ({"valid_until": "2020-01-01"}, "valid_until", "Ngày kết thúc không được trước ngày bắt đầu"),
        ({"case": "nowhere"}, "case", "Không tìm thấy trường hợp"),
        ({"kind": "keep"}, "kind", "không thay đổi gì"),
        ({"kind": "poem"}, "kind", "Giá trị không nằm trong"),
        ({"name_vi": "Chỉ tiếng Việt"}, "name_en", "Thiếu trường này"),
        ({"condition_key": "It rains"}, "condition", "Giá trị không đúng dạng"),
        ({"condition_key": "it_rains"}, "condition_vi", "Điều kiện mới phải có tên"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(
    told: Any, admin: httpx.Client, change: dict[str, str], field: str, words: str
) -> None:
    before = entries(told)
    answer = admin.post(f"{PLACE}/edits", data=form_of(admin, "KQ002053") | EDIT | change)
    assert answer.status_code == 422
    error = re.search(rf'id="{field}-error">(.*?)</p>', answer.text, re.DOTALL)
    assert error is not None and words in unescape(error[1])
    assert entries(told) == before


def test_hostile_texts_are_shown_as_they_were_typed(admin: httpx.Client) -> None:
    hostile = dict.fromkeys(("reason", "legal_reference", "name_vi", "name_en"), HOSTILE)
    fields = form_of(admin, "KQ002356") | EDIT | hostile
    refused = admin.post(f"{PLACE}/edits", data=fields | {"case": HOSTILE})
    published = admin.post(f"{PLACE}/edits", data=fields)
    assert (refused.status_code, published.status_code) == (422, 303)
    for shown in (refused.text, admin.get(PLACE).text, admin.get("/admin", params={"q": HOSTILE}).text):
        assert "<script" not in shown and "<img" not in shown
        assert "&lt;script&gt;" in shown


def test_a_hostile_package_is_shown_as_text(told: Any, admin: httpx.Client) -> None:
    row = {"code": "KQ1", "name": f"{HOSTILE}\x07\u202e giấy", "originalQty": 1, "copyQty": 0}
    heading = {"name": HOSTILE, "profileComponents": [row]}
    package = {"code": "1.999998", "name": HOSTILE, "executionCases": [heading]}
    told.run(import_procedure(told.vault, package))
    for place in ("/admin?q=alert", f"{PLACES}/1.999998", f"{PLACES}/1.999998?row=1", "/admin/work"):
        shown = admin.get(place).text
        assert "<script" not in shown and "<img" not in shown
        assert "&lt;script&gt;" in shown and "\u202e" not in shown and "\x07" not in shown


def test_only_an_administrator_enters(told: Any) -> None:
    with httpx.Client(base_url=told.url) as owner, httpx.Client(base_url=told.url) as desk:
        owner.post("/sign-in", data={"code": told.code_for(told.stage.daughter)})
        desk.post("/sign-in", data={"code": told.staff_code(people.COMMUNE, "desk")})
        session, secret = owner.cookies[SESSION_COOKIE], desk.cookies[STAFF_COOKIE]
    others: list[dict[str, str]] = [
        {},
        {SESSION_COOKIE: session},
        {STAFF_COOKIE: session},
        {STAFF_COOKIE: secret},
        {STAFF_COOKIE: "x" * 5000},
    ]
    for cookies in others:
        with httpx.Client(base_url=told.url, cookies=cookies) as client:
            for method, path in ADMIN_DOORS:
                answer = client.request(method, re.sub(r"\{\w+\}", "x", path))
                assert (answer.status_code, answer.headers.get("location")) == (303, "/sign-in"), path


def test_a_form_of_another_session_or_site_changes_nothing(told: Any, admin: httpx.Client) -> None:
    fields = form_of(admin, "KQ002709") | EDIT
    before = entries(told)
    for place in (f"{PLACE}/edits", "/admin/edits/kho-ct01-dieu-20.2/end"):
        for wrong in ({"form_token": ""}, {"form_token": "0" * 64}):
            assert admin.post(place, data=fields | wrong).status_code == 403, place
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
            assert admin.post(place, data=fields, headers=headers).status_code == 403, place
    assert entries(told) == before


def test_what_is_not_there(admin: httpx.Client) -> None:
    for place in (f"{PLACE}?row=999", "/admin/procedures/9.999999", f"{PLACE}?version=99"):
        assert admin.get(place).status_code == 404
    fields = hidden(admin.get(f"{PLACE}?row=new").text, f"{PLACE}/edits")
    ending = fields | {"procedure": "1.013225", "valid_until": "2030-01-01", "reason": "nhầm"}
    assert admin.post("/admin/edits/edt-none/end", data=ending).status_code == 404
