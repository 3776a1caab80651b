"""Reports survive storage, and nothing in them is null."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from signing.anchors import AnchorName
from signing.canonical import canonical
from signing.findings import ChainCertificate, PageDifference, StampDetail, StatusEvidence
from signing.report import SignatureDetail, SignatureReport, undetermined

AT = datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC)
DETAIL = SignatureDetail(
    field="Seal",
    signer="Ủy ban nhân dân phường Trấn Biên",
    signed_at=AT,
    level="B-LTA",
    verdict="valid",
    sub_indication="",
    covers_whole_file=True,
    reason="",
)
FULL = replace(
    DETAIL,
    kind="pades",
    time_source="timestamp",
    chain=(ChainCertificate("CN=Ủy ban", "00" * 32), ChainCertificate("CN=Gốc", "11" * 32)),
    anchor=AnchorName("11" * 32, "test", "Gốc thử", "Test root"),
    status_evidence=(
        StatusEvidence("00" * 32, "ocsp", "dss", AT, AT),
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
# As it was stored before reports told more than the verdict.
OLD: dict[str, Any] = {
    "verdict": "valid",
    "sub_indication": "",
    "reasons": [],
    "signatures": [
        {
            "field": "Seal",
            "signer": "Ủy ban nhân dân phường Trấn Biên",
            "level": "B-LTA",
            "verdict": "valid",
            "sub_indication": "",
            "covers_whole_file": True,
            "reason": "",
            "signed_at": "2026-11-20T03:04:05+00:00",
        }
    ],
}


@pytest.mark.parametrize(
    "report",
    [
        SignatureReport("valid", "", (), (DETAIL,)),
        SignatureReport("invalid", "HASH_FAILURE", ("digest_mismatch",), (replace(DETAIL, signed_at=None),)),
        SignatureReport(
            "undetermined",
            "GENERIC",
            ("looks_changed",),
            (FULL,),
            "different",
            (PageDifference("Seal", 2, (1, 2, 3, 4)),),
            (PageDifference("Seal2", 2, (1, 2, 3, 4)),),
        ),
        undetermined("no_signature", "library_error"),
    ],
)
def test_a_report_is_read_back_as_it_was(report: SignatureReport) -> None:
    stored = canonical(report.to_json())
    assert b"null" not in stored
    assert SignatureReport.from_json(json.loads(stored)) == report


def test_a_report_stored_before_is_still_read() -> None:
    assert SignatureReport.from_json(OLD) == SignatureReport("valid", "", (), (DETAIL,))


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "TOTAL_PASSED"},
        {"second_look": "fine"},
        {"differences": [{"field": "Seal", "page": 1, "box": [1, 2]}]},
        {"signatures": [OLD["signatures"][0] | {"kind": "pgp"}]},
        {"signatures": [OLD["signatures"][0] | {"changes": ["nothing"]}]},
        {"signatures": [OLD["signatures"][0] | {"signed_at": "yesterday"}]},
    ],
)
def test_unknown_words_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        SignatureReport.from_json(OLD | change)
