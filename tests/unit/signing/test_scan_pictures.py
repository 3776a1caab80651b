"""Pictures as phones and attackers make them: one picture is the paper, and nothing may hide behind it."""

import struct
import zipfile
from io import BytesIO
from typing import Any

import pytest

from signing.scan_measuring import measure_scan, open_scan
from tests.scans import making

DPI = 75


def measured(content: bytes, declared: str) -> dict[str, Any]:
    told = measure_scan(BytesIO(content), {"declared_type": declared, "paper_sizes": making.SIZES})
    return dict(told.get("measured", told))


def of_phone() -> bytes:
    made = BytesIO()
    scan, small = making.drawn(DPI).copy(), making.drawn(DPI).resize((120, 160))
    scan.save(made, "MPO", save_all=True, append_images=[small])
    return made.getvalue()


def moving() -> bytes:
    made = BytesIO()
    making.drawn(DPI).save(made, "PNG", save_all=True, append_images=[making.blank(DPI)])
    return made.getvalue()


def archive() -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr("paper.exe", b"MZ" + bytes(200))
    return made.getvalue()


@pytest.mark.parametrize(("make", "kind"), [(of_phone, "image/jpeg"), (moving, "image/png")])
def test_the_first_of_several_pictures_is_the_paper(make: Any, kind: str) -> None:
    content = make()
    (page,) = measured(content, kind)["pages"]
    assert (round(page["dpi"]), page["colour"], page["tinted"]) == (DPI, "rgb", True)
    scan = open_scan(BytesIO(content), [])
    ((picture, placed),) = scan.pictures(0, 72)
    assert picture.endswith(b"\xff\xd9") and picture.count(b"\xff\xd8\xff") == 1
    assert (placed.width, placed.height) == making.drawn(DPI).size


PICTURES = {
    "image/jpeg": lambda: making.as_jpeg(making.drawn(DPI)),
    "image/png": lambda: making.as_png(making.drawn(DPI)),
    "image/tiff": lambda: making.as_tiff(making.drawn(DPI), dpi=DPI),
    "image/heic": lambda: making.as_heic(making.drawn(DPI)),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_no_archive_is_taken_as_a_picture(kind: str) -> None:
    content = PICTURES[kind]()
    assert "pages" in measured(content, kind)
    assert measured(content + archive(), kind) == {"refusal": "polyglot"}


@pytest.mark.parametrize(
    "tail", [b"<script>alert(1)</script>", b"\0\0MZ" + bytes(90), b"%PDF-1.7\n", b"?" * 50]
)
def test_nothing_follows_a_picture(tail: bytes) -> None:
    for kind in ("image/jpeg", "image/png"):
        assert measured(PICTURES[kind]() + tail, kind) == {"refusal": "polyglot"}
    assert measured(of_phone() + tail, "image/jpeg") == {"refusal": "polyglot"}


def test_what_phones_put_behind_their_photos_is_let_through_and_stays_out_of_the_copy() -> None:
    film = struct.pack(">I", 24) + b"ftypmp42" + bytes(12) + b"frames of a film"
    content = making.as_jpeg(making.drawn(DPI)) + film
    assert "pages" in measured(content, "image/jpeg")
    ((picture, _),) = open_scan(BytesIO(content), []).pictures(0, 72)
    assert b"film" not in picture
