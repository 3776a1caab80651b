"""What keeps the desk closed, over plain HTTP: other roles, other agencies, other sites, repetition."""

import re
from typing import Any

import httpx
import pytest

from reuse_api.app import PAGES
from reuse_api.callers import SESSION_COOKIE, STAFF_COOKIE
from reuse_api.demo import people
from tests.pages.desk import RESIDENCE, entries, field, hidden, opens, token

HOSTILE = '<script>alert("1")</script>{{ 7 * 7 }}"><img src=x onerror=alert(2)>'
DESK_DOORS = sorted(
    (next(iter(route.methods)), route.path)
    for router in PAGES
    for route in router.routes
    if route.path.startswith("/desk") and "rest" not in route.path
)


@pytest.fixture(scope="module")
def others(told: Any) -> dict[str, dict[str, str]]:
    """The cookies of everybody who is no officer at a desk."""
    with httpx.Client(base_url=told.url) as owner, httpx.Client(base_url=told.url) as auditor:
        owner.post("/sign-in", data={"code": told.code_for(told.stage.daughter)})
        auditor.post("/sign-in", data={"code": told.staff_code(people.COMMUNE, "auditor")})
        session, secret = owner.cookies[SESSION_COOKIE], auditor.cookies[STAFF_COOKIE]
    return {
        "nobody": {},
        "owner": {SESSION_COOKIE: session},
        "an owner's session as a staff cookie": {STAFF_COOKIE: session},
        "auditor": {STAFF_COOKIE: secret},
        "no session": {STAFF_COOKIE: "x" * 43},
        "too long": {STAFF_COOKIE: "x" * 5000},
    }


@pytest.mark.parametrize("door", DESK_DOORS, ids=" ".join)
def test_only_the_desk_enters_the_desk(told: Any, others: dict[str, Any], door: tuple[str, str]) -> None:
    method, path = door
    place = re.sub(r"\{\w+\}", "x", path)
    for who, cookies in others.items():
        with httpx.Client(base_url=told.url, cookies=cookies) as client:
            answer = client.request(method, place)
            assert (answer.status_code, answer.headers.get("location")) == (303, "/sign-in"), who


@pytest.mark.parametrize(
    "place", ["/desk", "/desk/new", "/desk/dossiers/{code}", "/desk/dossiers/{code}/close"]
)
def test_a_page_is_kept_by_nobody_and_runs_nothing(police: httpx.Client, place: str) -> None:
    code = opens(police) if "{code}" in place else ""
    answer = police.get(place.format(code=code))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "script" not in answer.headers["content-security-policy"]
    assert not re.search(r"<script|\son\w+=|\sstyle=|javascript:|https?://(?!www\.w3\.org)", answer.text)


def test_a_form_of_another_session_or_site_changes_nothing(
    told: Any, police: httpx.Client, commune: httpx.Client
) -> None:
    code = opens(police)
    places = ["/desk/new", *(f"/desk/dossiers/{code}/{deed}" for deed in ("plan", "releases", "close"))]
    before = entries(told)
    for place in places:
        for wrong in ({}, {"form_token": ""}, {"form_token": "0" * 64}, {"form_token": token(commune)}):
            assert police.post(place, data=RESIDENCE | wrong).status_code == 403, (place, wrong)
        ours = RESIDENCE | {"form_token": token(police)}
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
            assert police.post(place, data=ours, headers=headers).status_code == 403, place
    assert entries(told) == before


def test_looking_again_asks_nothing_and_asking_again_is_an_entry_for_each_person(
    told: Any, police: httpx.Client
) -> None:
    code = opens(police)
    before = entries(told)
    first, second = (police.get(f"/desk/dossiers/{code}").text for _ in range(2))
    asked = re.compile(r'<time datetime="([^"]+)">')
    assert asked.search(first)[1] == asked.search(second)[1]  # type: ignore[index]
    assert entries(told) == before
    answer = police.post(f"/desk/dossiers/{code}/plan", data=hidden(first, f"/desk/dossiers/{code}/plan"))
    assert answer.status_code == 303
    assert entries(told) == before + 2


def test_a_form_sent_twice_takes_once(told: Any, police: httpx.Client) -> None:
    code = opens(police)
    place = f"/desk/dossiers/{code}/releases"
    fields = hidden(police.get(f"/desk/dossiers/{code}").text, place)
    before = entries(told)
    answers = [police.post(place, data=fields) for _ in range(2)]
    assert {answer.headers["location"] for answer in answers} == {
        f"/desk/dossiers/{code}?did={fields['request']}"
    }
    assert entries(told) == before + 1
    assert "Đã lấy 1 giấy tờ" in police.get(answers[0].headers["location"]).text


def test_unknown_and_another_agencys_are_told_alike_and_both_are_entries(
    told: Any, police: httpx.Client, commune: httpx.Client
) -> None:
    theirs = opens(police)
    unknown = theirs[:-4] + "9999"
    before = entries(told)
    answers = [commune.get(f"/desk/dossiers/{code}") for code in (theirs, unknown)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text.replace(theirs, unknown) == answers[1].text
    assert entries(told) > before + 1
    for deed in ("plan", "releases", "close"):
        fields = {"form_token": token(commune), "component": people.KINSHIP}
        assert commune.post(f"/desk/dossiers/{theirs}/{deed}", data=fields).status_code == 404
    assert commune.get(f"/desk/dossiers/{theirs}/close").status_code == 404


def test_a_dossier_of_the_agencys_system_is_found_and_its_releases_stay_the_systems(
    told: Any, police: httpx.Client
) -> None:
    code, release = told.stage.residence_dossier, told.stage.release
    found = police.get("/desk/open", params={"code": f" {code.lower()} "})
    assert (found.status_code, found.headers["location"]) == (303, f"/desk/dossiers/{code}")
    other = police.get(f"/desk/dossiers/{code.lower()}")
    assert (other.status_code, other.headers["location"]) == (303, f"/desk/dossiers/{code}")
    shown = police.get(f"/desk/dossiers/{code}").text
    assert people.POLICE.system_name in shown
    assert release not in shown
    assert police.get(f"/desk/releases/{release}/content").status_code == 404
    assert police.get(f"/desk/dossiers/{code}/releases/{release}").status_code == 404


@pytest.mark.parametrize("code", ["", "xyz", "G01.26.05-261399-0001", HOSTILE])
def test_what_cannot_be_a_code_is_told_at_the_field(police: httpx.Client, code: str) -> None:
    answer = police.get("/desk/open", params={"code": code})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert field(answer.text, "code") == code.strip()
    assert "<script" not in answer.text


def test_the_list_knows_no_page_of_nonsense(police: httpx.Client) -> None:
    assert police.get("/desk", params={"before": "yesterday"}).status_code == 404
    assert "Chưa có hồ sơ nào" in police.get("/desk", params={"before": "2020-01-01T00:00:00.000000Z"}).text


def test_hostile_texts_are_shown_as_they_were_typed(police: httpx.Client) -> None:
    named = {"persons-1-name": HOSTILE, "persons-1-identifier": "001190045678"}
    told = {"persons-1-represented": "on", "persons-1-evidence": HOSTILE, "reference": HOSTILE}
    code = opens(police, **named, **told)
    for place in (f"/desk/dossiers/{code}", f"/desk/dossiers/{code}/close", "/desk"):
        shown = police.get(place).text
        assert "<script" not in shown and "<img" not in shown
    shown = police.get(f"/desk/dossiers/{code}").text
    assert shown.count("&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;{{ 7 * 7 }}") == 3


def test_a_proof_is_handed_to_the_desk_that_it_is_for(police: httpx.Client, commune: httpx.Client) -> None:
    code = opens(police)
    place = f"/desk/dossiers/{code}/releases"
    police.post(place, data=hidden(police.get(f"/desk/dossiers/{code}").text, place))
    release = re.search(r"/desk/releases/(rel-\w+)/content", police.get(f"/desk/dossiers/{code}").text)
    assert release is not None
    story = police.get(f"{place}/{release[1]}").text
    receipt = re.search(r"/desk/receipts/(rcp-\w+)", story)
    assert receipt is not None
    proof = police.get(receipt[0])
    assert proof.text.startswith("c2sp.org/tlog-proof@v1")
    assert proof.headers["content-disposition"] == f'attachment; filename="bien-nhan-{receipt[1]}.txt"'
    assert commune.get(receipt[0]).status_code == 404
    assert police.get("/desk/receipts/rcp-none").status_code == 404
