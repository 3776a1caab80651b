"""The one stylesheet: readable in light and dark by the numbers of WCAG 2.2, and nothing from outside."""

import re
from importlib.resources import files
from itertools import product

import pytest

PAGES = files("reuse_api.pages")
STYLE = PAGES.joinpath("static", "kho.css").read_text("utf-8")
TEMPLATES = {
    one.name: one.read_text("utf-8")
    for one in PAGES.joinpath("templates").iterdir()
    if one.name.endswith(".html")
}

GROUNDS = ("--paper", "--card", "--raised")
TEXT = [
    *product(("--ink", "--soft", "--link"), GROUNDS),
    *(("--on-jade", one) for one in ("--jade", "--jade-deep", "--button", "--button-deep")),
    *((f"--{tone}", f"--{tone}-bg") for tone in ("good", "caution", "bad", "plain")),
    ("--bad", "--card"),
]
SIGNS = [*product(("--focus", "--soft", "--good", "--bad", "--plain"), ("--paper", "--card"))]


def tokens(dark: bool) -> dict[str, str]:
    """Give the colours by name; the dark ones stand on top of the light ones."""
    light, dim = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[:2]
    found = dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{3,6})", light))
    return found | (dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{3,6})", dim)) if dark else {})


def contrast(one: str, other: str) -> float:
    """Give the contrast ratio of two colours (WCAG 2.2, 1.4.3)."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_contrast_of_black_on_white_is_known() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("dark", [False, True])
def test_text_and_signs_stand_out_from_their_ground(dark: bool) -> None:
    colours = tokens(dark)
    pale = [(a, b) for a, b in TEXT if contrast(colours[a], colours[b]) < 4.5]
    pale += [(a, b) for a, b in SIGNS if contrast(colours[a], colours[b]) < 3]
    assert pale == []


def test_nothing_comes_from_outside() -> None:
    for name, text in (TEMPLATES | {"kho.css": STYLE}).items():
        assert not re.search(r"@import|@font-face|url\(|https?:|//\w|<script|\sstyle=|\son\w+=", text), name


def test_every_class_of_a_template_has_a_style() -> None:
    styled = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^{}]*\}", "{}", STYLE)))
    used = {
        one
        for text in TEMPLATES.values()
        for value in re.findall(r'class="([^"]*)"', re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", text))
        for one in value.split()
    }
    assert used
    assert used - styled == set()


def test_no_class_means_two_things_in_two_rooms() -> None:
    """What is styled for one room must not reach into another; what both need is styled before them."""
    shared, *parts = re.split(r"/\* === ([^:=]*?)(?::[^=]*)? === \*/", STYLE)
    rooms: dict[str, set[str]] = {}
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        rooms.setdefault(name, set()).update(
            re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^{}]*\}", "{}", text))
        )
    common = set(re.findall(r"\.([a-z][\w-]*)", shared))
    own = {name: found - common for name, found in rooms.items() if not name.startswith("Wider")}
    assert {"Wallet", "Desk"} <= own.keys()
    both = {one for name in own for other in own if name < other for one in own[name] & own[other]}
    assert both == set()
