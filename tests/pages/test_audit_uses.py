"""The audit's pages over plain HTTP: what a search leaves behind, what stays hidden, who may not."""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from io import StringIO
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from reuse_api.app import PAGES
from reuse_api.callers import SESSION_COOKIE, STAFF_COOKIE
from reuse_api.demo import people
from signing.growth import verify_growth
from signing.receipt import outcome_of, verify_receipt
from tests.pages.desk import hidden
from vault.masking import masked
from vault.tables import entry_fact, policy_version

GROUND = "Kế hoạch kiểm tra quý IV, mẫu số 12"
HERS = masked(people.DAUGHTER.number)
HOSTILE = '<script>alert("1")</script>{{ 7 * 7 }}"><img src=x onerror=alert(2)>'
DOORS = sorted(
    (next(iter(route.methods)), route.path)
    for router in PAGES
    for route in router.routes
    if route.path.startswith("/audit") and "rest" not in route.path
)


@contextmanager
def at_audit(told: Any, language: str = "vi") -> Iterator[httpx.Client]:
    with httpx.Client(base_url=told.url, headers={"Accept-Language": language}, timeout=60) as client:
        answer = client.post("/sign-in", data={"code": told.staff_code(people.COMMUNE, "auditor")})
        assert (answer.status_code, answer.headers["location"]) == (303, "/audit")
        yield client


@pytest.fixture
def auditor(told: Any) -> Iterator[httpx.Client]:
    with at_audit(told) as client:
        yield client


def size(told: Any) -> int:
    return int(told.vault.signer.tree.size)


def token(client: httpx.Client) -> dict[str, str]:
    return hidden(client.get("/audit").text, "/audit/searches")


def newest(told: Any, event: str) -> int:
    query = select(entry_fact.c.idx).where(entry_fact.c.event == event).order_by(entry_fact.c.idx.desc())

    async def read() -> int:
        async with told.vault.db.read() as db:
            return int((await db.execute(query.limit(1))).scalar_one())

    return int(told.run(read()))


def change(told: Any, statement: Any) -> None:
    async def write() -> None:
        async with told.vault.db.write() as db:
            await db.execute(statement)

    told.run(write())


def opened(client: httpx.Client, index: int, **fields: str) -> httpx.Response:
    place = f"/audit/entries/{index}"
    form = hidden(client.get(place).text, place)
    return client.post(place, data=form | {"ground": GROUND} | fields)


# Finding ------------------------------------------------------------------------------------------------


def test_opening_the_room_looks_for_nothing(told: Any, auditor: httpx.Client) -> None:
    before = size(told)
    shown = auditor.get("/audit")
    assert shown.status_code == 200 and "<table" not in shown.text
    assert size(told) == before


def test_a_persons_number_stands_in_no_address_and_on_no_page(told: Any, auditor: httpx.Client) -> None:
    before = size(told)
    form = token(auditor) | {"owner": people.DAUGHTER.number, "kind": "3"}
    answer = auditor.post("/audit/searches", data=form)
    place = answer.headers["location"]
    assert answer.status_code == 303 and people.DAUGHTER.number not in place
    assert "kind=3" in place and "store=own-" in place
    shown = auditor.get(place).text
    assert size(told) == before + 2  # looked up, then searched
    assert HERS in shown and people.DAUGHTER.number not in shown
    for person in (people.DAUGHTER, people.MOTHER, people.STRANGER):
        assert person.name not in shown


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"owner": "không phải số"}, "store", "Đây không phải số định danh"),
        ({"owner": "001090000001"}, "store", "Không có kho nào theo số này"),
        ({"since": "2026-02-02", "until": "2026-02-01"}, "until", "Ngày cuối ở trước ngày đầu"),
        ({"since": "hôm qua"}, "since", "Ngày phải có thật"),
        ({"kind": "99"}, "kind", "không nằm trong các giá trị"),
        ({"dossier": "x" * 101}, "dossier", "Giá trị quá dài"),
    ],
)
def test_a_fault_is_told_at_its_field_and_the_rest_is_kept(
    auditor: httpx.Client, fields: dict[str, str], field: str, words: str
) -> None:
    answer = auditor.post("/audit/searches", data=token(auditor) | {"officer": "cb-01"} | fields)
    assert answer.status_code == 422
    assert re.search(rf'id="{field}-error"[^>]*>.*?{words}', answer.text, re.DOTALL)
    assert f'aria-describedby="{"store-hint store" if field == "store" else ""}' in answer.text
    assert 'value="cb-01"' in answer.text


@pytest.mark.parametrize("place", ["/audit?find=1&", "/audit/counts?", "/audit/anomalies?"])
@pytest.mark.parametrize(
    ("field", "typed"), [("since", "hôm qua"), ("until", "31/02/2026"), ("since", "%00")]
)
def test_a_fault_in_an_address_is_told_too(auditor: httpx.Client, place: str, field: str, typed: str) -> None:
    answer = auditor.get(f"{place}{field}={typed}")
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text


def test_what_was_typed_is_shown_as_text(auditor: httpx.Client) -> None:
    for place in ("/audit", "/audit/counts", "/audit/anomalies"):
        shown = auditor.get(place, params={"find": "1", "dossier": HOSTILE, "agency": HOSTILE}).text
        assert "<script>alert" not in shown and "<img src=x" not in shown and ">49<" not in shown
    assert HOSTILE[:60] in unescape(shown)
    answer = opened(auditor, 3, ground=HOSTILE)
    assert answer.status_code == 200 and "<script>alert" not in answer.text
    assert HOSTILE in unescape(answer.text)


def test_the_pages_of_a_search_follow_each_other(auditor: httpx.Client) -> None:
    shown = auditor.get("/audit?find=1").text
    first = [int(one) for one in re.findall(r'href="/audit/entries/(\d+)"', shown)]
    assert len(first) == 50
    older = re.search(r'href="(/audit\?find=1&amp;before=\d+)"', shown)
    assert older is not None
    more = auditor.get(unescape(older[1])).text
    second = [int(one) for one in re.findall(r'href="/audit/entries/(\d+)"', more)]
    assert second[0] == first[-1] - 1
    assert "Về các mục mới nhất" in more
    assert auditor.get("/audit?find=1&before=x").status_code == 422


def test_an_export_is_what_the_search_showed(told: Any, auditor: httpx.Client) -> None:
    dossier = told.stage.residence_dossier
    shown = auditor.get("/audit", params={"find": "1", "dossier": dossier}).text
    before = size(told)
    answer = auditor.post("/audit/exports", data=hidden(shown, "/audit/exports"))
    assert answer.headers["content-type"].startswith("text/csv")
    assert re.search(r'filename="nhat-ky-\d+\.csv"', answer.headers["content-disposition"])
    assert "no-store" in answer.headers["cache-control"]
    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    assert [one["index"] for one in rows] == re.findall(r'href="/audit/entries/(\d+)"', shown)
    assert size(told) == before + 1


# Opening ------------------------------------------------------------------------------------------------


def test_an_entry_is_opened_on_a_ground_and_she_reads_of_it(told: Any, auditor: httpx.Client) -> None:
    index = newest(told, "delivered")
    closed = auditor.get(f"/audit/entries/{index}").text
    assert "chưa mở" in closed and "Căn cứ" in closed
    before = size(told)
    answer = opened(auditor, index)
    shown = unescape(answer.text)
    assert answer.status_code == 200 and size(told) == before + 2  # the closed page, the opening
    assert f"mục nhật ký số {size(told) - 1}" in shown
    assert people.POLICE.officer in shown and "Đăng ký thường trú" in shown and HERS in shown
    for person in (people.DAUGHTER, people.MOTHER):
        assert person.name not in shown and person.number not in shown
    with httpx.Client(base_url=told.url, headers={"Accept-Language": "vi"}) as wallet:
        wallet.post("/sign-in", data={"code": told.code_for(told.stage.daughter)})
        hers = unescape(wallet.get("/wallet/accesses").text)
        act = unescape(wallet.get(f"/wallet/accesses/{size(told) - 1}").text)
    assert "Kiểm toán viên mở một mục nhật ký về bạn" in hers
    assert GROUND in act and people.COMMUNE.officer in act
    assert f'href="/wallet/accesses/{index}"' in act


@pytest.mark.parametrize("ground", ["", "ngắn", " " * 30, "x" * 501])
def test_without_a_ground_it_stays_closed(told: Any, auditor: httpx.Client, ground: str) -> None:
    index, before = newest(told, "delivered"), size(told)
    answer = opened(auditor, index, ground=ground)
    assert answer.status_code == 422
    assert 'id="ground-error"' in answer.text and "Quyết định lại" not in answer.text
    assert size(told) == before + 2  # the closed page was seen twice


def test_the_same_form_sent_twice_is_one_opening(told: Any, auditor: httpx.Client) -> None:
    index = newest(told, "delivered")
    place = f"/audit/entries/{index}"
    form = hidden(auditor.get(place).text, place) | {"ground": GROUND}
    first, before = auditor.post(place, data=form), size(told)
    again = auditor.post(place, data=form)
    assert (first.status_code, again.status_code, size(told)) == (200, 200, before)


def test_a_decision_is_made_again_on_the_page(auditor: httpx.Client, told: Any) -> None:
    index = newest(told, "delivered")
    place = f"/audit/entries/{index}/replay"
    shown = auditor.post(place, data=hidden(opened(auditor, index).text, place)).text
    assert "Quyết định lại cho kết quả như đã ghi" in shown
    assert 'role="status"' in shown and "no_statute_rule" in shown


def test_rules_changed_afterwards_and_a_row_that_lies_are_alarms(auditor: httpx.Client, told: Any) -> None:
    index = newest(told, "delivered")
    book = told.vault.book.to_json()
    place = f"/audit/entries/{index}/replay"
    changed = policy_version.c.hash == told.vault.book.hash
    change(told, update(policy_version).where(changed).values(book=book.replace("2026-01-01", "2026-01-02")))
    change(told, update(entry_fact).where(entry_fact.c.idx == index).values(officer="cb-khac"))
    try:
        shown = auditor.post(place, data=hidden(opened(auditor, index).text, place)).text
    finally:
        change(told, update(policy_version).where(changed).values(book=book))
        honest = update(entry_fact).where(entry_fact.c.idx == index).values(officer=people.POLICE.officer)
        change(told, honest)
    assert shown.count('role="alert"') == 2
    assert "Bộ quy tắc đã bị sửa sau khi công bố" in shown
    assert f"mục ghi {people.POLICE.officer}, dòng lọc ghi cb-khac" in shown


def test_a_proof_is_handed_out_and_holds_offline(auditor: httpx.Client, told: Any) -> None:
    index = newest(told, "delivered")
    place = f"/audit/entries/{index}/proof"
    answer = auditor.post(place, data=hidden(opened(auditor, index).text, place))
    assert f"-{index}.txt" in answer.headers["content-disposition"]
    assert verify_receipt(answer.text, told.vault.signer.verifier_line).outcome == "valid"


# The log as a whole -------------------------------------------------------------------------------------


def test_growth_is_proven_from_a_kept_checkpoint(auditor: httpx.Client, told: Any) -> None:
    shown = auditor.get("/audit/log").text
    kept = unescape(re.search(r"<code>(kho\.local/log-[^<]*\n\d+\n[^<]*)</code>", shown)[1])
    auditor.get("/audit?find=1")
    old = kept.split("\n")[1]
    proven = auditor.get("/audit/log", params={"old": old}).text
    assert "Nhật ký chỉ dài thêm" in proven and "kho verify growth" in proven
    answer = auditor.get("/audit/log/growth", params={"old": old})
    assert f'filename="chung-minh-tu-{old}.txt"' in answer.headers["content-disposition"]
    assert outcome_of(verify_growth(answer.text, kept, told.vault.signer.verifier_line)) == "valid"


@pytest.mark.parametrize(("old", "new"), [("0", ""), ("5", "2"), ("x", ""), ("1", "99999999"), ("", "5")])
def test_sizes_that_cannot_be_are_told_at_their_field(auditor: httpx.Client, old: str, new: str) -> None:
    answer = auditor.get("/audit/log", params={"old": old, "new": new})
    assert answer.status_code == 422 and 'class="error"' in answer.text
    assert auditor.get("/audit/log/growth", params={"old": "0"}).status_code == 404


# Who may not ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), DOORS, ids=str)
def test_nobody_else_gets_in(told: Any, method: str, path: str) -> None:
    codes = {
        SESSION_COOKIE: [told.code_for(told.stage.daughter)],
        STAFF_COOKIE: [told.staff_code(people.COMMUNE, role) for role in ("desk", "administrator")],
    }
    place, before = path.replace("{index}", "3"), size(told)
    with httpx.Client(base_url=told.url) as nobody:
        assert nobody.request(method, place).headers["location"] == "/sign-in"
    for every in codes.values():
        for code in every:
            with httpx.Client(base_url=told.url) as client:
                client.post("/sign-in", data={"code": code})
                answer = client.request(method, place)
                assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert size(told) == before


@pytest.mark.parametrize("path", [path for method, path in DOORS if method == "POST"])
@pytest.mark.parametrize(
    "origin", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}]
)
def test_a_form_of_another_site_or_session_does_nothing(
    told: Any, auditor: httpx.Client, path: str, origin: dict[str, str]
) -> None:
    form, place = token(auditor) | {"ground": GROUND}, path.replace("{index}", "3")
    before = size(told)
    assert auditor.post(place, data=form, headers=origin).status_code == 403
    assert auditor.post(place, data=form | {"form_token": "0" * 64}).status_code == 403
    assert auditor.post(place, data={"ground": GROUND}).status_code == 403
    assert size(told) == before
