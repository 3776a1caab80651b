"""A signed XML document in the wallet: added through the page, shown without pictures, in plain words."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from reuse_api.demo.pki import DemoAuthority
from tests.pages.test_wallet_uses import fill
from tests.servers.signed_files import signature_beside, signed_xml
from vault.clock import Clock

Visiting = Callable[..., Any]


def made(making: Coroutine[Any, Any, bytes]) -> bytes:
    """Run beside the loop of the browser, which holds this thread."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, making).result()


@pytest.mark.parametrize("language", ["vi", pytest.param("en", marks=pytest.mark.long)])
def test_what_has_no_pages_says_so_and_a_signature_can_be_had(
    visiting: Visiting, tmp_path: Path, language: str
) -> None:
    visit = visiting(language, script=False)
    visit.sign_in(visit.told.stage.mother)
    authority = DemoAuthority.create(tmp_path / "authority", Clock().now())
    key = authority.issue_seal_key("Sở Tư pháp", "H26.99")
    title = f"Kết quả XML {os.urandom(3).hex()}"
    file, beside = tmp_path / "a.xml", tmp_path / "a.p7s"
    plain = f"<KetQua><So>{title}</So></KetQua>"
    file.write_bytes(made(signed_xml(authority, key, plain, Clock().now())))
    page = visit.go("/wallet/upload")
    page.locator("#signature").set_input_files(file)
    fill(visit, title, "VBTN", file)
    assert page.locator("#signature-error").is_visible(), "a file is no signature"
    fill(visit, title, "VBTN", file)
    visit.follow(page.get_by_role("link", name=title).first)
    assert page.locator("a[href*='/view/']").count() == 0
    words = "không có trang để xem" if language == "vi" else "no pages to show"
    assert words in page.locator("main").inner_text()
    assert page.locator("a[href$='/signature']").count() == 0

    file.write_text(plain)
    beside.write_bytes(made(signature_beside(authority, key, plain.encode(), Clock().now())))
    visit.go("/wallet/upload")
    page.locator("#signature").set_input_files(beside)
    fill(visit, title + " 2", "VBTN", file)
    visit.follow(page.get_by_role("link", name=title + " 2").first)
    assert page.locator("a[href$='/signature']").count() == 1
    assert [one for one in visit.complaints if "422" not in one] == [], "only the refusal of the form"
