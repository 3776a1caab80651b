"""What a later signature or time stamp shows on a signed page is found, told, and never valid by itself."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.sign.fields import MDPPerm

from reuse_api.demo.pki import DemoAuthority
from signing.report import SignatureReport
from signing.validation import validate
from tests.attacks.late_widgets import (
    PLACE,
    Placing,
    as_others_make_it,
    long_letter,
    stamped_late,
    with_kids,
    with_rectangle,
    with_reserved_place,
)
from tests.attacks.signing_files import Notary, letter

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC)
BLANK = (320, 100, 520, 180)
MORE_THAN_IS_DRAWN = 41  # pages


@pytest.fixture(scope="module")
def notary(tmp_path_factory: pytest.TempPathFactory) -> Notary:
    authority = DemoAuthority.create(tmp_path_factory.mktemp("notary") / "pki", AT)
    return Notary(authority, authority.issue_seal_key("Sở Nội vụ tỉnh Đắk Lắk", "H15.03"), AT)


@pytest.fixture(scope="module")
async def archived(notary: Notary) -> bytes:
    return await notary.signed(letter(), archive=True)


async def judged(notary: Notary, content: bytes, folder: Path) -> SignatureReport:
    path = folder / "file.pdf"
    path.write_bytes(content)
    with path.open("rb") as stream:
        return await validate(stream, anchors=notary.authority.anchors(), at=notary.at + timedelta(hours=2))


def numbers(*edges: int) -> list[generic.PdfObject]:
    return [generic.NumberObject(one) for one in edges]


@pytest.mark.parametrize(
    "place",
    [
        with_kids(numbers(0, 0, 0, 0)),
        with_kids([]),
        with_kids([generic.NameObject("/x")] * 4),
        with_rectangle(numbers(*PLACE), drawing=True),
        with_rectangle(numbers(0, 0, 0, 0), drawing=True),
        with_rectangle(numbers(*PLACE, 0), drawing=True),
        as_others_make_it(0, BLANK),
    ],
    ids=["kids", "kid without edges", "kid of names", "seen", "no area", "five edges", "on blank paper"],
)
async def test_a_time_stamp_that_shows_anything_is_a_change(
    notary: Notary, archived: bytes, tmp_path: Path, place: Placing
) -> None:
    report = await judged(notary, await stamped_late(notary, archived, place), tmp_path)
    assert report.verdict == "undetermined"
    assert report.reasons[0] == "changed_after_signing"
    assert report.signatures[0].reason == "changed_after_signing"
    assert report.second_look != "not_made"


@pytest.mark.parametrize("edges", [(*PLACE, 0), PLACE], ids=["five edges", "four edges"])
async def test_a_certified_file_permits_no_further_look_of_its_seal(
    notary: Notary, tmp_path: Path, edges: Sequence[int]
) -> None:
    certified = await notary.signed(letter(), archive=True, certify=MDPPerm.NO_CHANGES, box=BLANK)
    assert (await judged(notary, certified, tmp_path)).verdict == "valid"
    late = await stamped_late(notary, certified, with_rectangle(numbers(*edges)))
    report = await judged(notary, late, tmp_path)
    assert (report.verdict, report.reasons) == ("invalid", ("changed_after_signing",))


async def test_a_later_signature_on_blank_paper_is_a_difference_and_told(
    notary: Notary, tmp_path: Path
) -> None:
    content = await notary.signed(await notary.signed(letter()), field="Signature2", box=BLANK)
    report = await judged(notary, content, tmp_path)
    assert (report.verdict, report.reasons, report.second_look) == (
        "undetermined",
        ("looks_changed",),
        "different",
    )
    assert [(one.verdict, one.reason) for one in report.signatures] == [
        ("undetermined", "looks_changed"),
        ("valid", ""),
    ]
    (difference,) = report.differences
    left, bottom, right, top = difference.box
    assert (difference.field, difference.page) == ("Signature1", 1)
    assert left >= BLANK[0] - 2 and bottom >= BLANK[1] - 2 and right <= BLANK[2] + 2 and top <= BLANK[3] + 2
    assert [(one.field, one.page, one.box) for one in report.shown_later] == [("Signature2", 1, BLANK)]


async def test_a_later_signature_in_its_place_is_valid_and_told(notary: Notary, tmp_path: Path) -> None:
    content = await notary.signed(with_reserved_place(letter(), 0))
    content = await notary.signed(content, field="Reserved")
    report = await judged(notary, content, tmp_path)
    assert (report.verdict, report.second_look) == ("valid", "same")
    assert [(one.field, one.page, one.box) for one in report.shown_later] == [("Reserved", 1, PLACE)]


@pytest.fixture(scope="module")
async def long(notary: Notary) -> bytes:
    content = with_reserved_place(long_letter(MORE_THAN_IS_DRAWN), MORE_THAN_IS_DRAWN - 1)
    return await notary.signed(content, archive=True)


async def test_a_long_file_is_valid_while_nothing_shows_itself(
    notary: Notary, tmp_path: Path, long: bytes
) -> None:
    report = await judged(notary, long, tmp_path)
    assert (report.verdict, report.second_look) == ("valid", "not_made")


async def test_in_a_long_file_the_page_with_a_later_signature_is_drawn(
    notary: Notary, tmp_path: Path, long: bytes
) -> None:
    """Nothing but the look tells: a further signature may be added, and the last page is beyond the bound."""
    late = await notary.signed(long, field="Signature2", box=PLACE, page=MORE_THAN_IS_DRAWN - 1)
    report = await judged(notary, late, tmp_path)
    assert (report.verdict, report.reasons) == ("undetermined", ("looks_changed",))
    assert {one.page for one in report.differences} == {MORE_THAN_IS_DRAWN}


async def test_a_long_file_is_undetermined_once_a_later_signature_is_seen(
    notary: Notary, tmp_path: Path, long: bytes
) -> None:
    report = await judged(notary, await notary.signed(long, field="Reserved"), tmp_path)
    assert (report.verdict, report.reasons) == ("undetermined", ("second_look_not_made",))
    assert [one.page for one in report.shown_later] == [MORE_THAN_IS_DRAWN]
