"""Reports survive storage, and nothing in them is null."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from signing.report import SignatureDetail, SignatureReport, undetermined

DETAIL = SignatureDetail(
    field="Seal",
    signer="Ủy ban nhân dân phường Trấn Biên",
    signed_at=datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC),
    level="B-LTA",
    verdict="valid",
    sub_indication="",
    covers_whole_file=True,
    reason="",
)


@pytest.mark.parametrize(
    "report",
    [
        SignatureReport("valid", "", (), (DETAIL,)),
        SignatureReport("invalid", "HASH_FAILURE", ("digest_mismatch",), (replace(DETAIL, signed_at=None),)),
        undetermined("no_signature", "library_error"),
    ],
)
def test_a_report_is_read_back_as_it_was(report: SignatureReport) -> None:
    stored = json.dumps(report.to_json())
    assert "null" not in stored
    assert SignatureReport.from_json(json.loads(stored)) == report


def test_an_unknown_verdict_is_refused() -> None:
    stored = undetermined("no_signature").to_json() | {"verdict": "TOTAL_PASSED"}
    with pytest.raises(ValueError, match="verdict"):
        SignatureReport.from_json(stored)
