"""What a document is worth: a table to be read beside the law (policies/trust_classes.py names it)."""

import itertools
from dataclasses import replace
from typing import get_args

import pytest

from policies import trust_classes
from policies.facts import TrustClass
from policies.trust_classes import RULES, Evidence, Mark, Signer, classify
from policies.wording import codes

COMMUNE, POLICE, NOTARY = frozenset({"H26.14.02"}), frozenset({"G01.01.02"}), frozenset({"CC.01"})
SEAL = Signer("valid", "ab" * 32, "government", COMMUNE, issues=True)
PERSON = Signer("valid", "cd" * 32, "public")  # the chairman, whose own certificate belongs to no agency
CERTIFIER = Signer("valid", "ef" * 32, "public", NOTARY, certifies=True)
CONVERTER = Signer("valid", "12" * 32, "government", POLICE)

RESULT = Evidence("result", "valid", (SEAL,), "none", agencies=COMMUNE)
HANDED_IN = replace(RESULT, origin="result_file", type_shown="yes", owner_shown="yes")
UPLOAD = replace(HANDED_IN, origin="upload", agencies=frozenset())
SCAN = Evidence("digitised", "valid", (CONVERTER,), "conversion", agencies=POLICE, scan_passed=True)
SAO_Y = replace(UPLOAD, mark="copy", signers=(CONVERTER,))
CERTIFIED = replace(UPLOAD, mark="certified", signers=(CERTIFIER,))
ON_TEST_ROOT = replace(SEAL, anchor="test")

TABLE: list[tuple[str, Evidence, str, str]] = [
    # what it is, the evidence, its class, and the first reason: what carries it, or what stands in the way
    ("composed and sealed here by the issuing agency", RESULT, "A", "class_by_issuing_agency"),
    ("a file of the issuing agency, signed by it", HANDED_IN, "A", "class_by_issuing_agency"),
    (
        "the same, of an agency that it succeeded",
        replace(HANDED_IN, agencies=COMMUNE | {"H26.14.99"}),
        "A",
        "class_by_issuing_agency",
    ),
    (
        "the same, naming no number of anybody",
        replace(HANDED_IN, owner_shown="no"),
        "A",
        "class_by_issuing_agency",
    ),
    (
        "signed by the chairman and the agency",
        replace(HANDED_IN, signers=(PERSON, SEAL)),
        "A",
        "class_by_issuing_agency",
    ),
    ("somebody's signed result, put in by its owner", UPLOAD, "A", "class_by_issuing_agency"),
    (
        "signed by the chairman alone",
        replace(HANDED_IN, signers=(PERSON,)),
        "E",
        "class_signer_not_registered",
    ),
    (
        "signed by an agency that issues other papers",
        replace(HANDED_IN, signers=(replace(SEAL, issues=False),)),
        "E",
        "class_signer_may_not_issue",
    ),
    (
        "handed in by another agency than signed it",
        replace(HANDED_IN, agencies=POLICE),
        "E",
        "class_signer_not_issuer",
    ),
    ("headed as another type of paper", replace(HANDED_IN, type_shown="other"), "E", "class_type_differs"),
    ("with no heading at all", replace(HANDED_IN, type_shown="no"), "E", "class_type_not_shown"),
    ("naming another person first", replace(HANDED_IN, owner_shown="other"), "E", "class_owner_differs"),
    (
        "a picture without words",
        replace(HANDED_IN, mark="unreadable", type_shown="no", owner_shown="no"),
        "E",
        "class_text_unreadable",
    ),
    ("read by earlier rules", replace(HANDED_IN, reading="paper-words/1"), "E", "class_text_read_before"),
    ("what was composed here, by earlier rules", replace(RESULT, reading=""), "A", "class_by_issuing_agency"),
    ("signed XML", replace(UPLOAD, mark="xml", type_shown="no"), "D", "class_xml_not_read"),
    ("an upload headed as another type", replace(UPLOAD, type_shown="other"), "D", "class_type_differs"),
    (
        "an upload that names its owner nowhere",
        replace(UPLOAD, owner_shown="no"),
        "D",
        "class_owner_not_shown",
    ),
    ("an upload of another person's paper", replace(UPLOAD, owner_shown="other"), "D", "class_owner_differs"),
    (
        "a signature by no agency known here",
        replace(UPLOAD, signers=(replace(SEAL, agencies=frozenset()),)),
        "D",
        "class_signer_not_registered",
    ),
    (
        "a chain to no trusted root",
        replace(UPLOAD, signers=(replace(SEAL, anchor=""),)),
        "D",
        "class_anchor_unknown",
    ),
    (
        "a root for time stamps only",
        replace(UPLOAD, signers=(replace(SEAL, anchor="timestamp"),)),
        "D",
        "class_anchor_unknown",
    ),
    ("a root for tests, in earnest", replace(UPLOAD, signers=(ON_TEST_ROOT,)), "D", "class_anchor_for_tests"),
    (
        "a root for tests, in a vault for tests",
        replace(UPLOAD, signers=(ON_TEST_ROOT,), demonstration=True),
        "A",
        "class_by_issuing_agency",
    ),
    ("an unsigned upload", Evidence("upload", "undetermined"), "D", "class_signature_not_valid"),
    (
        "an unsigned file of an agency",
        Evidence("result_file", "undetermined"),
        "E",
        "class_signature_not_valid",
    ),
    (
        "a signature that is not decided",
        replace(UPLOAD, verdict="undetermined"),
        "D",
        "class_signature_not_valid",
    ),
    ("a byte changed after signing", replace(RESULT, verdict="invalid"), "E", "class_signature_not_valid"),
    ("a scan, marked, signed and good enough", SCAN, "B", "class_by_converting_agency"),
    ("a scan nobody measured", replace(SCAN, scan_passed=None), "E", "class_scan_not_measured"),
    ("a scan that is too poor", replace(SCAN, scan_passed=False), "E", "class_scan_too_poor"),
    (
        "a scan signed by another than who scanned",
        replace(SCAN, agencies=COMMUNE),
        "E",
        "class_signer_not_converter",
    ),
    (
        "an own upload of a converted paper",
        replace(UPLOAD, mark="conversion", scan_passed=True),
        "B",
        "class_by_converting_agency",
    ),
    ("the same, not measured", replace(UPLOAD, mark="conversion"), "D", "class_scan_not_measured"),
    ("sao y by an agency", SAO_Y, "B", "class_by_copying_agency"),
    (
        "sao y by the issuer itself is still a copy",
        replace(SAO_Y, signers=(SEAL,)),
        "B",
        "class_by_copying_agency",
    ),
    ("sao y signed by a person alone", replace(SAO_Y, signers=(PERSON,)), "D", "class_signer_not_registered"),
    ("an electronically certified copy", CERTIFIED, "C", "class_by_certifying_agency"),
    (
        "certified by who may not certify",
        replace(CERTIFIED, signers=(SEAL,)),
        "D",
        "class_signer_may_not_certify",
    ),
    (
        "certified, of a paper that names somebody else",
        replace(CERTIFIED, owner_shown="other"),
        "D",
        "class_owner_differs",
    ),
    (
        "a certified copy handed in by its certifier, a picture of the paper",
        replace(CERTIFIED, origin="result_file", agencies=NOTARY, type_shown="no", owner_shown="no"),
        "C",
        "class_by_certifying_agency",
    ),
]


@pytest.mark.parametrize(("case", "evidence", "expected", "reason"), TABLE, ids=[row[0] for row in TABLE])
def test_the_table(case: str, evidence: Evidence, expected: str, reason: str) -> None:
    classed = classify(evidence)
    assert (classed.trust, classed.rules) == (TrustClass(expected), RULES), case
    told = [one.code for one in classed.reasons]
    assert told[0 if expected in "ABC" else 1] == reason
    assert classify(Evidence.from_json(evidence.to_json())) == classed, "the stored evidence gives it again"


def test_a_root_for_tests_is_said_to_be_one() -> None:
    shown = classify(replace(UPLOAD, signers=(ON_TEST_ROOT,), demonstration=True)).reasons
    assert "class_test_anchor" in [one.code for one in shown]
    assert "class_test_anchor" not in [one.code for one in classify(UPLOAD).reasons]


def test_every_reason_has_words_and_a_fact() -> None:
    said = {one for _, evidence, _, _ in TABLE for one in classify(evidence).reasons}
    assert all("=" in one.fact for one in said)
    assert {one.code for one in said} == trust_classes.CODES - {"class_before_rules"}
    assert codes() >= trust_classes.CODES


def _everything() -> list[Evidence]:
    flags = (False, True)
    signers = [
        Signer(verdict, "aa" * 32, anchor, agencies, issues, certifies)
        for verdict, anchor, agencies, issues, certifies in itertools.product(
            ("valid",), ("", "test", "public"), (frozenset(), COMMUNE), flags, flags
        )
    ]
    return [
        Evidence(origin, verdict, (signer,), mark, shown, owner, COMMUNE, passed, demonstration)
        for origin, verdict, signer, mark, shown, owner, passed, demonstration in itertools.product(
            ("result", "result_file", "digitised", "upload"),
            ("valid", "undetermined"),
            [*signers, replace(SEAL, verdict="undetermined", certifies=True)],
            get_args(Mark),
            ("yes", "other"),
            ("yes", "no"),
            (None, True),
            flags,
        )
    ]


def test_what_is_not_proven_is_never_worth_more() -> None:
    """Over every combination: A to C need a valid verdict, a registered agency and a root that counts."""
    good = (TrustClass.A, TrustClass.B, TrustClass.C)
    for evidence in _everything():
        trust = classify(evidence).trust
        (signer,) = evidence.signers
        if trust in good:
            assert evidence.verdict == signer.verdict == "valid"
            assert signer.agencies
            assert signer.anchor == "public" or (signer.anchor == "test" and evidence.demonstration)
            assert (trust is not TrustClass.A) or (signer.issues and evidence.origin != "digitised")
            assert (trust is not TrustClass.C) or signer.certifies
            if evidence.origin == "upload":
                assert (evidence.type_shown, evidence.owner_shown) == ("yes", "yes")
        else:
            assert trust is (TrustClass.D if evidence.origin == "upload" else TrustClass.E)


@pytest.mark.parametrize("evidence", [row[1] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_signature_of_whoever_comes_later_raises_nothing(evidence: Evidence) -> None:
    """A stranger's valid signature adds no worth, and one that is not valid leaves none."""
    stranger = Signer("valid", "99" * 32, "public")
    followed = classify(replace(evidence, signers=(*evidence.signers, stranger)))
    assert followed.trust == classify(evidence).trust
    for verdict in ("undetermined", "invalid"):
        unsure = replace(evidence, signers=(*evidence.signers, replace(stranger, verdict=verdict)))
        assert classify(unsure).trust in (TrustClass.D, TrustClass.E), "though the file be called valid"
