"""An anchor counts for its purpose and its dates, judged by the time that was proven."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from signing.anchors import Anchor
from signing.grounds import Grounds
from signing.report import SignatureReport
from signing.validation import validate

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)


async def judge(sealed: Any, *anchors: Anchor, grounds: Grounds | None = None) -> SignatureReport:
    with sealed.sealed.open("rb") as stream:
        return await validate(stream, anchors=anchors, at=sealed.at + 2 * DAY, grounds=grounds)


def anchors(sealed: Any, **changes: Any) -> tuple[Anchor, Anchor]:
    """Give the one root as two anchors: for signatures, and for time stamps."""
    (test,) = sealed.anchors
    return (
        replace(test, purpose="public", label_vi="Gốc quốc gia", **changes.get("public", {})),
        replace(test, purpose="timestamp", label_vi="Gốc dấu thời gian", **changes.get("timestamp", {})),
    )


async def test_the_report_names_the_anchor_and_what_it_is_for(sealed_certificate: Any) -> None:
    grounds = Grounds()
    report = await judge(sealed_certificate, *anchors(sealed_certificate), grounds=grounds)
    assert report.verdict == "valid"
    named = report.signatures[0].anchor
    assert named is not None
    assert (named.purpose, named.label_vi) == ("public", "Gốc quốc gia")
    assert {one.role for one in grounds.footings} == {"signature", "timestamp"}
    assert all(one.holds(anchors(sealed_certificate)) for one in grounds.footings)
    assert not all(one.holds(anchors(sealed_certificate)[:1]) for one in grounds.footings)


@pytest.mark.parametrize("kept", [0, 1], ids=["no time stamps", "no signatures"])
async def test_an_anchor_vouches_for_nothing_but_its_purpose(sealed_certificate: Any, kept: int) -> None:
    report = await judge(sealed_certificate, anchors(sealed_certificate)[kept])
    assert report.verdict == "undetermined"


@pytest.mark.parametrize("purpose", ["public", "timestamp"])
async def test_the_proven_time_decides_not_the_time_of_looking(sealed_certificate: Any, purpose: str) -> None:
    at = sealed_certificate.at
    over = {"valid_from": at - DAY, "valid_until": at + DAY}  # ended before the file is looked at
    report = await judge(sealed_certificate, *anchors(sealed_certificate, **{purpose: over}))
    assert report.verdict == "valid", report
    for wrong in ({"valid_until": at - DAY}, {"valid_from": at + DAY}):
        report = await judge(sealed_certificate, *anchors(sealed_certificate, **{purpose: wrong}))
        assert report.verdict == "undetermined", "although it is in its dates now"


async def test_another_anchor_of_the_same_authority_may_cover_the_time(sealed_certificate: Any) -> None:
    at = sealed_certificate.at
    public, stamps = anchors(sealed_certificate)
    early, late = replace(public, valid_until=at - DAY), replace(public, valid_from=at - DAY)
    report = await judge(sealed_certificate, early, late, stamps)
    assert report.verdict == "valid"
