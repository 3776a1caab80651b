"""Scanning at the desk, over plain HTTP: where nothing is there, or with a reason in spite of an answer."""

import os
import re
from dataclasses import replace
from hashlib import sha256
from typing import Any

import httpx
import pytest

from reuse_api.demo import people
from signing.reading import Suggestion
from tests.pages.desk import at_desk, hidden, opens, token
from tests.scans import making

LEASE = "KQ003607"
STRANGER = {"persons-0-identifier": people.STRANGER.number, "persons-0-name": people.STRANGER.name}
OTHER = {"persons-0-identifier": people.FATHER.number, "persons-0-name": people.FATHER.name}
HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture
def scan() -> dict[str, Any]:
    """A paper as a scanner gives it: a PDF that nobody signed."""
    content = making.good_scan(os.urandom(8).hex())
    return {"file": ("../../hop-dong.pdf", content, "application/pdf")}


def form(client: httpx.Client, code: str, component: str) -> dict[str, str]:
    place = f"/desk/dossiers/{code}/scan"
    return hidden(client.get(place, params={"component": component}).text, place)


def faults(shown: str) -> list[str]:
    return re.findall(r'<p class="error" id="([\w-]+)-error">', shown)


def row(client: httpx.Client, code: str, component: str) -> str:
    shown = client.get(f"/desk/dossiers/{code}").text
    found = re.search(
        rf'<li class="\w+">(?:(?!</ol>).)*?{component}.*?</li>\n(?=<li class|</ol>)', shown, re.DOTALL
    )
    assert found is not None
    return found[0]


@pytest.fixture
def photo() -> dict[str, Any]:
    """A paper as a telephone sees it: whether it is at its own scale cannot be told."""
    content = making.as_jpeg(making.drawn(200), comment=os.urandom(8))
    return {"file": ("IMG_1.jpg", content, "image/jpeg")}


def test_a_good_scan_where_nothing_is_there_counts_at_once(
    police: httpx.Client, scan: dict[str, Any]
) -> None:
    code = opens(police, case="thue-muon-o-nho", **OTHER)
    typed = form(police, code, LEASE) | {"type": "HDTN", "role-applicant": "on"}
    done = police.post(f"/desk/dossiers/{code}/scan", data=typed, files=scan)
    assert done.status_code == 303, done.text
    assert "Đã có trong Kho" in row(police, code, LEASE)


def test_a_photo_where_nothing_is_there_counts_once_it_was_confirmed(
    police: httpx.Client, photo: dict[str, Any]
) -> None:
    scan = photo
    code = opens(police, case="thue-muon-o-nho")
    place = f"/desk/dossiers/{code}/scan"
    assert "Chưa có" in row(police, code, LEASE)
    shown = police.get(place, params={"component": LEASE}).text
    assert 'name="reason"' not in shown, "no reason is asked for where there is no answer"
    typed = form(police, code, LEASE) | {"type": "HDTN", "role-applicant": "on", "title": f"HĐ {HOSTILE}"}
    done = [police.post(place, data=typed, files=scan) for _ in range(2)]
    assert {answer.headers.get("location") for answer in done} == {f"/desk/dossiers/{code}?done=scanned"}, (
        done[0].text
    )
    found = row(police, code, LEASE)
    assert "Có, cần xác nhận" in found and "Chưa được kiểm chứng" in found and "<script" not in found
    record = re.search(r'name="record" value="(rec-\w+)"', found)
    assert record is not None
    confirming = f"/desk/dossiers/{code}/confirmation"
    fields = {
        "form_token": token(police),
        "component": LEASE,
        "record": record[1],
        "reason": "Bản chính tại quầy",
    }
    assert police.post(confirming, data=fields).status_code == 303
    assert "Đã có trong Kho" in row(police, code, LEASE)


def test_in_spite_of_an_answer_a_reason_is_demanded(police: httpx.Client, scan: dict[str, Any]) -> None:
    code = opens(police)
    place = f"/desk/dossiers/{code}/scan"
    shown = police.get(place, params={"component": people.KINSHIP}).text
    assert "Kho đã có câu trả lời" in shown and "Giấy khai sinh" in shown
    typed = form(police, code, people.KINSHIP) | {"type": "GKS", "role-applicant": "on", "number": "7/1999"}
    for said, at in (({}, "reason"), ({"reason": "because"}, "reason"), ({"reason": "other"}, "explanation")):
        answer = police.post(place, data=typed | said, files=scan)
        assert (answer.status_code, faults(answer.text)) == (422, [at])
        assert 'value="7/1999"' in answer.text
    done = police.post(place, data=typed | {"reason": "unreadable"}, files=scan)
    assert done.status_code == 303, done.text


def test_a_file_or_field_that_will_not_do_is_told_at_its_place(
    police: httpx.Client, scan: dict[str, Any]
) -> None:
    code = opens(police, case="thue-muon-o-nho", **STRANGER)
    place = f"/desk/dossiers/{code}/scan"
    typed = form(police, code, LEASE) | {"type": "HDTN", "role-applicant": "on", "title": HOSTILE}
    for bad in (b"\x89PNG\r\n", b""):
        answer = police.post(place, data=typed, files={"file": ("a.pdf", bad, "application/pdf")})
        assert (answer.status_code, faults(answer.text)) == (422, ["file"])
        assert "&lt;script&gt;" in answer.text and "<script" not in answer.text
    unticked = {name: text for name, text in typed.items() if name != "role-applicant"}
    for wrong, at in (
        (unticked, "roles"),
        (typed | {"type": ""}, "type"),
        (typed | {"issued_on": "x"}, "issued_on"),
    ):
        assert faults(police.post(place, data=wrong, files=scan).text) == [at]
    assert "Chưa có" in row(police, code, LEASE)


def test_nobody_scans_for_another_or_for_what_is_not_asked(
    told: Any, police: httpx.Client, scan: dict[str, Any]
) -> None:
    code = opens(police)
    place = f"/desk/dossiers/{code}/scan"
    assert police.get(place, params={"component": "KQ999999"}).status_code == 404
    typed = form(police, code, people.KINSHIP) | {"type": "GKS", "role-applicant": "on", "reason": "outdated"}
    assert police.post(place, data=typed | {"component": HOSTILE}, files=scan).status_code == 404
    with at_desk(told, people.COMMUNE) as commune:
        assert commune.get(place, params={"component": people.KINSHIP}).status_code == 404
        foreign = typed | {"form_token": token(commune)}
        assert commune.post(place, data=foreign, files=scan).status_code == 404
    for wrong in (foreign["form_token"], "", "0" * 64):
        assert police.post(place, data=typed | {"form_token": wrong}, files=scan).status_code == 403


def test_a_seal_that_cannot_be_made_is_said_on_the_form_and_written_down(
    told: Any, police: httpx.Client, scan: dict[str, Any], caplog: Any
) -> None:
    code = opens(police, case="thue-muon-o-nho")
    typed = form(police, code, LEASE) | {"type": "HDTN", "role-applicant": "on", "title": "Hợp đồng"}
    typed |= {"reason": "outdated"}  # whether or not another test scanned one for her
    key = told.vault.scratch.parent / "keys" / "seal" / f"{people.POLICE.code}.pem"
    hidden_away = key.rename(key.with_suffix(".away"))
    try:
        answer = police.post(f"/desk/dossiers/{code}/scan", data=typed, files=scan)
    finally:
        hidden_away.rename(key)
    assert answer.status_code == 422, answer.text
    assert [one.msg for one in caplog.records if one.name == "kho.failures"] == ["sealing_failed"]


def look(police: httpx.Client, code: str, files: dict[str, Any], **typed: str) -> httpx.Response:
    fields = form(police, code, LEASE) | {"role-applicant": "on"} | typed
    return police.post(f"/desk/dossiers/{code}/scan/look", data=fields, files=files)


def test_a_scan_is_measured_first_shown_and_then_stored_by_its_officer(
    told: Any, police: httpx.Client, scan: dict[str, Any]
) -> None:
    code = opens(police, case="thue-muon-o-nho", **STRANGER)
    shown = look(police, code, scan, number="HĐ 5/2024")
    assert shown.status_code == 200, shown.text
    for words in ("Kết quả đo", "200 dpi", "≥ 200 dpi", "Bản quét đạt mọi điều kiện", "hop-dong.pdf"):
        assert words in shown.text
    assert 'value="HĐ 5/2024"' in shown.text and 'type="file"' not in shown.text
    assert sha256(scan["file"][1]).hexdigest() in shown.text
    found = re.search(rf'action="(/desk/dossiers/{re.escape(code)}/scan/[0-9a-f]{{32}})"', shown.text)
    assert found is not None
    (waiting,) = [one for one in told.vault.scratch.iterdir() if one.suffix == ".tmp"]
    assert b"%PDF" not in waiting.read_bytes(), "it waits sealed"
    fields = hidden(shown.text, found[1]) | {"type": "HDTN", "role-applicant": "on", "reason": "outdated"}
    with at_desk(told, people.COMMUNE) as commune:
        assert commune.post(found[1], data=fields | {"form_token": token(commune)}).status_code == 404
    missing = police.post(found[1], data=fields | {"type": ""})
    assert (missing.status_code, faults(missing.text)) == (422, ["type"])
    assert "Kết quả đo" in missing.text, "it still waits"
    done = [police.post(found[1], data=fields) for _ in range(2)]
    assert {one.headers.get("location") for one in done} == {f"/desk/dossiers/{code}?done=scanned"}, done[
        0
    ].text
    assert not waiting.exists()
    gone = police.post(found[1], data=fields | {"request": "another"})
    assert (gone.status_code, faults(gone.text)) == (422, ["file"])
    assert 'type="file"' in gone.text and "15 phút" in gone.text


@pytest.mark.parametrize(("read", "doubted"), [("Lê Văn Đạt", True), ("NGUYEN ĐUC THẮNG", False)])
def test_names_of_somebody_else_are_warned_of_and_want_a_tick(
    told: Any, police: httpx.Client, scan: dict[str, Any], read: str, doubted: bool
) -> None:
    code = opens(police, case="thue-muon-o-nho", **OTHER)
    place = f"/desk/dossiers/{code}/scan"
    shown = look(police, code, scan).text
    found = re.search(rf'action="({place}/([0-9a-f]{{32}}))"', shown)
    assert found is not None
    # What the reading program makes of a drawn page is luck: the name is put where it would have put it.
    draft = told.vault.drafts._held[found[2]]
    reading = replace(draft.reading, suggestions=(Suggestion("name", read, 1, 0, 0, 9, 9, 96.0),))
    told.vault.drafts._held[found[2]] = replace(draft, reading=reading)
    fields = hidden(shown, found[1]) | {"type": "", "role-applicant": "on", "reason": "outdated"}
    again = police.post(found[1], data=fields)
    assert ("Không tên nào đọc được trên giấy" in again.text) is doubted
    stored = police.post(found[1], data=fields | {"type": "HDTN"})
    if doubted:
        assert (stored.status_code, faults(stored.text)) == (422, ["compared"])
        stored = police.post(found[1], data=fields | {"type": "HDTN", "compared": "yes"})
    assert stored.status_code == 303, stored.text


def test_a_scan_too_coarse_is_refused_with_its_value_before_and_at_storing(police: httpx.Client) -> None:
    code = opens(police, case="thue-muon-o-nho", **STRANGER)
    coarse = {"file": ("a.pdf", making.as_pdf(making.drawn(150), dpi=150), "application/pdf")}
    typed = form(police, code, LEASE) | {"type": "HDTN", "role-applicant": "on", "reason": "outdated"}
    stored = police.post(f"/desk/dossiers/{code}/scan", data=typed, files=coarse)
    for answer in (look(police, code, coarse), stored):
        assert (answer.status_code, faults(answer.text)) == (422, ["file"])
        assert "độ phân giải đo được 150 dpi" in answer.text and "Không đạt" in answer.text
        assert "Nghị định 30/2020/NĐ-CP" in answer.text and 'type="file"' in answer.text
    for bad in (b"", b"\x89PNG\r\n"):
        answer = look(police, code, {"file": ("a.png", bad, "image/png")})
        assert (answer.status_code, faults(answer.text)) == (422, ["file"])
    english = police.get(f"/desk/dossiers/{code}/scan", params={"component": LEASE, "lang": "en"})
    assert "Measure and read it first" in english.text or "Đo và đọc thử trước" in english.text
