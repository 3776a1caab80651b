"""What is honest typing of one name, and what is another name."""

from unicodedata import normalize

import pytest

from policies.person_names import same_person_name

NAME = "Nguyễn Thị Thuý Đào"


@pytest.mark.parametrize(
    "typed",
    [
        "NGUYỄN THỊ THÚY ĐÀO",
        normalize("NFD", NAME),
        "nguyen thi thuy dao",
        "  Nguyễn  Thị\u00a0Thuý Đào ",
        "Thuý Đào, Nguyễn Thị",
    ],
)
def test_honest_typing_is_the_same_name(typed: str) -> None:
    assert same_person_name(NAME, typed)


@pytest.mark.parametrize(
    "typed", ["", "Nguyễn Thị Đào", "Nguyễn Thị Thuý Đàm", "Nguyễn Thị Thuý Đào Đào", "đào"]
)
def test_another_name_is_another(typed: str) -> None:
    assert not same_person_name(NAME, typed)
