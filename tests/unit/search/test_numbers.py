"""Letters and digits that stand apart, and may be typed as one."""

import pytest

from search.dates import spots
from search.numbers import runs
from search.vietnamese import aligned, normal


def joined(text: str) -> list[str]:
    bare = normal(text)
    return [one.compact for one in runs(bare, aligned(bare))]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("AA 261127061106", ["aa261127061106"]),
        ("AA  261127 061106", ["aa261127061106"]),
        ("AA – 261127061106", ["aa261127061106"]),
        ("CĐ 456789", ["cd456789"]),
        ("29A 123.45", ["29a12345"]),
        ("29 - A1 123.45", ["29a1", "29a112345", "a112345"]),
        ("AA-261127061106", []),  # one code as it stands
        ("khai sinh ban sao", []),
        ("quận 3, phường 12", []),
        ("1234 56 A", ["123456a"]),  # the numbers are one already
        ("1234 5 A", ["5a"]),
        ("Ha Noi. 12 A", ["12a"]),
        ("", []),
    ],
)
def test_what_is_joined(text: str, wanted: list[str]) -> None:
    assert joined(text) == wanted


def test_a_day_is_no_part_of_a_number() -> None:
    bare = normal("ngay 12 thang 3 nam 2024")
    assert runs(bare, aligned(bare), [(0, len(bare))]) == []
    text = "AA 1, 2024-03-12 BB 2, 12/3/2024 CC 3"
    days = [(one.start, one.end) for one in spots(text)]
    assert [one.compact for one in runs(text, text.lower(), days)] == ["aa1", "bb2", "cc3"]


def test_a_long_text_is_read_in_a_time_that_grows_with_it() -> None:
    """Were each word held against each day, this would take minutes."""
    text = "12 thang 3 nam 2024, so 123 456 aa 7 " * 20_000
    days = [(start, start + 19) for start in range(0, len(text), 37)]
    assert len(runs(text, text, days)) == 20_000 * 5
