"""What keeps the wallet closed, over plain HTTP: forms of other sites, other people's things, caches."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from reuse_api.app import PAGES as PAGE_ROUTERS
from reuse_api.app import create_app
from reuse_api.callers import SESSION_COOKIE
from reuse_api.demo import people
from reuse_api.demo.actors import Wallet
from reuse_api.settings import Settings
from tests.pages.family import Family
from vault.keeping import blob_name
from vault.services import MAX_UPLOAD

PAGES = ["/wallet", "/wallet/accesses", "/wallet/upload", "/wallet/nothing"]
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def daughter(told: Any) -> Iterator[httpx.Client]:
    with _signed_in(told, told.stage.daughter) as client:
        yield client


@contextmanager
def _signed_in(told: Any, wallet: Wallet) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=told.url, headers={"Accept-Language": "vi"}) as client:
        answer = client.post("/sign-in", data={"code": told.code_for(wallet)})
        assert (answer.status_code, answer.headers["location"]) == (303, "/wallet")
        yield client


def _token(client: httpx.Client) -> dict[str, str]:
    shown = client.get("/wallet/upload").text
    return {name: _value(shown, name) for name in ("form_token", "request")}


def _value(shown: str, name: str) -> str:
    found = re.search(rf'action="/wallet/records".*?name="{name}" value="([0-9a-f]+)"', shown, re.DOTALL)
    assert found is not None
    return found[1]


def _sent(client: httpx.Client, fields: dict[str, str], content: bytes, **more: Any) -> httpx.Response:
    file = {"file": ("a.pdf", content, "application/pdf")}
    return client.post("/wallet/records", data=fields, files=file, **more)


def _records(client: httpx.Client) -> int:
    return client.get("/wallet").text.count('<li class="card paper')


@pytest.mark.parametrize(
    "place", ["/wallet", "/wallet/accesses", "/wallet/upload", "/wallet/accesses/1/proof"]
)
def test_who_is_not_signed_in_is_led_to_the_door(told: Any, place: str) -> None:
    answer = httpx.get(told.url + place)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "no-store" in answer.headers["cache-control"]


def test_the_bare_address_leads_to_the_wallet(told: Any) -> None:
    answer = httpx.get(told.url)
    assert (answer.status_code, answer.headers["location"]) == (303, "/wallet")


@pytest.mark.parametrize("place", PAGES)
def test_a_page_is_kept_by_nobody_and_runs_nothing(daughter: httpx.Client, place: str) -> None:
    answer = daughter.get(place)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-language"] == "vi"
    assert not re.search(r"<script|\son\w+=|\sstyle=|javascript:|https?://(?!www\.w3\.org)", answer.text)


def test_the_session_cookie_is_out_of_reach_of_other_sites_and_scripts(told: Any) -> None:
    answer = httpx.post(told.url + "/sign-in", data={"code": told.code_for(told.stage.daughter)})
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(SESSION_COOKIE) and "httponly" in cookie and "samesite=strict" in cookie


def test_a_file_of_ours_is_kept_for_ever_under_the_name_of_its_content(daughter: httpx.Client) -> None:
    found = re.search(r'href="(/static/kho\.[0-9a-f]{16}\.css)"', daughter.get("/wallet").text)
    assert found is not None
    answer = daughter.get(found[1])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert daughter.get("/static/kho.0000000000000000.css").status_code == 404
    assert daughter.get("/static/..%2Fwallet.py").status_code == 404


def test_a_form_without_the_token_of_this_session_changes_nothing(told: Any, daughter: httpx.Client) -> None:
    with _signed_in(told, told.stage.mother) as mother:
        foreign = _token(mother)
    before = _records(daughter)
    fields = {"title": "Lạ", "type": "KHAC"}
    for token in ({}, {"form_token": ""}, {"form_token": "0" * 64}, foreign):
        answer = _sent(daughter, fields | token, b"%PDF-1.4\n")
        assert answer.status_code == 403
        assert "Biểu mẫu không còn hiệu lực" in answer.text
    assert daughter.post("/sign-out", data={"form_token": "0" * 64}).status_code == 403
    assert _records(daughter) == before


WRITES = sorted(
    route.path
    for router in PAGE_ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and "POST" in route.methods and route.path.startswith("/wallet/")
)


@pytest.mark.parametrize("place", [one for one in WRITES if one != "/wallet/records"])
def test_no_form_of_the_wallet_is_taken_without_its_token_or_from_elsewhere(
    told: Any, daughter: httpx.Client, place: str
) -> None:
    place, before = re.sub(r"\{\w+\}", "x", place), told.vault.signer.tree.size
    form = {"form_token": _token(daughter)["form_token"], "do": "pause", "act": "give", "consent": "x"}
    for fields, headers in (
        (form | {"form_token": ""}, {}),
        (form | {"form_token": "0" * 64}, {}),
        (form, {"Origin": "https://elsewhere.example"}),
        (form, {"Sec-Fetch-Site": "cross-site"}),
        (form, {"Sec-Fetch-Site": "same-site"}),
    ):
        assert daughter.post(place, data=fields, headers=headers).status_code == 403, (place, headers)
    assert told.vault.signer.tree.size == before


def test_when_what_she_acted_by_ends_she_is_led_back_to_her_own_store(told: Any, family: Family) -> None:
    with _signed_in(told, told.stage.mother) as mother:
        token = {"form_token": _token(mother)["form_token"]}
        claim = token | {"kind": "parent", "value": people.CHILD.number}
        assert mother.post("/wallet/people", data=claim).status_code == 303
        found = re.search(r'name="delegation" value="([^"]+)"', mother.get("/wallet/people").text)
        assert found is not None
        mother.post("/wallet/people/act", data=token | {"delegation": found[1]})
        assert people.CHILD.name in mother.get("/wallet").text
        record = re.search(r"/wallet/records/(rec-\w+)", mother.get("/wallet").text)
        assert record is not None
        why = {"ground": "Luật Hộ tịch 2014, Điều 70", "reason": "Ghi sai tên mẹ"}
        told.run(told.stage.commune.door.ask("POST", f"/v1/records/{record[1]}/revocation", why))
        for place in ("/wallet", "/wallet/accesses", f"/wallet/records/{record[1]}"):
            answer = mother.get(place)
            assert (answer.status_code, answer.headers["location"]) == (303, "/wallet/people")
        shown = mother.get("/wallet/people").text
        assert "Bạn không còn được thay mặt kho đang mở" in shown
        assert mother.post("/wallet/people/act", data=token).headers["location"] == "/wallet"
        assert people.MOTHER.name in mother.get("/wallet").text


@pytest.mark.parametrize(
    "origin",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
    ],
)
def test_a_form_of_another_site_changes_nothing(daughter: httpx.Client, origin: dict[str, str]) -> None:
    fields = {"title": "Lạ", "type": "KHAC"} | _token(daughter)
    assert _sent(daughter, fields, b"%PDF-1.4\n", headers=origin).status_code == 403
    assert daughter.post("/sign-in", data={"code": "x"}, headers=origin).status_code == 403
    assert daughter.post("/language", data={"language": "en"}, headers=origin).status_code == 403
    leaving = daughter.post("/sign-out", data=_token(daughter), headers=origin)
    assert leaving.status_code == 403
    assert daughter.get("/wallet").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "evil.example:8080"])
def test_under_a_name_that_is_not_ours_nothing_is_shown_and_nothing_is_done(
    told: Any, daughter: httpx.Client, host: str
) -> None:
    before, code = _records(daughter), told.code_for(told.stage.daughter)
    for answer in (
        daughter.get("/wallet", headers={"Host": host}),
        daughter.post("/sign-in", data={"code": code}, headers={"Host": host, "Origin": f"http://{host}"}),
        _sent(
            daughter,
            {"title": "Lạ", "type": "KHAC"} | _token(daughter),
            b"%PDF-1.4\n",
            headers={"Host": host},
        ),
        daughter.get("/v1/me/records", headers={"Host": host}),
    ):
        assert answer.status_code == 421
        assert "set-cookie" not in answer.headers
        assert people.DAUGHTER.name not in answer.text
    assert _records(daughter) == before


@pytest.mark.parametrize(
    "title", ["Bằng\u202efdp.exe", "Bằng\u2066\u2069", "a\x1b[2Jb", "a\x00b", "Bằng\u200b"]
)
def test_a_title_that_is_not_what_it_looks_like_is_told_at_its_field(
    daughter: httpx.Client, pdf: Any, title: str
) -> None:
    before = _records(daughter)
    answer = _sent(daughter, {"title": title, "type": "KHAC"} | _token(daughter), pdf("Bằng").read_bytes())
    assert answer.status_code == 422
    assert 'id="title-error"' in answer.text and "ký tự ẩn" in answer.text
    assert not set(title) & set("\u202e\u2066\u2069\x1b\x00") & set(answer.text)
    assert _records(daughter) == before


def test_a_file_changed_after_it_was_signed_is_said_to_be_so(told: Any, daughter: httpx.Client) -> None:
    sealed = daughter.get(f"/wallet/records/{told.told_of['certificate']}/content").content
    place = sealed.index(b"stream") + 30
    changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
    answer = _sent(daughter, {"title": "Giấy khai sinh", "type": "GKS"} | _token(daughter), changed)
    assert answer.status_code == 422
    assert "đã bị sửa sau khi ký" in answer.text


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "C:\\\\bằng.pdf", "bang\u202efdp.exe", "..", 'a"; x="']
)
def test_a_file_name_leads_nowhere_and_is_shown_nowhere(
    told: Any, daughter: httpx.Client, pdf: Any, name: str
) -> None:
    content = pdf(f"Bằng {name}").read_bytes()
    fields = {"title": "Bằng lái", "type": "KHAC"} | _token(daughter)
    file = {"file": (name, content, "application/pdf")}
    answer = daughter.post("/wallet/records", data=fields, files=file)
    assert answer.status_code == 303
    listed = daughter.get("/wallet").text
    assert "Bằng lái" in listed and "passwd" not in listed and "exe" not in listed
    scratch = told.vault.scratch
    assert [one.name for one in scratch.iterdir()] == []


def test_the_language_form_leads_nowhere_but_home(told: Any) -> None:
    for back in (
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/wallet/../../x",
        "/v1/me/records",
        "/\\x",
    ):
        answer = httpx.post(told.url + "/language", data={"language": "en", "back": back}, headers=OURS)
        place = answer.headers["location"]
        assert answer.status_code == 303
        assert place.startswith("/wallet") and not place.startswith("//")


def test_unknown_and_not_mine_are_answered_alike(told: Any, daughter: httpx.Client) -> None:
    theirs = told.stage.strangers_record
    unknown = "rec-" + "0" * 32
    for ending in ("", "/content"):
        answers = [daughter.get(f"/wallet/records/{one}{ending}") for one in (theirs, unknown)]
        assert [one.status_code for one in answers] == [404, 404]
        texts = [one.text.replace(theirs, "").replace(unknown, "") for one in answers]
        assert texts[0] == texts[1]
    for index in ("0", "999999999", "-1", "abc", "9" * 30, "１"):
        for ending in ("", "/proof"):
            answer = daughter.get(f"/wallet/accesses/{index}{ending}")
            assert answer.status_code == 404, index
            assert "Không tìm thấy trang này" in answer.text


def test_a_file_over_the_limit_is_refused_and_the_title_kept(daughter: httpx.Client) -> None:
    before = _records(daughter)
    fields = _token(daughter) | {"title": "Tệp quá lớn", "type": "KHAC"}
    answer = _sent(daughter, fields, b"%PDF-1.4\n" + bytes(MAX_UPLOAD))
    assert answer.status_code == 422
    assert 'value="Tệp quá lớn"' in answer.text
    assert "50 MB" in answer.text
    assert _records(daughter) == before


def test_every_field_at_fault_is_named_at_once(daughter: httpx.Client) -> None:
    answer = _sent(daughter, _token(daughter) | {"title": " ", "type": ""}, b"")
    assert answer.status_code == 422
    assert re.findall(r'<li><a href="#(\w+)"', answer.text) == ["title", "type", "file"]
    long = _sent(daughter, _token(daughter) | {"title": "a" * 201, "type": "XYZ"}, b"%PDF-1.4\n")
    assert re.findall(r'<li><a href="#(\w+)"', long.text) == ["title"]
    strange = _sent(daughter, _token(daughter) | {"title": "a", "type": "XYZ"}, b"%PDF-1.4\n")
    assert re.findall(r'<li><a href="#(\w+)"', strange.text) == ["type"]


def test_the_list_of_accesses_goes_on_page_by_page(daughter: httpx.Client) -> None:
    first = daughter.get("/wallet/accesses")
    indexes = [int(one) for one in re.findall(r'href="/wallet/accesses/(\d+)"', first.text)]
    older = daughter.get("/wallet/accesses", params={"before": str(min(indexes) + 1)})
    assert re.findall(r'href="/wallet/accesses/(\d+)"', older.text) == [str(min(indexes))]
    assert "Về các lần mới nhất" in older.text
    assert daughter.get("/wallet/accesses", params={"before": "x"}).status_code == 422


def test_there_is_no_way_in_where_the_demo_is_not(told: Any) -> None:
    closed = create_app(told.vault, Settings(listen=told.settings.listen))
    code = told.code_for(told.stage.daughter)

    async def knock() -> list[httpx.Response]:
        over = httpx.ASGITransport(closed)
        async with httpx.AsyncClient(transport=over, base_url=told.url) as client:
            return [await client.get("/sign-in"), await client.post("/sign-in", data={"code": code})]

    for answer in told.run(knock()):
        assert answer.status_code == 404
        assert "set-cookie" not in answer.headers
        assert 'name="code"' not in answer.text


@pytest.mark.parametrize("page", ["0", "2", "-1", "x", "１", "9" * 30])
@pytest.mark.parametrize("part", ["view", "pages"])
def test_a_page_that_is_not_there_is_said_to_be_so(daughter: httpx.Client, part: str, page: str) -> None:
    found = re.search(r'href="(/wallet/records/rec-\w+)"', daughter.get("/wallet").text)
    assert found is not None
    answer = daughter.get(f"{found[1]}/{part}/{page}")
    assert (answer.status_code, "Không tìm thấy trang này" in answer.text) == (404, True)


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "0000-01", "9999-12", "x", "2026-11'--"])
def test_a_month_that_is_none_is_not_there(daughter: httpx.Client, month: str) -> None:
    assert daughter.get("/wallet/accesses", params={"month": month}).status_code == 404
    quiet = daughter.get("/wallet/accesses", params={"month": "2020-02"})
    assert quiet.status_code == 200 and "Không có gì trong tháng này" in quiet.text


def test_a_damaged_file_is_given_to_nobody_and_shown_as_damaged(told: Any, caplog: Any) -> None:
    with _signed_in(told, told.stage.stranger) as client:
        found = re.search(r'href="(/wallet/records/(rec-\w+))"', client.get("/wallet").text)
        assert found is not None
        blob = _blob_of(told, found[2])
        content = bytearray(blob.read_bytes())
        content[len(content) // 2] ^= 1
        blob.chmod(0o600)
        blob.write_bytes(content)
        answer = client.get(found[1] + "/content")
        assert answer.status_code == 500
        assert "Tệp lưu trữ bị hỏng" in answer.text
        assert [one.msg for one in caplog.records if one.name == "kho.failures"] == ["content_damaged"]
        shown = client.get(found[1]).text
        assert "Tệp lưu trữ bị hỏng" in shown and "/view/1" not in shown
        assert "<img" not in client.get(found[1] + "/view/1").text
        picture = client.get(found[1] + "/pages/1")
        assert (picture.status_code, "Yêu cầu bị từ chối" in picture.text) == (403, True)
        assert "chưa gửi được trọn vẹn" in client.get("/wallet/accesses").text


def _blob_of(told: Any, record: str) -> Path:
    """Find the file that holds the sealed bytes of a record."""
    (found,) = told.vault.scratch.parent.joinpath("blobs").rglob(blob_name(record, "file").replace("/", "."))
    return Path(found)
