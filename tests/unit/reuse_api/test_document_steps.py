"""The numbered steps of a document's check: what passed, what failed, what nobody can say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from reuse_api.commands.verify_words import document_lines
from reuse_api.document_steps import DocumentStep, Teller, Worth
from reuse_api.document_words import NAMES
from signing.anchors import PURPOSES, AnchorName
from signing.findings import (
    Certified,
    ChainCertificate,
    Change,
    EvidenceKind,
    EvidenceSource,
    PageDifference,
    SignatureKind,
    StampDetail,
    StampKind,
    StatusEvidence,
    Verdict,
)
from signing.report import Examination, SignatureDetail, SignatureReport, undetermined

AT = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
SEALED = SignatureDetail(
    field="KhoSeal",
    signer="UBND phường Cầu Giấy",
    signed_at=AT,
    level="B-LTA",
    verdict="valid",
    sub_indication="",
    covers_whole_file=True,
    reason="",
)
VALID = SignatureReport("valid", "", (), (SEALED,))


def steps(report: SignatureReport, language: Any = "en", **more: Any) -> list[DocumentStep]:
    return Teller(language, "citizen", datetime.isoformat).steps(report, "application/pdf, 3 bytes", **more)


def test_a_sealed_result_passes_every_step_in_order() -> None:
    told = steps(VALID)
    assert [(one.number, one.passed) for one in told] == [(n, True) for n in range(1, 6)]
    assert told[0].details == ("application/pdf, 3 bytes",)
    assert told[1].details == ("Signer: UBND phường Cầu Giấy",)
    assert told[3].details == ("Time: 2026-11-24T02:30:00+00:00", "Signature level: B-LTA")
    assert told[4].details == ()


def test_two_signatures_have_steps_of_their_own() -> None:
    other = replace(SEALED, field="Second", verdict="undetermined", reason="signer_not_trusted", level="")
    told = steps(SignatureReport("undetermined", "GENERIC", ("signer_not_trusted",), (SEALED, other)))
    assert [one.passed for one in told] == [True, True, True, True, None, None, None, None]
    assert "Second" in told[4].name and "KhoSeal" in told[1].name
    assert told[4].details[0] == "Signer as claimed: UBND phường Cầu Giấy", "nobody vouches for the name"
    assert "Only the signer says so; no time stamp proves it" in told[6].details


@pytest.mark.parametrize(
    ("reason", "covers", "passed"),
    [
        ("changed_after_signing", False, False),
        ("coverage_incomplete", False, False),
        ("library_error", False, None),
        ("signer_not_trusted", True, None),
        ("signature_wrong", True, None),
        ("digest_mismatch", True, False),
    ],
)
def test_the_coverage_is_said_only_as_far_as_it_was_seen(
    reason: str, covers: bool, passed: bool | None
) -> None:
    one = replace(SEALED, verdict="undetermined", reason=reason, covers_whole_file=covers)
    assert steps(SignatureReport("undetermined", "GENERIC", (reason,), (one,)))[2].passed is passed


def test_a_file_without_a_signature_has_two_steps_and_a_reason() -> None:
    told = steps(undetermined("no_signature", sub_indication="SIGNED_DATA_NOT_FOUND"), "vi")
    assert [one.passed for one in told] == [True, None]
    assert "SIGNED_DATA_NOT_FOUND" in told[1].details[0]
    assert len(told[1].details) == 2 and "no_signature" not in told[1].details[1]


def test_a_file_that_was_not_taken_is_not_called_read() -> None:
    told = steps(undetermined("file_refused"), refusal="encrypted")
    assert [one.passed for one in told] == [None, None]


def test_what_a_file_says_of_itself_steers_no_terminal() -> None:
    hostile = "\x1b[2J\u202eA{field}"
    told = steps(SignatureReport("valid", "", (), (replace(SEALED, signer=hostile, field=hostile),)))
    everything = "".join(one.name + "".join(one.details) for one in told)
    assert "\x1b" not in everything and "\u202e" not in everything and "A{field}" in everything


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_command_prints_the_steps_that_the_page_shows(language: Any) -> None:
    other = replace(SEALED, field="Second", verdict="invalid", reason="digest_mismatch", level="")
    report = SignatureReport("invalid", "HASH_FAILURE", ("digest_mismatch",), (SEALED, other))
    printed = list(document_lines(Examination(b"\xab" * 32, 3, "application/pdf", 1, None, report), language))
    shown = steps(report, language)
    assert len(printed) == len(shown) == 8
    for line, step in zip(printed, shown, strict=True):
        assert line.startswith(f"{step.number}. {step.name}: ")


def test_both_languages_tell_the_same_steps() -> None:
    vi, en = steps(VALID, "vi"), steps(VALID, "en")
    assert [(one.number, one.passed) for one in vi] == [(one.number, one.passed) for one in en]
    assert not {one.name for one in vi} & {one.name for one in en}


FULL = replace(
    SEALED,
    kind="pades",
    time_source="timestamp",
    chain=(ChainCertificate("CN=UBND", "00" * 32), ChainCertificate("CN=Gốc", "11" * 32)),
    anchor=AnchorName("11" * 32, "test", "Gốc thử", "Test root"),
    status_evidence=(
        StatusEvidence("00" * 32, "ocsp", "dss", AT),
        StatusEvidence("22" * 32, "crl", "fetched"),
    ),
    digest_algorithm="sha256",
    signature_algorithm="sha256_ecdsa",
    key_bits=256,
    certified="no_changes",
    changes=("validation_data", "timestamps"),
    timestamps=(
        StampDetail("signature", "TSA", AT, "valid"),
        StampDetail("document", "", None, "invalid", "x"),
    ),
)


def test_everything_a_report_knows_of_a_signature_is_told() -> None:
    told = steps(replace(VALID, signatures=(FULL,), second_look="same"))
    assert [one.passed for one in told] == [True] * 7
    assert "Format: PAdES" in told[1].details
    assert "Certificates: UBND ← Gốc" in told[1].details
    assert "Trusted root: Test root (root for tests only, without legal value)" in told[1].details
    assert "Algorithms: sha256, sha256_ecdsa, 256 bit" in told[1].details
    assert told[2].details == (
        "Evidence: OCSP in the file: UBND, 2026-11-24T02:30:00+00:00",
        "Evidence: CRL fetched from its issuer: 2222222222222222",
    )
    assert told[3].details == (
        "Certified: no changes are permitted afterwards",
        "Added after signing: data for validation, time stamps",
    )
    assert told[4].details[2:] == (
        "Time stamp: of the signature, TSA, 2026-11-24T02:30:00+00:00, valid",
        "Time stamp: of the whole file, invalid",
    )
    assert told[5].name == "The pages look exactly as they did when they were signed"


def test_a_claimed_time_after_the_time_stamp_is_not_right() -> None:
    stamps = (StampDetail("signature", "TSA", AT - timedelta(hours=7), "undetermined", "x"),)
    claimed = replace(FULL, verdict="undetermined", time_source="claimed", level="", timestamps=stamps)
    words = "The time that the signer wrote is later than the time stamp, so it is not right"
    assert words in steps(replace(VALID, signatures=(claimed,)))[4].details
    earlier = replace(claimed, timestamps=(replace(stamps[0], stamped_at=AT),))
    assert words not in steps(replace(VALID, signatures=(earlier,)))[4].details


def test_a_revoked_certificate_and_other_pages_fail_their_steps() -> None:
    revoked = replace(FULL, verdict="invalid", reason="certificate_revoked")
    difference = PageDifference("KhoSeal", 2, (1, 2, 3, 4))
    report = SignatureReport(
        "invalid", "REVOKED", ("certificate_revoked",), (revoked,), "different", (difference, difference)
    )
    told = steps(report, "vi")
    assert (told[2].passed, told[5].passed) == (False, False)
    assert told[5].details == ("Trang 2 trông khác khi được ký",)
    seen = replace(report, shown_later=(PageDifference("Seal2", 2, (1, 2, 3, 4)),))
    assert steps(seen)[5].details == (
        "Page 2 looks other than when it was signed",
        "A later signature or time stamp shows itself: Seal2, 2 (1, 2, 3, 4)",
    )
    unseen = steps(replace(report, second_look="not_made", differences=()))[5]
    assert (unseen.passed, unseen.details) == (None, ("The pages could not be compared",))


@pytest.mark.parametrize(("trust", "passed"), [("A", True), ("C", True), ("D", None), ("E", None)])
def test_what_a_document_is_worth_is_the_last_step(trust: str, passed: bool | None) -> None:
    last = steps(VALID, worth=Worth(trust, ("class_by_owner",), "trust-classes/1"))[-1]
    assert (last.number, last.passed) == (6, passed)
    assert last.name.startswith(f"What the document is worth: {trust}, ")
    assert last.details == ("You uploaded this document yourself.", "Rules of classes: trust-classes/1")


def test_every_named_value_of_a_report_has_words() -> None:
    values = (
        *(get_args(one) for one in (SignatureKind, Certified, EvidenceKind, EvidenceSource, StampKind)),
        get_args(Change),
        get_args(Verdict),
        PURPOSES,
    )
    assert {one for each in values for one in each if one} <= NAMES.keys()


def test_a_signature_beside_a_file_has_no_field() -> None:
    told = steps(replace(VALID, signatures=(replace(SEALED, field="", kind="cades"),)))
    assert told[1].name.startswith("The signature that comes with the file is genuine")
    assert told[2].name.startswith("Signature beside the file covers")
    assert "Format: detached CMS/CAdES" in told[1].details
