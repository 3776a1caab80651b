"""The language of an answer follows Accept-Language."""

import pytest

from reuse_api.language import preferred


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "vi"),
        ("", "vi"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        ("fr,en;q=0.8,vi;q=0.7", "en"),
        ("de, fr;q=0.5", "vi"),
        ("*", "vi"),
        ("en;q=0, vi", "vi"),
        ("en;q=nan", "vi"),
        ("en;q=7", "vi"),
        ("en;level=1", "vi"),
        (";;;,,q=1", "vi"),
        ("EN-us", "en"),
        ("english", "vi"),
        ("en;q=0.8,vi;q=0.8", "en"),
    ],
)
def test_the_highest_quality_wins(header: str | None, expected: str) -> None:
    assert preferred(header) == expected
