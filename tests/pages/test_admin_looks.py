"""The administrator's room in a real browser: accessible on a phone, in both languages, without script."""

from collections.abc import Callable
from typing import Any

import pytest

from reuse_api.demo import people
from tests.pages.looks import check, check_widths

Visiting = Callable[..., Any]
PLACES = [
    "/admin",
    "/admin?q=xyzzy",
    "/admin/work",
    "/admin/certificates",
    "/admin/procedures/1.013225",
    "/admin/procedures/1.013225?row=3",
    "/admin/procedures/1.004222?row=new",
]


@pytest.mark.parametrize(
    ("language", "dark"), [("vi", False), pytest.param("en", True, marks=pytest.mark.long)]
)
def test_every_page_is_accessible_and_never_scrolls_sideways(
    visiting: Visiting, language: str, dark: bool
) -> None:
    visit = visiting(language, width=360, dark=dark)
    visit.sign_in_staff(people.COMMUNE, "administrator")
    for place in PLACES:
        page = visit.go(place)
        check(page, language)
        if language == "vi":  # its words are the longer ones
            check_widths(page)


def test_a_row_is_overruled_without_script(visiting: Visiting) -> None:
    visit = visiting("vi", width=1280, script=False)
    visit.sign_in_staff(people.COMMUNE, "administrator")
    page = visit.go("/admin")
    page.locator("#q").fill("2.001610")
    visit.follow(page.locator("form[role=search] button"))
    visit.follow(page.locator(".catalogue a.code").first)
    row = page.locator("li", has_text="KQ3247").last
    visit.follow(row.locator("a.more").last)
    page.locator("#kind").select_option("form")
    page.locator("#reason").fill("Doanh nghiệp tự khai")
    page.locator("#legal_reference").fill("Nghị định 168/2025/NĐ-CP")
    visit.follow(page.locator("#edit button[type=submit]"))
    assert page.locator(".done").is_visible()
    assert "Theo chỉnh sửa của quản trị viên" in page.locator("li", has_text="KQ3247").first.inner_text()
