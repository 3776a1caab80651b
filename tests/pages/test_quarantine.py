"""A file that runs by itself, in a real browser: told in plain words, kept shut, destroyed with a reason."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reuse_api.demo import people
from tests.hostile.making import RECIPES
from tests.pages.looks import check
from tests.pages.test_wallet_uses import fill

Visiting = Callable[..., Any]


def test_she_is_told_what_was_found_and_the_administrator_ends_it(visiting: Visiting, tmp_path: Path) -> None:
    visit = visiting("vi", width=360)
    visit.sign_in(visit.told.stage.mother)
    bad = tmp_path / "giấy.pdf"
    bad.write_bytes(RECIPES["script_that_runs_on_opening"]())
    page = visit.go("/wallet/upload")
    fill(visit, "Giấy xác nhận", "KHAC", bad)
    assert "mã lệnh JavaScript" in page.locator("#file-error").inner_text()
    assert "cách ly 30 ngày" in page.locator("[role=alert]").inner_text()
    check(page, "vi")
    shown = visit.go("/wallet")
    assert "mã lệnh JavaScript" in shown.locator("section", has_text="Tệp đang bị cách ly").inner_text()
    check(shown, "vi")
    first = visit.go("/wallet/accesses").locator(".line li").first
    assert "bị cách ly" in first.locator("h4").inner_text()
    visit.sign_in_staff(people.COMMUNE, "administrator")
    page = visit.go("/admin/quarantine")
    check(page, "vi")
    page.locator("input[name=reason]").first.fill("Đã xem xét")
    visit.follow(page.locator("main button[type=submit]").first)
    assert page.locator(".done").is_visible()
    assert page.locator("input[name=reason]").count() == 0
