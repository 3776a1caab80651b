"""What a file is by its bytes, with libmagic and without it."""

import zipfile
from io import BytesIO

import pytest

from signing.errors import FileRefused
from signing.file_types import MACROS, UNKNOWN, XML, kind_of, load_magic
from signing.intake import look_at
from tests.hostile.making import honest

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


def test_libmagic_agrees_on_an_honest_paper() -> None:
    if not load_magic():
        pytest.skip("libmagic cannot be loaded on this machine")
    assert kind_of(BytesIO(honest())).media_type == "application/pdf"
