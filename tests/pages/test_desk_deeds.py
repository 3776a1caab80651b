"""What an officer does at the desk, over plain HTTP: confirm, revoke with ground, hear of it, close."""

import os
import re
from html import unescape
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from reuse_api.demo import people
from signing.composing import compose
from tests.pages.desk import entries, hidden, opens, token
from vault.clock import Clock

STRANGERS = {
    "persons-0-identifier": people.STRANGER.number,
    "persons-0-name": people.STRANGER.name,
    "persons-1-identifier": people.STRANGERS_MOTHER.number,
    "persons-1-name": people.STRANGERS_MOTHER.name,
}
HOSTILE = '"><script>alert(1)</script>'
GROUND = {"ground": "Luật Hộ tịch, Điều 70; <b>15/QĐ</b>", "reason": "Cấp <i>sai</i> họ tên"}


def searches(client: httpx.Client, **typed: str) -> httpx.Response:
    """Send the form of what was issued, and follow where it leads."""
    form = {"form_token": token(client)} | typed
    return client.post("/desk/issued", data=form, follow_redirects=True)


@pytest.fixture
def photo(told: Any) -> str:
    """A paper that the stranger uploaded: at most a candidate."""
    return uploaded_photo(told)


def uploaded_photo(told: Any) -> str:
    """Upload another paper of the stranger's under the same title."""
    body = {"title": "Giấy khai sinh", "issuer_name": "UBND", "issuer_title": "CHỦ TỊCH", "signer": "A"}
    fields = body | {"body": os.urandom(8).hex(), "issued_on": "2020-01-01"}
    content = compose("general_result", fields, at=Clock().now())
    told_of = told.run(told.stage.stranger.upload("Ảnh chụp", people.RECORD_TYPE, content, "vi"))
    return str(told_of["record"])


@pytest.fixture
def issued(told: Any) -> str:
    """A certificate of the daughter's, which takes no other's place."""
    commune = told.stage.commune
    fields = people.certificate(f"{os.urandom(3).hex()}/2026", "2026-01-05", birth_place="Hà Nội")
    result = {"type": people.RECORD_TYPE, "owner_roles": ["applicant"], "fields": fields}

    async def hand_in() -> str:
        code = await commune.new_code()
        body = {
            "procedure": people.REREGISTRATION,
            "persons": [people.DAUGHTER.named("applicant")],
            "evidence": {"kind": "officer_check"},
            "channel": "counter",
        }
        await commune.open(code, body, "vi")
        reply = await commune.door.ask("POST", f"/v1/dossiers/{code}/results", result)
        return str(reply.json["record"])

    return str(told.run(hand_in()))


def test_a_candidate_is_looked_at_then_confirmed_and_only_then_counts(
    police: httpx.Client, photo: str
) -> None:
    code = opens(police, **STRANGERS)
    place = f"/desk/dossiers/{code}"
    shown = police.get(place).text
    assert "Có, cần xác nhận" in shown and "Mức tin cậy của giấy tờ thấp hơn" in shown
    form = f"{place}/confirmation?component={people.KINSHIP}&record={photo}"
    assert "Hãy xem giấy tờ trước khi xác nhận" in police.get(form).text
    fields = hidden(police.get(form).text, f"{place}/releases")
    assert fields["record"] == photo
    taken = police.post(f"{place}/releases", data=fields).headers["location"]
    release = re.search(r"/desk/releases/(rel-\w+)/content", police.get(taken).text)
    assert release is not None
    assert police.get(release[0]).content.startswith(b"%PDF")
    assert "chỉ để xem" in police.get(place).text
    fields = hidden(police.get(form).text, f"{place}/confirmation")
    empty = police.post(f"{place}/confirmation", data=fields | {"reason": "  "})
    assert empty.status_code == 422 and 'aria-invalid="true"' in empty.text
    done = police.post(f"{place}/confirmation", data=fields | {"reason": "Đã xem <b>bản chính</b>"})
    assert done.headers["location"] == f"{place}?done=confirmed"
    shown = police.get(place).text
    assert "Cán bộ đã xem và xác nhận" in shown
    assert "chỉ để xem" not in shown


def test_each_candidate_has_its_own_button_beside_it_and_a_name_of_its_own(
    told: Any, police: httpx.Client, photo: str
) -> None:
    twin = uploaded_photo(told)
    shown = police.get(f"/desk/dossiers/{opens(police, **STRANGERS)}").text
    blocks = re.findall(r'<div class="candidate">.*?</form>', shown, re.DOTALL)
    mine = [block for block in blocks if f'value="{photo}"' in block or f'value="{twin}"' in block]
    names = [re.search(r"<button.*?</button>", block, re.DOTALL) for block in mine]
    assert len({name[0] for name in names if name is not None}) == 2
    assert all(block.count("<button") == 1 and block.count('class="document"') == 1 for block in blocks)


def test_what_is_no_candidate_has_no_page_to_confirm_it(police: httpx.Client, photo: str) -> None:
    place = f"/desk/dossiers/{opens(police)}/confirmation"
    for query in (
        {},
        {"component": people.KINSHIP},
        {"component": people.KINSHIP, "record": photo},
        {"component": "X", "record": photo},
    ):
        assert police.get(place, params=query).status_code == 404
    fields = {"form_token": token(police), "component": people.KINSHIP, "record": photo, "reason": "x"}
    refusal = police.post(place, data=fields)
    assert refusal.status_code == 403
    assert 'href="/desk"' in refusal.text


def test_a_record_is_suspended_heard_of_reinstated_and_revoked(
    told: Any, police: httpx.Client, commune: httpx.Client, issued: str
) -> None:
    code = opens(police)
    fields = {"form_token": token(police), "component": people.KINSHIP, "record": issued}
    police.post(f"/desk/dossiers/{code}/releases", data=fields)
    place = f"/desk/issued/{issued}"
    listed = commune.get("/desk/issued").text
    assert place in listed and "•" not in listed
    for turn, state in (
        ("suspend", "Đang tạm khóa"),
        ("reinstate", "Còn hiệu lực"),
        ("revoke", "Đã bị thu hồi"),
    ):
        form = hidden(commune.get(place).text, place)
        done = commune.post(place, data=form | GROUND | {"turn": turn})
        assert done.status_code == 303, done.text
        shown = commune.get(done.headers["location"]).text
        assert f"Trạng thái bây giờ: {state}" in shown
        assert "Đã báo cho 1 hồ sơ" in shown
        assert "<b>" not in shown and "&lt;i&gt;sai&lt;/i&gt;" in shown
    assert f'action="{place}"' not in commune.get(place).text, "nothing more to be done"
    shown = police.get(f"/desk/dossiers/{code}").text
    for words in ("đang bị tạm khóa", "đã có hiệu lực trở lại", "đã bị thu hồi"):
        assert f"“Giấy khai sinh” {words}" in shown
    before = police.get("/desk").text.count('action="/desk/notices/')
    seen = re.search(r'action="(/desk/notices/[\w-]+/seen)"', shown)
    assert seen is not None
    assert commune.post(seen[1], data={"form_token": token(commune)}).status_code == 404
    assert police.post(seen[1], data=hidden(shown, seen[1])).status_code == 303
    assert police.get("/desk").text.count('action="/desk/notices/') == before - 1


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"ground": " "}, ["ground"]),
        ({"reason": "x" * 1001}, ["reason"]),
        ({"turn": "", "ground": ""}, ["turn", "ground"]),
        ({"turn": "erase"}, ["turn"]),
        ({"turn": "reinstate"}, ["turn"]),
    ],
)
def test_a_change_without_ground_or_sense_is_told_at_its_field_and_loses_nothing(
    commune: httpx.Client, issued: str, changes: dict[str, str], fields: list[str]
) -> None:
    place = f"/desk/issued/{issued}"
    typed = {"turn": "revoke"} | GROUND | changes
    answer = commune.post(place, data=hidden(commune.get(place).text, place) | typed)
    assert answer.status_code == 422
    assert [f'id="{name}-error"' in answer.text for name in fields] == [True] * len(fields)
    if "reason" not in changes:
        assert "Cấp &lt;i&gt;sai&lt;/i&gt; họ tên" in answer.text
    assert "Còn hiệu lực" in commune.get(place).text


def test_what_was_issued_is_found_by_its_number_and_each_search_is_an_entry(
    told: Any, commune: httpx.Client, police: httpx.Client, issued: str
) -> None:
    number = re.search(r"Số ([0-9a-f]{6}/2026)", commune.get(f"/desk/issued/{issued}").text)
    assert number is not None
    before = entries(told)
    found = searches(commune, number=f" {number[1]} ", state="in_force", type="GKS")
    assert re.findall(r'href="/desk/issued/(rec-\w+)"', found.text) == [issued]
    assert entries(told) == before + 1
    for query in ({"number": number[1], "state": "revoked"}, {"number": HOSTILE}, {"type": HOSTILE}):
        none = searches(commune, **query).text
        assert "Không tìm thấy" in none and "<script" not in none
    assert issued not in searches(police, number=number[1]).text
    assert searches(commune, number=number[1], after="rec-none").status_code == 404
    assert commune.get("/desk/issued", params={"after": "rec-none"}).status_code == 404
    assert commune.get("/desk/issued", params={"state": "x"}).status_code == 200


def test_a_number_stands_in_no_address(commune: httpx.Client, issued: str) -> None:
    number = re.search(r"Số ([0-9a-f]{6}/2026)", commune.get(f"/desk/issued/{issued}").text)
    assert number is not None
    shown = searches(commune, number=number[1], type="GKS")
    assert shown.status_code == 200 and number[1] not in str(shown.url)
    assert shown.headers["cache-control"] == "no-store"
    ways = re.findall(r'(?:href|action)="([^"]*)"', shown.text)
    assert [way for way in ways if number[1] in unquote(unescape(way))] == []
    assert re.search(r'<form class="card sieve" method="post" action="/desk/issued"', shown.text)
    without = searches(commune, type="GKS")
    assert str(without.url).endswith("/desk/issued?type=GKS"), "what names nobody can be come back to"
    addressed = commune.get("/desk/issued", params={"number": "no such number"})
    assert issued in addressed.text, "no search by an address"


def test_a_record_that_was_issued_names_nobody_for_looking_is_no_entry(
    told: Any, commune: httpx.Client, issued: str
) -> None:
    before = entries(told)
    shown = commune.get(f"/desk/issued/{issued}").text
    assert "1 chủ sở hữu" in shown
    assert not [one for one in (people.DAUGHTER, people.MOTHER) if one.name in shown or one.number in shown]
    assert entries(told) == before


def test_nobody_turns_what_another_agency_issued(police: httpx.Client, issued: str) -> None:
    place = f"/desk/issued/{issued}"
    assert police.get(place).status_code == 404
    fields = {"form_token": token(police), "turn": "revoke"} | GROUND
    assert police.post(place, data=fields).status_code == 404
    assert police.get("/desk/issued/rec-none").status_code == 404
    assert issued not in police.get("/desk/issued").text


def test_a_closed_dossier_shows_what_was_done_and_offers_nothing(police: httpx.Client) -> None:
    code = opens(police)
    place = f"/desk/dossiers/{code}"
    police.post(f"{place}/releases", data=hidden(police.get(place).text, f"{place}/releases"))
    release = re.search(r"/desk/releases/(rel-\w+)/content", police.get(place).text)
    assert release is not None
    fields = hidden(police.get(f"{place}/close").text, f"{place}/close")
    done = police.post(f"{place}/close", data=fields)
    assert done.headers["location"] == f"{place}?done=closed"
    shown = police.get(place).text
    assert "Hồ sơ đã đóng lúc" in shown and "Giấy khai sinh" in shown
    assert '/releases"' not in shown and f"{place}/result" not in shown and release[0] not in shown
    assert police.get(release[0]).status_code == 410
    for deed in ("plan", "releases"):
        fields = {"form_token": token(police), "component": people.KINSHIP}
        assert police.post(f"{place}/{deed}", data=fields).status_code == 410
    for page in ("close", "result"):
        assert police.get(f"{place}/{page}").headers["location"] == place
    story = police.get(f"{place}/releases/{release[1]}").text
    assert "Đã kết thúc khi hồ sơ đóng" in story and "Bị từ chối" in story
