"""An auditor at work, without script: finds, opens on a ground, decides again, takes proofs and a table."""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from reuse_api.demo import people
from signing.growth import verify_growth
from signing.receipt import outcome_of, verify_receipt
from tests.pages.test_citizen_life import LONG, SHORT
from vault.masking import masked

Visiting = Callable[..., Any]
GROUND = "Kế hoạch kiểm tra quý IV, mẫu số 12"
FOCUSED = "one => one === document.activeElement"
MOST_TABS = 400  # to come to what is looked for on a page
WORDS = {
    "vi": {
        "opened": "đã mở",
        "again": "Quyết định lại cho kết quả như đã ghi",
        "grew": "Nhật ký chỉ dài thêm",
    },
    "en": {"opened": "opened", "again": "eciding again gives what was recorded", "grew": "The log only grew"},
}


@dataclass(frozen=True)
class Hand:
    """What an auditor does to a page, with a pointer or by keys alone."""

    page: Page
    keys: bool

    def press(self, way: Locator) -> None:
        if self.keys:
            self._reach(way)
            self.page.keyboard.press("Enter")
        else:
            way.click()

    def go(self, way: Locator) -> None:
        """Press what leads to another page, and wait until it is there."""
        with self.page.expect_navigation():
            self.press(way)

    def take(self, way: Locator) -> bytes:
        """Press what hands out a file, and give it."""
        with self.page.expect_download() as coming:
            self.press(way)
        return Path(coming.value.path()).read_bytes()

    def write(self, field: Locator, text: str) -> None:
        if self.keys:
            self._reach(field)
            self.page.keyboard.type(text)
        else:
            field.fill(text)

    def _reach(self, way: Locator) -> None:
        for _ in range(MOST_TABS):
            if way.evaluate(FOCUSED):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no key leads to {way}")


@pytest.mark.parametrize(
    ("language", "width", "keys"),
    [
        *((*life, life == ("en", 1280)) for life in SHORT),
        *(pytest.param(*life, False, marks=pytest.mark.long) for life in LONG),
    ],
)
def test_an_auditor_follows_one_read_from_a_number_to_its_proof(
    visiting: Visiting, language: str, width: int, keys: bool
) -> None:
    visit = visiting(language, width=width, script=False)
    page, words = visit.sign_in_staff(people.COMMUNE, "auditor"), WORDS[language]
    hand = Hand(page, keys)
    kept = _keeps_a_head(hand)
    _finds_her(hand)
    taken = hand.take(page.locator("form[action='/audit/exports'] button"))
    rows = list(csv.DictReader(StringIO(taken.decode("utf-8-sig"))))
    shown = page.locator(".ledger .entry a").evaluate_all("all => all.map(one => one.lastChild.textContent)")
    assert rows[0]["event"] == "entries_searched", "the search for her is about her too"
    assert [row["index"] for row in rows[1 : len(shown) + 1]] == shown != []
    hand.go(page.locator(".ledger tbody tr", has_text="delivered").locator(".entry a").first)
    hand.write(page.locator("#ground"), GROUND)
    hand.go(page.locator("form.ask button"))
    assert words["opened"] in page.locator("article .kind").inner_text()
    assert people.DAUGHTER.name not in page.content() and people.DAUGHTER.number not in page.content()
    hand.go(page.locator("form[action$='/replay'] button"))
    assert words["again"] in page.locator(".replay[role=status]").inner_text()
    proof = hand.take(page.locator("form[action$='/proof'] button"))
    checked = verify_receipt(proof.decode(), visit.told.vault.signer.verifier_line)
    assert (checked.outcome, checked.parts["event"]["type"]) == ("valid", "delivered")
    _counts(hand)
    _sees_that_the_log_only_grew(hand, kept, words["grew"], visit.told.vault.signer.verifier_line)


def _keeps_a_head(hand: Hand) -> str:
    hand.go(hand.page.locator(".tabs a[href='/audit/log']"))
    kept = hand.take(hand.page.locator("a[download]")).decode()
    hand.go(hand.page.locator(".tabs a[href='/audit']"))
    return kept


def _finds_her(hand: Hand) -> None:
    page = hand.page
    hand.write(page.locator("#store"), people.DAUGHTER.number)
    hand.go(page.locator(".filters button[type=submit]"))
    assert people.DAUGHTER.number not in page.url
    assert masked(people.DAUGHTER.number) in page.locator("main").inner_text()
    assert people.DAUGHTER.number not in page.content() and people.DAUGHTER.name not in page.content()


def _counts(hand: Hand) -> None:
    page = hand.page
    hand.go(page.locator(".tabs a[href='/audit/counts']"))
    number = page.locator("table.counts td").first.inner_text()
    assert int(number) > 0
    hand.go(page.locator("table.counts th a").first)
    assert re.search(r"[?&]since=\d{4}-\d\d-\d\d", page.url)
    assert page.locator(".ledger tbody tr").count() > 0


def _sees_that_the_log_only_grew(hand: Hand, kept: str, grew: str, log_key: str) -> None:
    page, old = hand.page, kept.split("\n")[1]
    hand.go(page.locator(".tabs a[href='/audit/log']"))
    hand.write(page.locator("#old"), old)
    hand.go(page.locator("form.ask button").first)
    assert grew in page.locator("section[aria-labelledby=proven]").inner_text()
    proof = hand.take(page.locator(f"a[href='/audit/log/growth?old={old}']"))
    assert outcome_of(verify_growth(proof.decode(), kept, log_key)) == "valid"
