"""Which files are taken, and what the others are refused for."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from signing.errors import FileRefused
from signing.intake import look_at

Change = Callable[[pikepdf.Pdf], None]


def _page(change: Change | None = None, **save: object) -> bytes:
    with pikepdf.new() as document:
        document.add_blank_page()
        if change is not None:
            change(document)
        out = BytesIO()
        document.save(out, **save)
        return out.getvalue()


def _refusal(content: bytes, declared_type: str = "application/pdf") -> str:
    with pytest.raises(FileRefused) as raised:
        look_at(BytesIO(content), declared_type=declared_type)
    return raised.value.code


def _open_action(kind: str, **parts: str) -> Change:
    def change(document: pikepdf.Pdf) -> None:
        action = Dictionary(
            Type=Name.Action, S=Name(kind), **{key: String(text) for key, text in parts.items()}
        )
        document.Root.OpenAction = document.make_indirect(action)

    return change


def _on_a_deep_annotation(document: pikepdf.Pdf) -> None:
    deep = Dictionary(S=Name.Launch, F=String("calc.exe"))
    outer = Dictionary(Type=Name.Action, S=Name.GoTo, D=String("x"), Next=Array([Array([deep])]))
    document.pages[0].Annots = Array([Dictionary(Type=Name.Annot, Subtype=Name.Link, A=outer)])


def _attach(document: pikepdf.Pdf) -> None:
    document.attachments["invoice.exe"] = b"MZ"


def _external(document: pikepdf.Pdf) -> None:
    stream = document.make_stream(b"")
    stream.F = String("http://example.invalid/content")
    document.pages[0].Contents = stream


def _form(document: pikepdf.Pdf) -> None:
    document.Root.AcroForm = Dictionary(Fields=Array(), XFA=String("<xdp/>"))


def _nest(document: pikepdf.Pdf) -> None:
    inner = Array()
    for _ in range(300):
        inner = Array([inner])
    document.Root.Odd = inner


ACTIVE: dict[str, Change] = {
    "javascript": _open_action("/JavaScript", JS="app.alert(1)"),
    "launch": _open_action("/Launch", F="calc.exe"),
    "submit": _open_action("/SubmitForm", F="http://example.invalid"),
    "remote": _open_action("/GoToR", F="other.pdf"),
    "nested": _on_a_deep_annotation,
    "attachment": _attach,
    "external stream": _external,
    "xfa": _form,
}


def test_an_honest_file_is_taken() -> None:
    look = look_at(BytesIO(_page()), declared_type="application/pdf; charset=binary")
    assert (look.media_type, look.pages) == ("application/pdf", 1)


@pytest.mark.parametrize("change", ACTIVE.values(), ids=ACTIVE)
def test_active_content_is_refused(change: Change) -> None:
    assert _refusal(_page(change)) == "active_content"


@pytest.mark.parametrize("change", list(ACTIVE.values())[:3], ids=list(ACTIVE)[:3])
def test_active_content_in_object_streams_is_found(change: Change) -> None:
    content = _page(change, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert b"/ObjStm" in content
    assert _refusal(content) == "active_content"


@pytest.mark.parametrize("password", ["", "secret"])
def test_encrypted_files_are_refused(password: str) -> None:
    content = _page(encryption=pikepdf.Encryption(owner="owner", user=password))
    assert _refusal(content) == "encrypted"


def test_deep_nesting_is_refused() -> None:
    assert _refusal(_page(_nest)) == "too_complex"


@pytest.mark.parametrize(
    ("content", "declared", "code"),
    [
        (b"\x89PNG\r\n\x1a\n rest", "application/pdf", "mislabelled"),
        (b"PK\x03\x04 rest", "application/pdf", "mislabelled"),
        (b"MZ\x90\x00", "application/pdf", "mislabelled"),
        (b"<!-- x --><html>%PDF-1.7", "application/pdf", "mislabelled"),
        (b"just words", "application/pdf", "not_a_pdf"),
        (b" %PDF-1.7 not at the beginning", "application/pdf", "not_a_pdf"),
        (b"\x89PNG\r\n\x1a\n rest", "image/png", "not_a_pdf"),
        (b"%PDF-1.7\nnothing", "application/pdf", "unreadable"),
    ],
)
def test_other_files_are_refused(content: bytes, declared: str, code: str) -> None:
    assert _refusal(content, declared) == code


def test_a_pdf_declared_as_something_else_is_mislabelled() -> None:
    assert _refusal(_page(), "image/png") == "mislabelled"


def test_an_archive_behind_the_end_is_two_kinds_at_once() -> None:
    assert _refusal(_page() + b"PK\x05\x06" + bytes(18)) == "polyglot"


def test_a_truncated_file_is_unreadable_and_never_repaired(tmp_path: Path) -> None:
    content = _page()
    for length in (len(content) // 2, len(content) - 30):
        assert _refusal(content[:length]) == "unreadable"
