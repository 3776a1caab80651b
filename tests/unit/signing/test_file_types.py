"""What a file is by its bytes, with libmagic and without it."""

import zipfile
from io import BytesIO

import pytest

from signing.errors import FileRefused
from signing.file_types import MACROS, UNKNOWN, XML, kind_of, load_magic
from signing.intake import look_at
from tests.hostile.making import honest, paper, stream

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
MACRO_MAIN = "application/vnd.ms-word.document.macroEnabled.main+xml"


def office(main: str, *more: str) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", f'<Types><Override ContentType="{main}"/></Types>')
        for name in more:
            archive.writestr(name, b"")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (office(MAIN), WORD),
        (office(MACRO_MAIN), MACROS),
        (office(MAIN, "word/vbaProject.bin"), MACROS),
        (office(MAIN, "word/VBAPROJECT.BIN"), MACROS),
        (office("something else"), "application/zip"),
        (b"PK\x03\x04 damaged", "application/zip"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(16), "image/heic"),
        (b"#!/bin/sh", "text/x-script"),
        (b"<?php echo 1", "text/html"),
        (b"<?xml version='1.0'?><KetQua/>", XML),
        (b"\xef\xbb\xbf<!-- x --><k:KetQua xmlns:k='x'>", XML),
        ("<KếtQuả>1</KếtQuả>".encode(), XML),
        (b"<?xml version='1.0'?><!DOCTYPE html><html>", "text/html"),
        (b"<html><body>", "text/html"),
        (b"<<not an element>>", UNKNOWN),
    ],
)
def test_kinds_are_told_apart(content: bytes, kind: str) -> None:
    assert kind_of(BytesIO(content)).media_type == kind


def test_a_document_with_macros_is_refused_by_that_name_whatever_it_is_called() -> None:
    for declared in ("application/pdf", WORD):
        with pytest.raises(FileRefused) as raised:
            look_at(BytesIO(office(MACRO_MAIN)), declared_type=declared)
        assert (raised.value.code, raised.value.found) == ("active_content", ("macros",))


@pytest.mark.parametrize("tail", [b"x", b"\n% a comment\n", b"a" * 900])
def test_what_is_sealed_ends_where_it_says(tail: bytes) -> None:
    content = BytesIO(honest() + tail)
    assert look_at(content, declared_type="application/pdf").pages == 1
    with pytest.raises(FileRefused) as raised:
        look_at(content, declared_type="application/pdf", sealing=True)
    assert (raised.value.code, raised.value.found) == ("polyglot", ("behind_the_end",))
    assert look_at(BytesIO(honest() + b"\n\x00"), declared_type="application/pdf", sealing=True).pages == 1


def test_xml_is_refused_where_a_pdf_is_wanted() -> None:
    for declared, code in (("application/pdf", "mislabelled"), (XML, "not_a_pdf")):
        with pytest.raises(FileRefused, match=XML) as raised:
            look_at(BytesIO(b"<KetQua/>"), declared_type=declared)
        assert raised.value.code == code


def archive_with(comment: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x", b"x")
        archive.comment = comment
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "also"),
    [
        (honest(), None),
        (honest() + b"\n\x00 \r\n", None),
        (honest() + b"\n% a comment", None),
        (honest() + archive_with(b""), "application/zip"),
        (b"%PDF-1.7\n" + archive_with(honest()), "application/zip"),
        (honest() + b"MZ\x90\x00", "application/x-msdownload"),
        (honest() + b"<script>alert(1)</script>", "text/html"),
    ],
)
def test_a_pdf_that_is_another_file_at_once_is_told(content: bytes, also: str | None) -> None:
    assert kind_of(BytesIO(content)).also == also


def placed(before: int, behind: int, *, moved: int = 0, comment: bytes = b"") -> bytes:
    """Write a paper with an archive in a stream, and so many bytes before and behind it."""
    inner = archive_with(comment)
    at = inner.rindex(b"PK\x05\x06") + 16
    place = int.from_bytes(inner[at : at + 4], "little") + moved
    inner = inner[:at] + place.to_bytes(4, "little") + inner[at + 4 :]
    return paper(more=stream(b"x" * before + inner + b"x" * behind))


@pytest.mark.parametrize("before", [0, 300])
@pytest.mark.parametrize("behind", [0, 1, 65_000, 65_300, 65_900, 70_000, 200_000])
@pytest.mark.parametrize("moved", [0, 400])
@pytest.mark.parametrize("comment", [b"", b"of ours"])
def test_what_is_taken_opens_as_no_archive(before: int, behind: int, moved: int, comment: bytes) -> None:
    content = placed(before, behind, moved=moved, comment=comment)
    if kind_of(BytesIO(content)).also is not None:
        return
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(BytesIO(content))


def test_most_of_them_open_and_are_told() -> None:
    content = placed(300, 65_000)
    assert zipfile.ZipFile(BytesIO(content)).namelist() == ["x"]
    assert kind_of(BytesIO(content)).also == "application/zip"
    assert kind_of(BytesIO(placed(0, 200_000))).also is None, "nobody looks for it there"


def test_letters_that_an_archive_may_begin_with_are_no_archive() -> None:
    content = paper(more=stream(b"PK\x05\x06" + bytes(range(1, 200))))
    assert kind_of(BytesIO(content)).also is None
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(BytesIO(content))


def test_libmagic_agrees_on_an_honest_paper() -> None:
    if not load_magic():
        pytest.skip("libmagic cannot be loaded on this machine")
    assert kind_of(BytesIO(honest())).media_type == "application/pdf"
