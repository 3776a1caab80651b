"""Handing in a result at the desk, over plain HTTP: from fields or as a file, in place of an older one."""

import os
import re
from html import unescape
from typing import Any

import httpx
import pytest

from reuse_api.demo import people
from signing.composing import compose
from tests.hostile.making import RECIPES
from tests.pages.desk import at_desk, hidden, opens, token
from vault.clock import Clock

HOSTILE = '"><script>alert(1)</script>'
OURS = {
    "procedure": people.REREGISTRATION,
    "case": "",
    "persons-1-identifier": "",
    "persons-1-name": "",
}


@pytest.fixture
def place(commune: httpx.Client) -> str:
    """The address of the form of a result, of a dossier of its own."""
    return f"/desk/dossiers/{opens(commune, **OURS)}/result"


def certificate(**changes: str) -> dict[str, str]:
    """What an officer types into the form of a birth certificate."""
    day = Clock().now().date().isoformat()
    fields = people.certificate(f"{os.urandom(3).hex()}/2026", day, birth_place="Hà Nội")
    texts = {f"f-{name}": str(value) for name, value in fields.items() if value is not True}
    return {"role-applicant": "on", "f-reregistered": "on", "do": "issue"} | texts | changes


def form(client: httpx.Client, place: str, by: str = "") -> str:
    """Show the form of a birth certificate: the commune issues other papers too."""
    return client.get(place, params={"type": people.RECORD_TYPE, "by": by}).text


def send(client: httpx.Client, place: str, fields: dict[str, str]) -> httpx.Response:
    return client.post(place, data=hidden(form(client, place), place) | fields)


def faults(shown: str) -> list[str]:
    return re.findall(r'<p class="error" id="([\w-]+)-error">', shown)


def results(client: httpx.Client, place: str) -> int:
    shown = client.get(place.removesuffix("/result")).text
    return shown.partition('id="results"')[2].partition('id="about"')[0].count('class="document"')


def test_a_result_is_issued_once_and_takes_the_place_of_an_older_one(
    commune: httpx.Client, place: str
) -> None:
    shown = form(commune, place)
    assert f'value="{people.DAUGHTER.number}"' in shown and people.COMMUNE.name_vi in shown
    assert re.findall(r'id="([\w-]+)"[^>]* autofocus', shown) == ["f-number"]
    first = hidden(shown, place) | certificate()
    answers = [commune.post(place, data=first) for _ in range(2)]
    assert {answer.headers["location"] for answer in answers} == {
        f"{place.removesuffix('/result')}?done=result"
    }
    assert results(commune, place) == 1
    done = commune.get(answers[0].headers["location"]).text.partition("Đã cấp kết quả")[2]
    assert "Chữ ký số hợp lệ" in done.partition('id="plan"')[0], "what it is worth is told at once"
    number = first["f-number"]
    older = re.search(rf'name="(replaces-rec-\w+)"[^>]*><span>[^<]*{re.escape(number)}', form(commune, place))
    assert older is not None
    second = send(commune, place, certificate(**{older[1]: "on"}))
    assert second.status_code == 303, second.text
    assert number not in form(commune, place), "what was replaced is replaced once"
    record = older[1].removeprefix("replaces-")
    assert "Đã được thay bằng" in commune.get(f"/desk/issued/{record}").text


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"f-full_name": ""}, ["f-full_name"]),
        ({"f-birth_date": "14/03/2007", "f-signer": " "}, ["f-birth_date", "f-signer"]),
        ({"f-personal_number": "001180034562"}, ["f-personal_number"]),
        ({"f-mother_personal_number": "12"}, ["f-mother_personal_number"]),
        ({"f-home_town": "x" * 501}, ["f-home_town"]),
        ({"role-applicant": ""}, []),
        ({"replaces-rec-none": "on"}, []),
        ({"valid_until": "2001-01-01"}, ["valid_until"]),
    ],
)
def test_a_fault_is_told_at_its_field_and_nothing_typed_is_lost(
    commune: httpx.Client, place: str, changes: dict[str, str], at: list[str]
) -> None:
    typed = {name: text for name, text in (certificate() | changes).items() if text or name in at}
    answer = send(commune, place, typed)
    assert answer.status_code == 422
    assert faults(answer.text) == at or (not at and 'role="alert"' in answer.text)
    kept = dict(re.findall(r'<input id="([\w-]+)"[^>]*? value="([^"]*)"', answer.text))
    texts = {name: text.strip() for name, text in typed.items() if name in kept and name != "file"}
    assert {name: unescape(kept[name]) for name in texts} == texts
    assert results(commune, place) == 0


def test_a_row_is_added_to_a_list_and_hostile_texts_stay_in_their_fields(
    commune: httpx.Client, place: str
) -> None:
    row = {"l-changes-0-content": HOSTILE, "f-full_name": HOSTILE, "do": "add-changes"}
    answer = send(commune, place, certificate(**row))
    assert answer.status_code == 200
    assert 'id="l-changes-1-content"' in answer.text
    assert "<script" not in answer.text
    assert answer.text.count("&#34;&gt;&lt;script&gt;") == 2
    assert (
        'id="add-changes" type="submit" name="do" value="add-changes" formnovalidate autofocus' in answer.text
    )


def test_a_file_is_handed_in_with_what_it_says(commune: httpx.Client, place: str) -> None:
    handing_in = f"{place}/file"
    shown = form(commune, place, by="file")
    at = Clock().now()
    body = {"title": "Bản cũ", "issuer_name": "UBND", "issuer_title": "CHỦ TỊCH", "signer": "A"}
    day = at.date().isoformat()
    content = compose("general_result", body | {"body": os.urandom(8).hex(), "issued_on": day}, at=at)
    said = {
        "role-applicant": "on",
        "f-title": f"Bản cũ {HOSTILE}",
        "f-number": "7/1999",
        "f-issued_on": "1999-05-01",
    }
    fields = hidden(shown, handing_in) | said
    for bad, code in ((b"no pdf", "không phải PDF"), (b"", "rỗng")):
        wrong = commune.post(
            handing_in, data=fields, files={"file": ("../../<b>\u202e.pdf", bad, "application/pdf")}
        )
        assert (wrong.status_code, faults(wrong.text)) == (422, ["file"])
        assert code in wrong.text and "7/1999" in wrong.text and "<script" not in wrong.text
        assert "chưa có gì được lưu" in wrong.text
    script = RECIPES["script_that_runs_on_opening"]() + os.urandom(8).hex().encode()
    shut = commune.post(handing_in, data=fields, files={"file": ("a.pdf", script, "application/pdf")})
    assert (shut.status_code, faults(shut.text)) == (422, ["file"])
    assert "cách ly trong 30 ngày" in shut.text and "chưa có gì được lưu" not in shut.text
    done = commune.post(handing_in, data=fields, files={"file": ("a.pdf", content, "application/pdf")})
    assert done.status_code == 303, done.text
    assert results(commune, place) == 1
    shown = commune.get(place.removesuffix("/result")).text
    assert "&lt;script&gt;" in shown and "<script" not in shown
    assert "Chưa được kiểm chứng" in shown
    unticked = {name: text for name, text in fields.items() if name != "role-applicant"}
    answer = commune.post(handing_in, data=unticked, files={"file": ("a.pdf", content, "application/pdf")})
    assert faults(answer.text) == ["roles"]


def test_a_form_of_another_session_issues_nothing(told: Any, commune: httpx.Client, place: str) -> None:
    with at_desk(told, people.POLICE) as police:
        foreign = token(police)
    file = {"file": ("a.pdf", b"%PDF-1.4\n", "application/pdf")}
    for wrong in ("", "0" * 64, foreign):
        assert commune.post(place, data=certificate() | {"form_token": wrong}).status_code == 403
        fields = {"form_token": wrong, "type": "GKS", "role-applicant": "on"}
        assert commune.post(f"{place}/file", data=fields, files=file).status_code == 403
    assert results(commune, place) == 0


def test_who_issues_nothing_is_told_so_and_nobody_issues_for_another(
    told: Any, commune: httpx.Client, place: str
) -> None:
    with at_desk(told, people.POLICE) as police:
        assert police.get(place).status_code == 404
        own = f"/desk/dossiers/{opens(police)}/result"
        assert "chưa được đăng ký cấp loại giấy tờ nào" in police.get(own).text
        fields = certificate() | {"form_token": token(police), "type": "GKS"}
        assert police.post(own, data=fields).status_code == 422
        assert police.post(place, data=fields).status_code == 404
