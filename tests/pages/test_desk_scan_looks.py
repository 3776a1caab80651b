"""A scan that was measured, in a real browser on a phone: what was found can be read by everybody."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reuse_api.demo import people
from tests.pages.desk import at_desk, opens
from tests.pages.looks import check, check_widths
from tests.scans import making


def test_what_was_measured_is_accessible_taken_or_refused(
    visiting: Callable[..., Any], tmp_path: Path
) -> None:
    visit = visiting("en", width=360)
    page = visit.sign_in_staff(people.POLICE, "desk")
    with at_desk(visit.told, people.POLICE) as client:
        code = opens(client, case="thue-muon-o-nho")
    photo, coarse = tmp_path / "photo.jpg", tmp_path / "coarse.pdf"
    photo.write_bytes(making.as_jpeg(making.drawn(200)))
    coarse.write_bytes(making.as_pdf(making.drawn(150), dpi=150))
    for file, words in ((coarse, "150 dpi measured"), (photo, "Scale 100 % is not proven")):
        visit.go(f"/desk/dossiers/{code}/scan?component=KQ003607")
        page.locator("#file").set_input_files(file)
        visit.follow(page.get_by_role("button", name="Measure and read it first"))
        assert words in page.locator("main").inner_text()
        check(page, "en", 360)
    check_widths(page)
