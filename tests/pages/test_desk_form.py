"""The form of a new dossier, over plain HTTP: faults at their fields, and nothing that was typed is lost."""

import re
import unicodedata
from html import unescape
from typing import Any

import httpx
import pytest

from reuse_api.demo import people
from tests.pages.desk import PERSONS, RESIDENCE, field, opens

HOSTILE = '"><script>alert(1)</script>{{ 7 * 7 }}'
FORM = "/desk/new"


def send(client: httpx.Client, **changes: str) -> httpx.Response:
    shown = client.get(FORM).text
    fields = {"form_token": field(shown, "form_token"), "code": field(shown, "code"), "do": "open"}
    return client.post(FORM, data=fields | RESIDENCE | changes)


def faults(shown: str) -> list[str]:
    return re.findall(r'<p class="error" id="([\w-]+)-error">', shown)


def typed(shown: str) -> dict[str, str]:
    """Read back what stands in the form."""
    found = dict(re.findall(r'<input id="([\w-]+)"[^>]*? value="([^"]*)"', shown))
    for name, body in re.findall(r'<select id="([\w-]+)".*?>(.*?)</select>', shown, re.DOTALL):
        chosen = re.search(r'value="([^"]*)"[^>]* selected', body)
        found[name] = chosen[1] if chosen else ""
    found |= dict(re.findall(r'<input type="radio" name="(\w+)" value="(\w+)"[^>]* checked', shown))
    return {name: unescape(value) for name, value in found.items()}


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"code": "mistyped"}, "code"),
        ({"code": "G01.26.05-261399-0001"}, "code"),
        ({"code": "G01.26.05-991231-0001"}, "code"),
        ({"code": f"{people.COMMUNE.code}-260101-0001"}, "code"),
        ({"procedure": people.REREGISTRATION, "case": ""}, "procedure"),
        ({"procedure": ""}, "procedure"),
        ({"case": ""}, "case"),
        ({"case": "no-such-case"}, "case"),
        ({"additional_cases": "no-such-case"}, "additional_cases"),
        ({"conditions": "no_such_condition"}, "conditions"),
        ({"persons-0-identifier": "12345"}, "persons-0-identifier"),
        ({"persons-0-scheme": "tax_code"}, "persons-0-identifier"),
        ({"persons-0-name": ""}, "persons-0-name"),
        ({"persons-1-role": ""}, "persons-1-role"),
        ({"persons-1-role": "applicant"}, "persons-1-role"),
        ({"persons-1-born_on": "31/02/1980"}, "persons-1-born_on"),
        ({"persons-1-name": "A\u0000B"}, "persons-1-name"),
        ({"persons-1-represented": "on"}, "persons-1-evidence"),
        ({"evidence": ""}, "evidence"),
        ({"evidence": "hearsay"}, "evidence"),
        ({"evidence": "portal_submission", "reference": ""}, "reference"),
        ({"channel": "pigeon"}, "channel"),
        (dict.fromkeys(PERSONS, ""), "persons"),
    ],
)
def test_a_fault_is_told_at_its_field_and_nothing_typed_is_lost(
    police: httpx.Client, changes: dict[str, str], at: str
) -> None:
    answer = send(police, **changes)
    assert answer.status_code == 422
    assert faults(answer.text) == [at]
    assert f'href="#{at}"' in answer.text and f'id="{at}"' in answer.text
    kept = typed(answer.text)
    sent = {name: value.replace("\0", "") for name, value in (RESIDENCE | changes).items()}
    shown = {name: value.replace("\0", "").replace("\ufffd", "") for name, value in kept.items()}
    unchoosable = {"procedure", "case", "evidence", "channel", "additional_cases", "conditions"}
    for name, value in sent.items():
        if name in shown and not (name in unchoosable and name in changes):
            assert shown[name] == value, name


def test_several_faults_are_told_at_once(police: httpx.Client) -> None:
    answer = send(police, **{"code": "x", "evidence": "", "persons-1-role": "applicant"})
    assert faults(answer.text) == ["persons-1-role", "evidence", "code"]
    assert re.findall(r'id="([\w-]+)"[^>]* autofocus', answer.text) == ["persons-1-role"]


def test_a_row_is_added_dropped_and_passed_over_when_blank(told: Any, police: httpx.Client) -> None:
    more = send(police, do="add")
    assert more.status_code == 200 and faults(more.text) == []
    assert 'id="persons-2-role" name="persons-2-role" autofocus' in more.text
    assert typed(more.text)["persons-1-identifier"] == people.MOTHER.number
    less = send(police, do="drop-0")
    assert typed(less.text)["persons-0-identifier"] == people.MOTHER.number
    assert "persons-1-role" not in less.text
    assert send(police, **{"persons-2-role": "mother"}).status_code == 303


def test_rows_end_at_ten_and_the_last_one_stays(police: httpx.Client) -> None:
    rows = {f"persons-{n}-role": "mother" for n in range(2, 12)}
    shown = send(police, do="add", **rows).text
    assert "persons-9-role" in shown and "persons-10-role" not in shown
    assert 'value="add"' not in shown
    only = {name: "" for name in PERSONS if name.startswith("persons-1")}
    for deed in ("drop-0", "drop-7", "drop-x"):
        assert "persons-0-role" in send(police, do=deed, **only).text


def test_the_form_begins_with_the_parts_that_the_procedure_speaks_of(police: httpx.Client) -> None:
    shown = police.get(FORM).text
    first = typed(shown)
    assert (first["procedure"], first["persons-0-role"], first["persons-1-role"]) == (
        people.RESIDENCE,
        "applicant",
        "householder",
    )
    assert "Trẻ em mới sinh đăng ký thường trú lần đầu" in shown
    assert "checked" not in re.findall(r'name="evidence"[^>]*', shown)


def test_a_code_that_is_taken_is_told_and_the_same_form_again_opens_nothing_new(
    police: httpx.Client,
) -> None:
    code = opens(police)
    assert send(police, code=code).headers["location"] == f"/desk/dossiers/{code}?done=opened"
    other = send(police, code=code, reference="khác")
    assert (other.status_code, faults(other.text)) == (422, ["code"])


def test_names_are_kept_composed_however_they_were_typed(police: httpx.Client) -> None:
    name = unicodedata.normalize("NFD", "Trần  Thị\u00a0Hồng")
    code = opens(police, **{"persons-1-identifier": "001185034571", "persons-1-name": name})
    assert "Trần Thị Hồng" in police.get(f"/desk/dossiers/{code}").text


def test_hostile_texts_stay_in_their_fields(police: httpx.Client) -> None:
    texts = {"code", "reference", "persons-0-name", "persons-0-identifier", "persons-0-evidence"}
    answer = send(police, **dict.fromkeys(texts, HOSTILE), **{"persons-0-represented": "on"})
    assert answer.status_code == 422
    assert "<script" not in answer.text
    kept = typed(answer.text)
    assert {name for name in texts if kept[name] == HOSTILE} == texts
    for name in ("procedure", "persons-0-role", "case"):
        assert "<script" not in send(police, **{name: HOSTILE}).text
    assert "<script" not in police.get(FORM, params={"code": HOSTILE, "procedure": HOSTILE}).text


def test_a_form_that_is_none_opens_nothing(police: httpx.Client) -> None:
    assert police.post(FORM, content=b"\xff\xfe", headers={"Content-Type": "text/plain"}).status_code == 403
    files = {"code": ("x.pdf", b"%PDF", "application/pdf")}
    assert police.post(FORM, files=files).status_code in (400, 403)
