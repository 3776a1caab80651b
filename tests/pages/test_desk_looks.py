"""The desk in a real browser: both languages, phone and desk, light and dark."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from reuse_api.demo import people
from tests.pages.desk import at_desk, opens
from tests.pages.looks import check, check_widths

Visiting = Callable[..., Any]
STRANGERS = {
    "persons-0-identifier": people.STRANGER.number,
    "persons-0-name": people.STRANGER.name,
    "persons-1-identifier": people.STRANGERS_MOTHER.number,
    "persons-1-name": people.STRANGERS_MOTHER.name,
}


def police_places(visit: Any) -> list[str]:
    """Give one address of every kind of page of the police's desk, with a document taken and one viewed."""
    with at_desk(visit.told, people.POLICE) as client:
        taken, candidate = opens(client), opens(client, **STRANGERS)
    page = visit.sign_in_staff(people.POLICE, "desk")
    visit.go(f"/desk/dossiers/{candidate}")
    visit.follow(page.locator(".candidate form button").first)
    viewed = page.url.removeprefix(visit.told.url)
    confirm = page.locator('a[href*="/confirmation"]').get_attribute("href")
    visit.go(f"/desk/dossiers/{taken}")
    visit.follow(page.locator(".bar-of .button").first)
    steps = page.locator('.rows a[href*="/releases/"]').get_attribute("href")
    closed = visit.told.stage.residence_dossier
    dossiers = [f"/desk/dossiers/{code}" for code in (taken, candidate, closed)]
    scans = [f"{one}/scan?component={people.KINSHIP}" for one in dossiers[:1]]
    asides = [steps, viewed, confirm, f"{dossiers[0]}/close", "/desk/open?code=x"]
    return ["/desk", "/desk/new", *dossiers, *scans, *asides]


def commune_places(visit: Any) -> list[str]:
    """Give the addresses of what only an agency that issues has."""
    page = visit.sign_in_staff(people.COMMUNE, "desk")
    with at_desk(visit.told, people.COMMUNE) as client:
        code = opens(
            client,
            **{
                "procedure": people.REREGISTRATION,
                "case": "",
                "persons-1-name": "",
                "persons-1-identifier": "",
            },
        )
    visit.go("/desk/issued")
    record = page.locator(".rows a").first.get_attribute("href")
    result = f"/desk/dossiers/{code}/result"
    typed = f"{result}?type={people.RECORD_TYPE}"
    return [
        "/desk/issued",
        str(record),
        result,
        typed,
        f"{typed}&by=file",
        "/desk/dossiers/H26.14.02-260101-0001",
    ]


@pytest.mark.parametrize(
    ("language", "dark", "width"),
    [("vi", True, 360), pytest.param("en", False, 1280, marks=pytest.mark.long)],
)
def test_every_page_is_accessible_and_never_scrolls_sideways(
    visiting: Visiting, language: str, dark: bool, width: int
) -> None:
    visit = visiting(language, width=width, dark=dark)
    for places in (police_places, commune_places):
        for place in places(visit):
            check(visit.go(place), language, width)
            if language == "vi":  # its words are the longer ones
                check_widths(visit.page)


def test_a_form_with_every_fault_is_accessible_too(visiting: Visiting) -> None:
    visit = visiting("en", width=360)
    page: Page = visit.sign_in_staff(people.POLICE, "desk")
    visit.go("/desk/new")
    page.evaluate("() => document.querySelectorAll('[required]').forEach(one => one.required = false)")
    page.locator("#persons-1-identifier").fill("12")
    page.locator("#code").fill("x")
    visit.follow(page.locator("main p.acts button[value=open]"))
    assert page.locator(".error").count() >= 2
    check(page, "en", 360)
