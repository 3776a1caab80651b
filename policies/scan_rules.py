"""Is a scan good enough for a copy of legal value? Measured values against dated rules with their grounds.

The rules are data (policies/data/scan_rules.json), written to be read by a lawyer: Nghị định 30/2020/NĐ-CP,
Phụ lục I (PDF 1.4 or later, colour, 200 dots an inch, scale 100 %) and Luật Giao dịch điện tử 2023, Điều 12
(the content whole). Nothing is decided by what anybody says of a scan.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Literal

Outcome = Literal["met", "tell", "doubt", "refuse"]


@dataclass(frozen=True)
class PageMeasures:
    """What was measured of one page: millimetres, dots an inch, shares from 0 to 1, degrees.

    `colour` is rgb, cmyk, grey, bitonal, unknown or none; `scaled` whether its size is the paper's own;
    `others` how many things it shows that are no pictures; `tones` how many colours it has in all, 3 for more
    than two, None where it is stored with loss.
    """

    width_mm: float
    height_mm: float
    dpi: float
    colour: str
    covered: float
    ink: float
    dark: float
    tinted: bool
    skew: float | None
    scaled: bool
    others: int
    tones: int | None


@dataclass(frozen=True)
class ScanMeasures:
    """What was measured of a scan; `version` only of a PDF, such as "1.4"."""

    media_type: str
    version: str | None
    pages: tuple[PageMeasures, ...]


@dataclass(frozen=True)
class Finding:
    """One rule held against one page (from 1; 0 is the whole file).

    `measured` and `wanted` are texts with their units, in no language. `fault` is the reason code of what is
    not met, "" where it is; `legal` the ground of the rule.
    """

    rule: str
    page: int
    measured: str
    wanted: str
    outcome: Outcome
    fault: str
    legal: str


@dataclass(frozen=True)
class ScanQuality:
    """Everything that was found of a scan, by the rules of `version` (SHA-256 of the rule file, as hex)."""

    findings: tuple[Finding, ...]
    version: str

    @property
    def passed(self) -> bool:
        """Whether every rule with a consequence is met: what a copy of class B rests on."""
        return bool(self.findings) and not any(one.outcome in ("refuse", "doubt") for one in self.findings)

    @property
    def refused(self) -> Finding | None:
        """The first rule for which the scan is not taken at all."""
        return next((one for one in self.findings if one.outcome == "refuse"), None)

    @property
    def troubles(self) -> tuple[Finding, ...]:
        """What is not met, however little follows from it."""
        return tuple(one for one in self.findings if one.outcome != "met")


def paper_sizes() -> tuple[tuple[float, float], ...]:
    """Give the paper sizes that a scan at scale 100 % can have, in millimetres, the shorter side first."""
    return tuple((float(short), float(long)) for short, long in _data()["paper_sizes_mm"])


def rules_version() -> str:
    """Give the SHA-256 of the rule file as hex."""
    return sha256(_text().encode()).hexdigest()


def judge(scan: ScanMeasures, on: date) -> ScanQuality:
    """Hold a scan against the rules in force on a day; nothing is left out, also what is met."""
    found = [one for rule in _data()["rules"] if rule["from"] <= on.isoformat() for one in _held(rule, scan)]
    return ScanQuality(tuple(found), rules_version())


def _held(rule: Mapping[str, Any], scan: ScanMeasures) -> Sequence[Finding]:
    if rule["code"] == "scan_version":
        return [] if scan.version is None else [_version(rule, scan.version)]
    look = _LOOKS[rule["code"]]
    pages = [_finding(rule, number, *look(rule, page)) for number, page in enumerate(scan.pages, 1)]
    failed = "all_pages" in rule and all(one.outcome != "met" for one in pages)
    if not failed:
        return pages
    return [
        Finding(one.rule, one.page, one.measured, one.wanted, rule["all_pages"], rule["all_fault"], one.legal)
        for one in pages
    ]


def _finding(rule: Mapping[str, Any], page: int, met: bool, measured: str, wanted: str) -> Finding:
    outcome: Outcome = "met" if met else rule["follows"]
    return Finding(rule["code"], page, measured, wanted, outcome, "" if met else rule["fault"], rule["legal"])


def _version(rule: Mapping[str, Any], version: str) -> Finding:
    major, _, minor = version.partition(".")
    least_major, _, least_minor = str(rule["least"]).partition(".")
    met = (int(major), int(minor)) >= (int(least_major), int(least_minor))
    return _finding(rule, 0, met, f"PDF {version}", f"≥ PDF {rule['least']}")


def _covered(rule: Mapping[str, Any], page: PageMeasures) -> tuple[bool, str, str]:
    return page.covered >= rule["least"], _percent(page.covered), f"≥ {_percent(rule['least'])}"


def _only_pictures(_: Mapping[str, Any], page: PageMeasures) -> tuple[bool, str, str]:
    return page.others == 0, str(page.others), "0"


def _resolution(rule: Mapping[str, Any], page: PageMeasures) -> tuple[bool, str, str]:
    # A page rarely is a whole number of pixels wide: half a dot an inch is rounding, not resolution.
    met = page.dpi + rule["rounding"] >= rule["least"]
    shown = round(page.dpi) if met else int(page.dpi)
    return met, f"{shown} dpi", f"≥ {rule['least']} dpi"


def _colour(rule: Mapping[str, Any], page: PageMeasures) -> tuple[bool, str, str]:
    return page.colour in rule["any_of"], page.colour, rule["any_of"][0]


def _scale(rule: Mapping[str, Any], page: PageMeasures) -> tuple[bool, str, str]:
    shown = sorted((page.width_mm, page.height_mm))
    near = min(paper_sizes(), key=lambda size: max(abs(size[0] - shown[0]), abs(size[1] - shown[1])))
    off = max(abs(near[0] - shown[0]), abs(near[1] - shown[1]))
    size = f"{page.width_mm:.0f} × {page.height_mm:.0f} mm"
    if not page.scaled:
        return False, "?", "100 %"
    return off <= rule["within_mm"], size, f"{near[0]:g} × {near[1]:g} mm ± {rule['within_mm']} mm"


def _dark(rule: Mapping[str, Any], page: PageMeasures) -> tuple[bool, str, str]:
    return page.dark <= rule["most"], _percent(page.dark), f"≤ {_percent(rule['most'])}"


def _ink(rule: Mapping[str, Any], page: PageMeasures) -> tuple[bool, str, str]:
    return page.ink >= rule["least"], f"{page.ink * 100:.2f} %", f"≥ {rule['least'] * 100:.2f} %"


def _skew(rule: Mapping[str, Any], page: PageMeasures) -> tuple[bool, str, str]:
    if page.skew is None:
        return True, "?", f"≤ {rule['most']}°"
    return abs(page.skew) <= rule["most"], f"{page.skew:+.1f}°", f"≤ {rule['most']}°"


def _tint(rule: Mapping[str, Any], page: PageMeasures) -> tuple[bool, str, str]:
    return page.tinted, "tinted" if page.tinted else "grey", "tinted"


def _tones(rule: Mapping[str, Any], page: PageMeasures) -> tuple[bool, str, str]:
    wanted = f"> {rule['not']} tones"
    if page.tones is None:
        return True, "?", wanted
    return page.tones != rule["not"], wanted if page.tones > rule["not"] else f"{page.tones} tones", wanted


_LOOKS = {
    "scan_covered": _covered,
    "scan_only_pictures": _only_pictures,
    "scan_resolution": _resolution,
    "scan_colour": _colour,
    "scan_scale": _scale,
    "scan_dark": _dark,
    "scan_ink": _ink,
    "scan_skew": _skew,
    "scan_tint": _tint,
    "scan_tones": _tones,
}


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def rules() -> tuple[str, ...]:
    """Give the code of every rule, in the order in which they are held against a scan."""
    return tuple(rule["code"] for rule in _data()["rules"])


def codes() -> Iterator[str]:
    """Give every code that a finding may carry: rules, and what is not met."""
    for rule in _data()["rules"]:
        yield from (rule["code"], rule["fault"])
        if "all_fault" in rule:
            yield rule["all_fault"]


@cache
def _data() -> dict[str, Any]:
    return json.loads(_text())  # type: ignore[no-any-return]


@cache
def _text() -> str:
    return (files("policies") / "data" / "scan_rules.json").read_text("utf-8")
