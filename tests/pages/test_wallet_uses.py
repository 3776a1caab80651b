"""What a citizen does in the wallet, in a real browser: add, download, prove, sign out."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from signing.composing import compose
from signing.receipt import verify_receipt
from vault.clock import Clock

Visiting = Callable[..., Any]
HOSTILE = '<script>alert("1")</script><img src=x onerror=alert(2)> "Bằng"'


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    """A small PDF that no other test has."""
    at = Clock().now()
    body = {
        "title": "Giấy xác nhận",
        "issuer_name": "Trường",
        "issuer_title": "HIỆU TRƯỞNG",
        "signer": "A",
        "body": at.isoformat(),
    }
    path = tmp_path / "bằng tốt nghiệp.pdf"
    path.write_bytes(compose("general_result", body | {"issued_on": at.date().isoformat()}, at=at))
    return path


def fill(visit: Any, title: str, kind: str, file: Path) -> None:
    visit.page.locator("#title").fill(title)
    visit.page.locator("#type").select_option(kind)
    visit.page.locator("#file").set_input_files(file)
    visit.follow(visit.page.locator(".fields button[type=submit]"))


def test_a_citizen_finds_her_paper_without_accents_and_is_told_what_cannot_be_searched_for(
    visiting: Visiting,
) -> None:
    visit = visiting("vi", script=False)
    visit.sign_in(visit.told.stage.mother)
    page = visit.go("/wallet")
    every = page.locator("ul.cards > li").count()

    def search(text: str) -> None:
        page.locator("#q").fill(text)
        visit.follow(page.locator("form[role=search] button"))

    for _ in range(100):  # the index follows the rows within a moment
        search("giay khai sinh")
        if page.locator("ul.cards > li").count() and not page.locator("#q-error").count():
            break
        page.wait_for_timeout(100)
    assert page.locator("#q-error").count() == 0
    assert "khai sinh" in page.locator("ul.cards > li h2").first.inner_text().lower()
    assert page.locator("#q").input_value() == "giay khai sinh"
    assert "giay" not in page.url
    search("zzzzzz qqqqqq")
    assert page.locator("ul.cards > li").count() == 0
    search(HOSTILE)
    assert page.locator("#q").input_value() == HOSTILE
    visit.follow(page.locator("main [role=status] a"))
    assert page.locator("ul.cards > li").count() == every
    search("của và")
    assert page.locator("#q").get_attribute("aria-invalid") == "true"
    assert "của" in page.locator("#q-error").inner_text()
    assert page.locator("ul.cards > li").count() == every


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_refused_file_is_told_at_its_field_and_nothing_typed_is_lost(
    visiting: Visiting, tmp_path: Path, language: str
) -> None:
    visit = visiting(language, script=False)
    visit.sign_in(visit.told.stage.mother)
    bad = tmp_path / "anh.pdf"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    page = visit.go("/wallet/upload")
    fill(visit, "Bằng tốt nghiệp THPT", "VBTN", bad)
    assert page.locator("#title").input_value() == "Bằng tốt nghiệp THPT"
    assert page.locator("#type").input_value() == "VBTN"
    described = page.locator("#file").get_attribute("aria-describedby")
    assert described is not None and "file-error" in described.split()
    assert page.locator("#file").get_attribute("aria-invalid") == "true"
    assert "PDF" in page.locator("#file-error").inner_text()
    assert page.locator("[role=alert] a").get_attribute("href") == "#file"
    assert page.title().startswith("Lỗi" if language == "vi" else "Error")
    empty = tmp_path / "rong.pdf"
    empty.write_bytes(b"")
    fill(visit, "Bằng tốt nghiệp THPT", "VBTN", empty)
    assert page.locator("#title").input_value() == "Bằng tốt nghiệp THPT"
    assert page.locator("#file-error").is_visible()
    assert "Bằng tốt nghiệp THPT" not in visit.go("/wallet").locator("main").inner_text()


def test_she_adds_a_document_once_however_often_the_form_is_sent(visiting: Visiting, pdf: Path) -> None:
    visit = visiting("vi", script=False)
    visit.sign_in(visit.told.stage.mother)
    page = visit.go("/wallet/upload")
    fill(visit, "  Bằng   tốt nghiệp  ", "VBTN", pdf)
    assert "Đã tải lên" in page.locator("[role=status]").inner_text()
    assert page.locator(".paper h2").first.inner_text() == "Bằng tốt nghiệp"
    before = page.locator(".paper").count()
    page = visit.go("/wallet/upload")
    fill(visit, "Lần nữa", "VBTN", pdf)
    assert "đã có sẵn" in page.locator("[role=status]").inner_text()
    assert page.locator(".paper").count() == before
    visit.follow(page.get_by_role("link", name="Ai đã xem"))
    assert "Bạn tải lên “Bằng tốt nghiệp”" in page.locator("main").inner_text()


def test_a_hostile_title_is_shown_as_it_was_typed(visiting: Visiting, pdf: Path) -> None:
    visit = visiting("en")
    visit.sign_in(visit.told.stage.mother)
    page = visit.go("/wallet/upload")
    fill(visit, HOSTILE, "KHAC", pdf)
    assert page.locator(".paper h2").first.inner_text() == HOSTILE
    visit.follow(page.locator(".paper h2 a").first)
    assert page.locator("h1").inner_text() == HOSTILE
    assert page.locator("main img").count() == 0
    assert HOSTILE in visit.go("/wallet/accesses").locator("main").inner_text()


def test_a_download_is_the_file_itself_and_an_entry(visiting: Visiting) -> None:
    visit = visiting("vi")
    page = visit.sign_in(visit.told.stage.mother)
    visit.follow(page.locator(".paper h2 a", has_text="Giấy khai sinh").first)
    with page.expect_download() as coming:
        page.locator(".button[href$=content]").click()
    content = Path(coming.value.path()).read_bytes()
    assert content.startswith(b"%PDF-") and content.endswith(b"\n")
    assert coming.value.suggested_filename.endswith(".pdf")
    page = visit.go("/wallet/accesses")
    first = page.locator(".line li").first
    assert first.locator("h4").inner_text() == "Bạn đọc “Giấy khai sinh”"
    with page.expect_download() as again:
        page.goto(visit.told.url + "/wallet")
        visit.follow(page.locator(".paper h2 a", has_text="Giấy khai sinh").first)
        page.locator(".button[href$=content]").click()
    assert sha256(Path(again.value.path()).read_bytes()).digest() == sha256(content).digest()


@pytest.mark.parametrize("which", [".line li.permitted", ".line li.refused"])
def test_a_proof_is_checked_with_the_key_line_of_the_page_and_no_vault(
    visiting: Visiting, which: str
) -> None:
    visit = visiting("en")
    visit.sign_in(visit.told.stage.daughter)
    page = visit.go("/wallet/accesses")
    entry = page.locator(which).first
    what = entry.locator("h4").inner_text()
    visit.follow(entry.locator(".proof a"))
    assert page.locator("h1").inner_text() == what
    line, command = page.locator("pre").nth(0).inner_text(), page.locator("pre").nth(1).inner_text()
    with page.expect_download() as coming:
        page.locator(".steps .button").click()
    assert command == f"kho verify receipt {coming.value.suggested_filename} --log-key '{line}'"
    text = Path(coming.value.path()).read_text("utf-8")
    checked = verify_receipt(text, line)
    assert checked.outcome == "valid"
    assert checked.parts["event"]["result"] == ("refused" if "refused" in which else "permitted")
    assert verify_receipt(text.replace("a", "b", 1), line).outcome == "invalid"


def test_signing_out_ends_the_session_everywhere(visiting: Visiting) -> None:
    visit = visiting("vi")
    page = visit.sign_in(visit.told.stage.daughter)
    cookies = page.context.cookies()
    visit.follow(page.get_by_role("button", name="Đăng xuất"))
    assert "Bạn đã đăng xuất" in page.locator("main").inner_text()
    assert visit.go("/wallet").url.endswith("/sign-in")
    page.context.add_cookies(cookies)
    assert visit.go("/wallet").url.endswith("/sign-in")


def test_a_wrong_code_and_a_used_code_are_told_kindly(visiting: Visiting) -> None:
    visit = visiting("vi", script=False)
    code = visit.told.code_for(visit.told.stage.daughter)
    for attempt in ("1234", code, code):
        visit.page.context.clear_cookies()
        page = visit.go("/sign-in")
        assert "trình diễn" in page.locator("main").inner_text()
        page.locator("#code").fill(attempt)
        visit.follow(page.locator("main button[type=submit]"))
        if attempt == code and page.url.endswith("/wallet"):
            continue
        assert page.locator("#code-error").is_visible()
        assert page.locator("#code").get_attribute("aria-invalid") == "true"
