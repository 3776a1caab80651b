"""DER has one way to write a value; every other is noticed."""

import pytest

from signing.plain_der import is_plain, is_whole


@pytest.mark.parametrize(
    "text",
    [
        "3003020105",
        "0101ff",
        "010100",
        "020200ff",
        "0500",
        "06032a0304",
        "03020780",
        "030100",
        "310602010102010 2".replace(" ", ""),
        "0481" + "80" + "aa" * 128,
        "170d3236313132303033303430355a",
        "180f32303236313132303033303430355a",
        "a003020105",
    ],
)
def test_what_is_written_plainly_is_taken(text: str) -> None:
    assert is_plain(bytes.fromhex(text))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing"),
        ("3080020105 0000", "no length"),
        ("30810302 0105", "a length too long"),
        ("300302010500", "something behind"),
        ("3004020105", "something missing"),
        ("010101", "a truth of its own"),
        ("02020001", "an integer with a zero too many"),
        ("0202ffff", "a negative integer with a byte too many"),
        ("0200", "an integer of nothing"),
        ("050100", "a null with something in it"),
        ("0604802a0304", "an identifier with a zero too many"),
        ("06028080", "an identifier without an end"),
        ("03020781", "bits that are not there and set"),
        ("030108", "more unused bits than a byte has"),
        ("3106020102020101", "a set out of order"),
        ("24040402aabb", "a string in parts"),
        ("1003020105", "a sequence said to have no parts"),
        ("170b323631313230303330345a", "a time without seconds"),
        ("30050201050000", "an end that is not asked for"),
        ("1f810100", "a tag of several bytes"),
        ("30" * 5, "a nest without an end"),
    ],
)
def test_another_way_to_write_it_is_noticed(text: str, why: str) -> None:
    assert not is_plain(bytes.fromhex(text.replace(" ", ""))), why


def test_a_deep_nest_is_no_trouble() -> None:
    nest = b""
    for _ in range(100):
        nest = b"\x30" + bytes([len(nest)]) + nest if len(nest) < 100 else nest
    assert is_plain(nest)
    assert not is_plain(b"\x30\x80" * 100_000)


@pytest.mark.parametrize("text", ["3003020105", "3080020105", "a00430020500", "308000", "0481026162"])
def test_parts_that_fit_are_whole(text: str) -> None:
    assert is_whole(bytes.fromhex(text))


@pytest.mark.parametrize("text", ["3003020205", "30040401aa30", "a0033002050000ff", "30", "30850102030405"])
def test_a_part_that_ends_elsewhere_is_noticed(text: str) -> None:
    assert not is_whole(bytes.fromhex(text))
