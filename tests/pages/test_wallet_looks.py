"""The wallet in a real browser: both languages, phone and desk, light and dark, by finger and by keys."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from reuse_api.demo import people
from tests.pages.family import Family
from tests.pages.looks import check, check_widths

Visiting = Callable[..., Any]

WORDS = {
    "vi": ("Giấy tờ của tôi", "Ai đã xem", "Thêm giấy tờ", "Đã bị thu hồi", "Kết quả điện tử có chữ ký số"),
    "en": ("My documents", "Who has looked", "Add a document", "Revoked", "Signed electronic result"),
}


@pytest.fixture(scope="module")
def more(family: Family) -> list[str]:
    """The pages of consents and persons, for the daughter."""
    return family.places(family.told.stage.daughter)


def places(page: Page) -> list[str]:
    """Walk through the wallet as its links lead, and give one address of every kind of page."""
    start = page.url
    record = page.locator(".paper h2 a").first.get_attribute("href")
    revoked = page.locator(".paper.bad h2 a").first.get_attribute("href")
    page.goto(start + "/accesses")
    proof = page.locator(".proof a").first.get_attribute("href")
    refused = page.locator("li.refused .proof a").first.get_attribute("href")
    assert record and revoked and proof and refused
    return [
        "/wallet",
        record,
        revoked,
        "/wallet/accesses",
        proof,
        refused,
        "/wallet/upload",
        "/wallet/nothing",
        f"{record}/view/1",
    ]


@pytest.mark.parametrize(
    ("language", "dark"), [("vi", False), pytest.param("en", True, marks=pytest.mark.long)]
)
def test_every_page_is_accessible_and_never_scrolls_sideways(
    visiting: Visiting, more: list[str], language: str, dark: bool
) -> None:
    visit = visiting(language, width=360, dark=dark)
    visit.go("/sign-in")
    check(visit.page, language)
    every = places(visit.sign_in(visit.told.stage.daughter))
    for place in (*every, *more) if not dark else (every[0], every[1], *every[3:5], every[6], *more):
        check(visit.go(place), language)
        if language == "vi":  # its words are the longer ones
            check_widths(visit.page)


def test_the_pages_are_accessible_while_she_acts_for_her_child(visiting: Visiting, family: Family) -> None:
    visit = visiting("vi", width=360)
    visit.sign_in(visit.told.stage.mother)
    page = visit.go("/wallet/people")
    page.locator("input[value=parent]").check()
    visit.follow(page.locator(".fields button[type=submit]"))
    check(page, "vi")
    page.locator("#value").fill(people.CHILD.number)
    visit.follow(page.locator(".fields button[type=submit]"))
    family.asks(people.CHILD)
    visit.follow(page.locator("form[action$='/act'] button"))
    for place in ("/wallet", "/wallet/people", page.locator(".asking a").first.get_attribute("href")):
        check(visit.go(place), "vi")
    visit.follow(page.locator("aside.acting button"))
    assert page.locator("aside.acting").count() == 0


@pytest.mark.parametrize("language", ["vi", "en"])
def test_she_sees_her_documents_and_who_has_looked(visiting: Visiting, language: str) -> None:
    visit = visiting(language, script=False)
    records, accesses, _, revoked, trust = WORDS[language]
    page = visit.sign_in(visit.told.stage.daughter)
    assert page.locator("h1").inner_text() == records
    shown = page.locator("main").inner_text()
    assert people.DAUGHTER.name in shown and people.COMMUNE.name_vi in shown
    assert revoked in shown and trust in shown
    assert people.DAUGHTER.number not in shown
    visit.follow(page.get_by_role("link", name=accesses))
    shown = page.locator("main").inner_text()
    police = people.POLICE.name_vi if language == "vi" else people.POLICE.name_en
    assert police in shown and people.POLICE.officer in shown
    assert visit.told.stage.residence_dossier in shown
    assert "Luật 91/2025/QH15" in shown
    assert page.locator("li.refused ul li").count() >= 1


def test_the_language_changes_where_she_is_and_stays_chosen(visiting: Visiting) -> None:
    visit = visiting("vi")
    visit.sign_in(visit.told.stage.daughter)
    page = visit.go("/wallet/accesses")
    visit.follow(page.get_by_role("button", name="English"))
    assert page.url.endswith("/wallet/accesses")
    assert page.locator("h1").inner_text() == WORDS["en"][1]
    assert visit.go("/wallet").locator("h1").inner_text() == WORDS["en"][0]


def test_keys_alone_lead_through_the_page_and_the_focus_is_seen(visiting: Visiting) -> None:
    visit = visiting("vi", width=1280)
    page = visit.sign_in(visit.told.stage.daughter)
    page = visit.go("/wallet/upload")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "/wallet"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "title"
    for _ in range(4):
        seen = page.evaluate(
            "(({outlineStyle: s, outlineWidth: w}) => [s, w])(getComputedStyle(document.activeElement))"
        )
        assert seen == ["solid", "3px"]
        page.keyboard.press("Tab")


def test_a_proof_is_printed_without_what_only_a_screen_needs(visiting: Visiting) -> None:
    visit = visiting("vi", width=1280)
    page = visit.sign_in(visit.told.stage.daughter)
    page = visit.go(places(page)[4])
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert not page.locator(".button").first.is_visible()
    assert page.locator("pre").first.is_visible()
