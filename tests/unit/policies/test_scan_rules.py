"""Scans against the rules: what is refused, what is doubted, what is told, and that each has its words."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from policies import wording
from policies.scan_rules import PageMeasures, ScanMeasures, codes, judge, paper_sizes, rules_version

TODAY = date(2026, 11, 20)
GOOD = PageMeasures(210.1, 297.0, 200.0, "rgb", 1.0, 0.04, 0.01, True, 0.4, True, 0, None)


def scan(*pages: PageMeasures, version: str | None = "1.4") -> ScanMeasures:
    return ScanMeasures("application/pdf", version, pages or (GOOD,))


def troubles(measures: ScanMeasures) -> list[tuple[str, int, str]]:
    return [(one.fault, one.page, one.outcome) for one in judge(measures, TODAY).troubles]


def test_a_good_scan_passes_and_everything_measured_is_told() -> None:
    quality = judge(scan(), TODAY)
    assert quality.passed and quality.refused is None and not quality.troubles
    assert len(quality.findings) == 11 and {one.outcome for one in quality.findings} == {"met"}
    assert all(one.legal and one.measured and one.wanted for one in quality.findings)
    assert quality.version == rules_version() and len(rules_version()) == 64


@pytest.mark.parametrize(
    ("change", "fault", "outcome"),
    [
        ({"dpi": 150.0}, "scan_resolution_low", "refuse"),
        ({"dpi": 199.4}, "scan_resolution_low", "refuse"),
        ({"dpi": 0.0}, "scan_resolution_low", "refuse"),
        ({"colour": "grey"}, "scan_not_colour", "refuse"),
        ({"colour": "bitonal"}, "scan_not_colour", "refuse"),
        ({"colour": "unknown"}, "scan_not_colour", "refuse"),
        ({"covered": 0.89}, "scan_not_covered", "refuse"),
        ({"dark": 0.9}, "scan_black", "refuse"),
        ({"ink": 0.0}, "scan_blank", "refuse"),
        ({"others": 1}, "scan_not_only_pictures", "doubt"),
        ({"width_mm": 180.0}, "scan_scale_unproven", "doubt"),
        ({"height_mm": 280.0, "scaled": False}, "scan_scale_unproven", "doubt"),
        ({"skew": -3.4}, "scan_skewed", "tell"),
        ({"tinted": False}, "scan_without_tint", "tell"),
        ({"tones": 2}, "scan_not_colour", "refuse"),
    ],
)
def test_each_rule_has_its_consequence(change: dict[str, Any], fault: str, outcome: str) -> None:
    measures = scan(replace(GOOD, **change))
    assert troubles(measures) == [(fault, 1, outcome)]
    assert judge(measures, TODAY).passed is (outcome == "tell")


@pytest.mark.parametrize(
    "change",
    [
        {"dpi": 199.6},
        {"skew": None},
        {"skew": 3.0},
        {"width_mm": 297.0, "height_mm": 210.0},
        {"width_mm": 86.0, "height_mm": 54.0},
        {"width_mm": 206.5},
        {"colour": "cmyk"},
        {"tones": 3},
        {"tones": 1},
    ],
)
def test_what_is_within_the_rules_is_met(change: dict[str, Any]) -> None:
    assert troubles(scan(replace(GOOD, **change))) == []


def test_the_version_counts_for_a_pdf_alone() -> None:
    assert troubles(scan(version="1.3")) == [("scan_version_low", 0, "refuse")]
    assert (
        troubles(scan(version="1.10")) == troubles(scan(version="2.0")) == troubles(scan(version=None)) == []
    )


def test_one_blank_page_may_be_the_back_of_a_paper_but_not_all_of_them() -> None:
    back = replace(GOOD, ink=0.0, skew=None)
    assert troubles(scan(GOOD, back)) == [("scan_page_blank", 2, "tell")]
    assert judge(scan(GOOD, back), TODAY).passed
    assert troubles(scan(back, back)) == [("scan_blank", 1, "refuse"), ("scan_blank", 2, "refuse")]


def test_nothing_measured_passes_nothing() -> None:
    assert not judge(ScanMeasures("application/pdf", None, ()), TODAY).passed
    assert not judge(scan(), date(2019, 1, 1)).passed, "before the rules were in force nothing is claimed"


def test_every_finding_has_words_with_its_values() -> None:
    faults = {code for code in codes() if code in wording.codes()}
    assert len(faults) == 11
    for code in faults:
        for lang in wording.LANGUAGES:
            said = wording.say(code, "officer", lang, page="3", measured="150 dpi", wanted="≥ 200 dpi")
            assert "150 dpi" in said or "3" in said
    assert (210.0, 297.0) in paper_sizes() and all(short <= long for short, long in paper_sizes())
