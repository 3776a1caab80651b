"""The audit's pages in a real browser: both languages, phone and desk, light and dark, without script."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from reuse_api.demo import people
from tests.pages.looks import check, check_widths

Visiting = Callable[..., Any]
GROUND = "Kế hoạch kiểm tra quý IV, mẫu số 12"
PLACES = (
    "/audit",
    "/audit?find=1&result=refused",
    "/audit?since=hôm+qua&find=1",
    "/audit/counts",
    "/audit/counts?by=reason",
    "/audit/anomalies",
    "/audit/log?old=5",
    "/audit/log?old=x",
    "/audit/nothing",
)


def walk(visit: Any) -> Iterator[Page]:
    """Go to one page of every kind, as an auditor comes to it."""
    page = visit.sign_in_staff(people.COMMUNE, "auditor")
    for place in PLACES:
        yield visit.go(place)
    for kept in ("x", page.request.get(f"{visit.told.url}/log/checkpoint").text()):
        visit.go("/audit/log").locator("#kept").fill(kept)
        visit.follow(page.locator("form[action='/audit/log'][method=post] button"))
        yield page
    visit.go("/audit?find=1&kind=3")
    visit.follow(page.locator(".ledger .entry a").first)
    yield page
    page.locator("#ground").fill(GROUND)
    visit.follow(page.locator("form.ask button"))
    for summary in page.locator("article summary").all():
        summary.click()
    yield page
    visit.follow(page.locator("form[action$=replay] button"))
    page.locator(".replay summary").click()
    yield page


@pytest.mark.parametrize(
    ("language", "dark"), [("vi", True), pytest.param("en", False, marks=pytest.mark.long)]
)
def test_every_page_is_accessible_and_never_scrolls_sideways(
    visiting: Visiting, language: str, dark: bool
) -> None:
    for page in walk(visiting(language, width=360, dark=dark)):
        check(page, language)
        if language == "vi":  # its words are the longer ones
            check_widths(page)


def test_a_wide_window_shows_a_table_and_a_phone_shows_cards(visiting: Visiting) -> None:
    visit = visiting("vi", width=1280)
    visit.sign_in_staff(people.COMMUNE, "auditor")
    page = visit.go("/audit?find=1&result=refused")
    first, head = page.locator(".ledger tbody tr").first, page.locator(".ledger thead")
    assert head.bounding_box()["height"] > 20
    cells = [one.bounding_box()["y"] for one in first.locator("td").all()]
    assert max(cells) - min(cells) < 2
    page.set_viewport_size({"width": 390, "height": 844})
    cells = [one.bounding_box()["y"] for one in first.locator("td").all()]
    assert cells == sorted(cells) and max(cells) - min(cells) > 40
    assert head.bounding_box()["height"] <= 1


def test_keys_alone_lead_from_a_search_to_an_opened_entry(visiting: Visiting) -> None:
    visit = visiting("en", width=1280, script=False)
    page = visit.sign_in_staff(people.COMMUNE, "auditor")
    page.locator("#dossier").focus()
    page.keyboard.type(visit.told.stage.residence_dossier)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert f"dossier={visit.told.stage.residence_dossier}" in page.url
    page.locator(".ledger .entry a").first.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.locator("#ground").focus()
    page.keyboard.type(GROUND)
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "opened" in page.locator("main").inner_text()
    assert visit.told.stage.residence_dossier in page.locator("main").inner_text()


def test_the_chart_is_read_out_and_its_table_says_the_same(visiting: Visiting) -> None:
    visit = visiting("en")
    visit.sign_in_staff(people.COMMUNE, "auditor")
    page = visit.go("/audit/counts")
    chart = page.get_by_role("img", name="Log entries by day")
    assert chart.count() == 1
    numbers = [int(one) for one in page.locator("table.counts td").all_inner_texts()]
    described = page.locator("svg desc").text_content()
    assert f"{sum(numbers[::2])} entries, {sum(numbers[1::2])} of them refused" in described
