"""What a document does or carries, and the little of it that is allowed."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from signing.errors import FileRefused
from signing.intake import look_at

Change = Callable[[pikepdf.Pdf], None]


def found(change: Change, *, sealing: bool = False) -> tuple[str, ...]:
    """Give what is found in a paper after a change, nothing where it is taken."""
    out = BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        change(document)
        document.save(out)
    try:
        look_at(out, declared_type="application/pdf", sealing=sealing)
    except FileRefused as refused:
        assert refused.code == "active_content"
        return refused.found
    return ()


def link(address: str) -> Change:
    """Put a link onto the page."""

    def change(document: pikepdf.Pdf) -> None:
        action = Dictionary(S=Name.URI, URI=String(address))
        note = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action)
        document.pages[0].Annots = Array([note])

    return change


@pytest.mark.parametrize("address", ["https://example.org/", "HTTP://example.org", "mailto:a@b", "tel:113"])
def test_links_to_web_mail_and_telephone_are_allowed(address: str) -> None:
    assert found(link(address)) == ()


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "\\\\h"]
)
def test_links_to_anything_else_are_not(address: str) -> None:
    assert found(link(address)) == ("address_kind",)


def test_an_address_that_is_opened_without_a_click_is_not_allowed() -> None:
    address = Dictionary(S=Name.URI, URI=String("https://example.org/"))

    def on_opening(document: pikepdf.Pdf) -> None:
        document.Root.OpenAction = Dictionary(S=Name.GoTo, D=String("x"), Next=Array([address]))

    def on_the_page(document: pikepdf.Pdf) -> None:
        document.pages[0].AA = Dictionary(O=address)

    assert found(on_opening) == found(on_the_page) == ("opens_address",)


def test_a_page_to_begin_with_is_no_action_whatever_links_stand_on_it() -> None:
    def change(document: pikepdf.Pdf) -> None:
        link("https://example.org/")(document)
        document.Root.OpenAction = Array([document.pages[0].obj, Name.Fit])

    assert found(change) == ()


def test_what_asks_first_or_only_shows_is_allowed() -> None:
    def prints(document: pikepdf.Pdf) -> None:
        document.Root.OpenAction = Dictionary(S=Name.Named, N=Name.Print)

    def resets_at_a_click(document: pikepdf.Pdf) -> None:
        button = Dictionary(Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=Dictionary(S=Name.ResetForm))
        document.pages[0].Annots = Array([button])

    def has_no_attachments(document: pikepdf.Pdf) -> None:
        document.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=Array([])))
        document.Root.URI = Dictionary(Base=String("https://example.org/"))

    assert found(prints) == found(resets_at_a_click) == found(has_no_attachments) == ()


def test_an_indirect_name_is_read() -> None:
    def change(document: pikepdf.Pdf) -> None:
        kind = document.make_indirect(Name.Launch)
        document.Root.OpenAction = Dictionary(S=kind, F=String("cmd.exe"))

    assert found(change) == ("launch",)


def test_everything_is_named_once() -> None:
    def change(document: pikepdf.Pdf) -> None:
        script = Dictionary(S=Name.JavaScript, JS=String("1"))
        document.Root.OpenAction = Dictionary(S=Name.SubmitForm, F=String("x"), Next=Array([script, script]))

    assert sorted(found(change)) == ["javascript", "submit_form"]


# Attachments -----------------------------------------------------------------------------------------------


def attached(content: bytes, *, kind: str = "/text/xml", declared: bool = True) -> Change:
    """Attach a file as PDF/A-3 has it."""

    def change(document: pikepdf.Pdf) -> None:
        file = document.make_stream(content, Type=Name.EmbeddedFile, Subtype=Name(kind))
        named = document.make_indirect(
            Dictionary(
                Type=Name.Filespec, F=String("data.xml"), EF=Dictionary(F=file), AFRelationship=Name.Data
            )
        )
        document.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=Array([String("data.xml"), named])))
        if declared:
            document.Root.AF = Array([named])

    return change


def test_an_associated_xml_file_is_allowed() -> None:
    assert found(attached(b"<?xml version='1.0'?><result/>")) == ()
    assert found(attached("<!-- 1 -->\n<Đơn><Transform/></Đơn>\n".encode())) == ()


@pytest.mark.parametrize(
    "change",
    [
        attached(b"<result/>", declared=False),
        attached(b"MZ\x90\x00"),
        attached(b"<result/>", kind="/application/octet-stream"),
        attached(b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'),
    ],
    ids=["not declared", "a program", "not said to be XML", "definitions of its own"],
)
def test_any_other_attachment_is_not(change: Change) -> None:
    assert found(change) == ("embedded_file",)


# Layers ----------------------------------------------------------------------------------------------------


def layers(**default: object) -> Change:
    """Give the paper a layer, shown as said."""

    def change(document: pikepdf.Pdf) -> None:
        group = document.make_indirect(Dictionary(Type=Name.OCG, Name=String("x")))
        hidden = {key: Array([group]) if value is True else value for key, value in default.items()}
        document.Root.OCProperties = Dictionary(OCGs=Array([group]), D=Dictionary(**hidden))

    return change


def with_group(**more: Any) -> Change:
    """Give the paper a layer that is on, and more that is said of it: of itself, of all, by a page."""

    def change(document: pikepdf.Pdf) -> None:
        layers(ON=True)(document)
        group = document.Root.OCProperties.OCGs[0]
        if "usage" in more:
            group.Usage = more["usage"]
        if more.get("arranged"):
            document.Root.OCProperties.Configs = Array([Dictionary(OFF=Array([group]))])
        shown = Dictionary({**more["shown"], "/OCGs": group}) if "shown" in more else group
        document.pages[0].Resources = Dictionary(Properties=Dictionary(O=document.make_indirect(shown)))

    return change


@pytest.mark.parametrize(
    ("change", "hides"),
    [
        (layers(ON=True), False),
        (layers(OFF=True), True),
        (layers(BaseState=Name.OFF), True),
        (with_group(), False),
        (with_group(arranged=True), True),
        (with_group(usage=Dictionary(Print=Dictionary(PrintState=Name.ON))), False),
        (with_group(usage=Dictionary(Print=Dictionary(PrintState=Name.OFF))), True),
        (with_group(usage=Dictionary(Zoom=Dictionary(min=4))), True),
        (with_group(shown={"/Type": Name.OCMD, "/P": Name.AllOff}), True),
        (with_group(shown={"/Type": Name.Other}), True),
    ],
)
def test_layers_that_are_hidden_are_refused_of_what_is_sealed_alone(change: Change, hides: bool) -> None:
    assert found(change) == ()
    assert found(change, sealing=True) == (("hidden_layers",) if hides else ())


def note(kind: Name, flags: int | None, **more: Any) -> Change:
    """Put an annotation on the page that shows something, unless it is said to have no appearance."""

    def change(document: pikepdf.Pdf) -> None:
        look = document.make_stream(
            b"0 0 9 9 re f", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 9, 9])
        )
        one = Dictionary(Type=Name.Annot, Subtype=kind, Rect=Array([0, 0, 9, 9]))
        for key, value in ({"AP": Dictionary(N=look)} | more).items():
            if value is not None:
                one[f"/{key}"] = value
        if flags is not None:
            one.F = flags
        document.pages[0].Annots = Array([one])

    return change


def another_picture(*, when: bool) -> Change:
    """Give a picture another one, for print."""

    def change(document: pikepdf.Pdf) -> None:
        told: dict[str, Any] = {"Width": 1, "Height": 1, "BitsPerComponent": 8, "ColorSpace": Name.DeviceGray}
        told |= {"Type": Name.XObject, "Subtype": Name.Image}
        other = Dictionary(Image=document.make_stream(b"x", **told), DefaultForPrinting=True)
        image = document.make_stream(b"x", **told, Alternates=Array([other] if when else []))
        document.pages[0].Resources = Dictionary(XObject=Dictionary(I=image))

    return change


INVISIBLE = Array([0, 0, 0, 0])
PRINTED = 4


@pytest.mark.parametrize(
    ("change", "hides"),
    [
        (note(Name.Stamp, PRINTED), False),
        (note(Name.Stamp, None), True),
        (note(Name.Stamp, PRINTED + 2), True),
        (note(Name.Stamp, PRINTED + 32), True),
        (note(Name.Stamp, PRINTED + 256), True),
        (note(Name.FreeText, None, AP=None), True),
        (note(Name.Watermark, PRINTED, FixedPrint=Dictionary(Type=Name.FixedPrint)), True),
        (note(Name.Link, None, AP=None), False),
        (note(Name.Link, None), True),
        (note(Name.Popup, 28, AP=None), False),
        (note(Name.Popup, None, AP=None), False),
        (note(Name.Widget, PRINTED, FT=Name.Tx), False),
        (note(Name.Widget, None, FT=Name.Tx), True),
        (note(Name.Widget, PRINTED + 128, FT=Name.Sig), False),
        (note(Name.Widget, None, FT=Name.Sig), False),
        (note(Name.Widget, 2 + 128, FT=Name.Sig, Rect=INVISIBLE), False),
        (note(Name.Widget, None, Parent=Dictionary(FT=Name.Sig)), False),
        (note(Name.Widget, PRINTED + 32, FT=Name.Sig), True),
        (note(Name.Stamp, None, Rect=INVISIBLE), False),
        (another_picture(when=True), True),
        (another_picture(when=False), False),
    ],
)
def test_what_print_shows_otherwise_is_refused_of_what_is_sealed_alone(change: Change, hides: bool) -> None:
    assert found(change) == ()
    assert found(change, sealing=True) == (("hidden_layers",) if hides else ())
