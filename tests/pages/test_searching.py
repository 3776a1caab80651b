"""Searching on the pages, in a real browser: found letters, ways to narrow, further pages."""

import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from reuse_api.demo import people
from tests.pages.browsing import Visit
from tests.pages.desk import at_desk, entries, field, hidden, opens
from tests.pages.looks import NARROW, check, check_widths
from vault.indexing import index_due

Visiting = Callable[..., Any]
WIDE = pytest.param("en", 1280, marks=pytest.mark.long)
FEW = 20  # documents on one page of the wallet
HOSTILE = '<script>alert("1")</script>'


@pytest.fixture(scope="module", autouse=True)
def indexed(told: Any) -> None:
    """Have the index know the whole story."""

    def unexpected(code: str, problem: Exception) -> None:
        raise AssertionError(code) from problem

    told.run(index_due(told.vault, unexpected))


def seek(visit: Visit, text: str) -> Page:
    visit.page.locator("#q").fill(text)
    return visit.follow(visit.page.locator("form[role=search] button"))


def marked(page: Page) -> list[str]:
    return [one.lower() for one in page.locator("main mark").all_inner_texts()]


@pytest.mark.parametrize(("language", "width"), [("vi", NARROW), WIDE])
def test_an_officer_finds_what_a_dossier_can_use_and_why(
    told: Any, visiting: Visiting, language: str, width: int
) -> None:
    with at_desk(told, people.POLICE) as client:
        code = opens(client)
    visit = visiting(language, width=width)
    visit.sign_in_staff(people.POLICE, "desk")
    visit.go(f"/desk/dossiers/{code}")
    before = entries(told)
    page = seek(visit, "giay khai sinh")
    assert entries(told) == before + 2, "one for each person of the dossier"
    assert "giay" not in page.url
    hits = page.locator(".hits > li")
    assert hits.count() >= 2
    assert {"giấy", "khai", "sinh"} <= set(marked(page))
    said = [one.inner_text() for one in hits.locator(".uses").all()]
    usable, unusable = ("Dùng được ngay", "Không dùng được")
    if language == "en":
        usable, unusable = ("Can be used now", "Cannot be used")
    assert any(usable in one for one in said), said
    assert any(unusable in one for one in said), said
    assert hits.locator(".uses .why li").count() >= hits.count(), "each says why"
    check(page, language, width)
    visit.follow(page.locator(".hits .uses a").first)
    assert re.search(rf"/desk/dossiers/{code}#c-\w+$", page.url)
    assert page.locator(f"li#{page.url.rpartition('#')[2]}").is_visible()
    seek(visit, HOSTILE)
    assert page.locator(".hits").count() == 0
    assert page.locator("#q").input_value() == HOSTILE
    seek(visit, "của và")
    assert page.locator("#q").get_attribute("aria-invalid") == "true"
    check(page, language, width)


def test_an_officer_narrows_what_a_dossier_s_persons_hold(told: Any) -> None:
    with at_desk(told, people.POLICE) as police:
        code = opens(police)
        fields = {"form_token": field(police.get("/desk").text, "form_token"), "q": "giay khai sinh"}

        def shown(**narrowed: str) -> str:
            reply = police.post(f"/desk/dossiers/{code}/search", data=fields | narrowed)
            assert reply.status_code == 200
            return str(reply.text)

        every = shown().count('<div class="uses">')
        assert every >= 2
        kept = shown(type="GKS", trust="A")
        assert '<option value="GKS" selected>' in kept and '<option value="A" selected>' in kept
        assert kept.count('<div class="uses">') >= 1
        assert shown(type="HC").count('<div class="uses">') == 0
        assert shown(year="1999").count('<div class="uses">') == 0
        assert shown(q="", type="GKS").count('<div class="uses">') >= 1, "without words too"


def test_what_was_taken_is_told_apart_by_number_and_day(told: Any) -> None:
    with at_desk(told, people.POLICE) as police:
        place = f"/desk/dossiers/{opens(police)}"
        police.post(f"{place}/releases", data=hidden(police.get(place).text, f"{place}/releases"))
        shown = police.get(place).text
        listed = shown[shown.index('aria-labelledby="taken"') :]
        lines = re.findall(r'<span class="person">([^<]*)', listed[: listed.index("</section>")])
        assert lines and all(re.search(r"Số [^,]+, .*\d{4}", one) for one in lines), lines


def test_a_dossier_of_another_agency_is_searched_by_nobody_else(told: Any) -> None:
    with at_desk(told, people.POLICE) as police, at_desk(told, people.COMMUNE) as commune:
        code = opens(police)
        fields = {"form_token": field(commune.get("/desk").text, "form_token"), "q": "giay khai sinh"}
        refused = commune.post(f"/desk/dossiers/{code}/search", data=fields)
        assert refused.status_code == 404
        assert people.DAUGHTER.name not in refused.text
        form = hidden(police.get(f"/desk/dossiers/{code}/close").text, f"/desk/dossiers/{code}/close")
        police.post(f"/desk/dossiers/{code}/close", data=form)
        fields["form_token"] = field(police.get("/desk").text, "form_token")
        assert police.post(f"/desk/dossiers/{code}/search", data=fields).status_code in (403, 409, 410)
        assert "/search" not in police.get(f"/desk/dossiers/{code}").text, "a closed one has no field"


@pytest.mark.parametrize(("language", "width"), [("vi", NARROW), WIDE])
def test_a_citizen_narrows_what_she_found(visiting: Visiting, language: str, width: int) -> None:
    visit = visiting(language, width=width)
    visit.sign_in(visit.told.stage.daughter)
    visit.go("/wallet")
    page = seek(visit, "")
    every = page.locator("ul.cards > li").count()
    assert every >= 2
    visit.page.locator("details.refine summary").click()
    choices = page.locator("#trust option").all_inner_texts()
    counts = [int(one.rpartition("(")[2].rstrip(")")) for one in choices[1:]]
    assert sum(counts) == every
    page.locator("#trust").select_option("A")
    page = seek(visit, "giay khai sinh")
    assert 1 <= page.locator("ul.cards > li").count() < every
    assert page.locator("#trust").input_value() == "A"
    assert {"giấy", "khai", "sinh"} <= set(marked(page))
    check(page, language, width)
    check_widths(page)


def test_a_further_page_holds_what_the_first_did_not(told: Any, visiting: Visiting) -> None:
    mark = os.urandom(3).hex()
    with at_desk(told, people.COMMUNE) as commune:
        for _ in range(2):
            shown = commune.get("/desk/issued").text
            fields = {"form_token": field(shown, "form_token"), "text": "khai sinh", "year": "1800"}
            none = commune.post("/desk/issued", data=fields)
            assert none.status_code == 200
            assert "<mark>" not in none.text
        fields |= {"year": "", "after": mark}
        assert commune.post("/desk/issued", data=fields).status_code == 404, "no cursor of ours"
        fields |= {"after": "", "text": "khai sinh"}
        found = commune.post("/desk/issued", data=fields)
        assert "<mark>" in found.text
        assert re.search(r'<select id="trust".*?\(\d+\)</option>', found.text)
