"""The picture of a round seal: what is taken is written anew, what is none is refused, what is drawn fits."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from signing.appearance import MARGIN, draw_seal
from signing.composing import compose_result
from signing.errors import ComposingFailed, RewritingFailed, SealImageRefused
from signing.place import Place
from signing.round_seal import MILLIMETRES, draw_round_seal
from signing.seal_image import LARGEST_HANDED_IN, SealImage, checked_image, redraw_seal_image
from signing.template_fields import TEMPLATES
from signing.workers import WorkerPool

RED = (200, 10, 20, 255)
AGENCY = "Ủy ban nhân dân phường Cầu Giấy"


def ring(
    side: int = 600, *, colour: Any = RED, ground: Any = (0, 0, 0, 0), high: int = 0, width: int = 30
) -> Image.Image:
    drawn = Image.new("RGBA", (side, high or side), ground)
    edge = (5, 5, side - 6, (high or side) - 6)
    ImageDraw.Draw(drawn).ellipse(edge, outline=colour, width=width)
    return drawn


def png(drawn: Image.Image, **saving: Any) -> bytes:
    made = BytesIO()
    drawn.save(made, "PNG", **saving)
    return made.getvalue()


def taken(content: bytes, millimetres: float | None = 36) -> tuple[dict[str, Any], bytes]:
    return redraw_seal_image(BytesIO(content), {"millimetres": millimetres})


def test_nothing_but_its_pixels_is_kept() -> None:
    said = PngInfo()
    said.add_itxt("Comment", "Nguyễn Văn An, máy quét phòng 3")
    content = (
        png(ring(), pnginfo=said, icc_profile=b"a profile", exif=b"Exif\0\0MM") + b"<script>behind</script>"
    )
    told, made = taken(content)
    assert told == {"width": pytest.approx(36 / 25.4 * 72), "height": pytest.approx(36 / 25.4 * 72)}
    chunks, at = [], 8
    while at < len(made):
        size = int.from_bytes(made[at : at + 4], "big")
        chunks.append(made[at + 4 : at + 8])
        at += 12 + size
    assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"} and at == len(made)
    with Image.open(BytesIO(made)) as kept:
        assert (kept.mode, kept.size) == ("RGBA", (600, 600))
        assert kept.getpixel((300, 300)) == (0, 0, 0, 0)
        assert kept.getpixel((300, 20)) == RED


def test_colours_hidden_under_a_clear_ground_do_not_survive() -> None:
    drawn = ring()
    drawn.paste((1, 2, 3, 0), (250, 250, 350, 350))
    _, made = taken(png(drawn))
    with Image.open(BytesIO(made)) as kept:
        assert kept.crop((250, 250, 350, 350)).getcolors() == [(10_000, (0, 0, 0, 0))]


def test_a_large_picture_is_kept_smaller_and_its_resolution_tells_its_size() -> None:
    told, made = taken(png(ring(1200), dpi=(1200 / 36 * 25.4, 1200 / 36 * 25.4)), None)
    assert told["width"] == pytest.approx(36 / 25.4 * 72, abs=0.1)
    with Image.open(BytesIO(made)) as kept:
        assert kept.size == (600, 600)


def jpeg() -> bytes:
    made = BytesIO()
    ring().convert("RGB").save(made, "JPEG")
    return made.getvalue()


def moving() -> bytes:
    return png(ring(), save_all=True, append_images=[ring(width=60)])


@pytest.mark.parametrize(
    ("drawn", "millimetres", "code"),
    [
        (jpeg, 36, "seal_image_not_png"),
        (lambda: b"\x89PNG\r\n\x1a\n and no more", 36, "seal_image_not_png"),
        (lambda: png(ring())[:900], 36, "seal_image_not_png"),
        (moving, 36, "seal_image_not_png"),
        (lambda: png(ring(199)), 36, "seal_image_size"),
        (lambda: png(Image.new("1", (20_000, 20_000))), 36, "seal_image_size"),
        (lambda: png(ring(600, high=700)), 36, "seal_image_not_round"),
        (lambda: png(ring()), None, "seal_image_no_measure"),
        (lambda: png(ring()), 24.9, "seal_image_not_real_size"),
        (lambda: png(ring()), 42.1, "seal_image_not_real_size"),
        (lambda: png(ring()), float("nan"), "seal_image_not_real_size"),
        (lambda: png(ring(ground=(255, 255, 255, 255))), 36, "seal_image_not_transparent"),
        (lambda: png(ring().convert("RGB")), 36, "seal_image_not_transparent"),
        (lambda: png(ring(width=300)), 36, "seal_image_not_transparent"),
        (lambda: png(Image.new("RGBA", (600, 600))), 36, "seal_image_blank"),
        (lambda: png(ring(colour=(20, 10, 200, 255))), 36, "seal_image_not_red"),
        (lambda: png(ring(colour=(0, 0, 0, 255))), 36, "seal_image_not_red"),
    ],
)
def test_what_is_no_seal_is_refused_by_name(
    drawn: Callable[[], bytes], millimetres: float | None, code: str
) -> None:
    assert taken(drawn(), millimetres) == ({"refusal": code}, b"")


def test_noise_that_does_not_pack_is_refused() -> None:
    chance = Random(1)
    layers = [
        Image.frombytes("L", (600, 600), bytes(chance.choices(range(least, most), k=360_000)))
        for least, most in ((150, 256), (0, 90), (0, 90), (130, 256))
    ]
    inside = ring(width=130).getchannel("A")
    layers[3] = Image.composite(layers[3], Image.new("L", (600, 600)), inside)
    assert taken(png(Image.merge("RGBA", layers))) == ({"refusal": "seal_image_too_large"}, b"")


@pytest.mark.anyio
async def test_a_worker_looks_at_it(workers: WorkerPool, tmp_path: Path) -> None:
    given, target = tmp_path / "given.png", tmp_path / "kept.png"
    given.write_bytes(draw_round_seal(AGENCY))
    target.write_bytes(b"")
    image = await checked_image(workers, given, target, millimetres=MILLIMETRES)
    assert image.png == target.read_bytes() == taken(given.read_bytes(), MILLIMETRES)[1]
    given.write_bytes(jpeg())
    with pytest.raises(SealImageRefused) as refused:
        await checked_image(workers, given, target, millimetres=MILLIMETRES)
    assert refused.value.code == "seal_image_not_png"
    given.write_bytes(png(ring()) + bytes(LARGEST_HANDED_IN))
    with pytest.raises(SealImageRefused) as refused:
        await checked_image(workers, given, target, millimetres=MILLIMETRES)
    assert refused.value.code == "seal_image_too_large"
    with pytest.raises(RewritingFailed):
        await workers.rewrite(given, target, {"task": "seal_image", "millimetres": 36}, max_bytes=10)


@pytest.fixture(scope="module")
def image() -> SealImage:
    told, made = taken(draw_round_seal(AGENCY), MILLIMETRES)
    return SealImage(made, told["width"], told["height"])


def test_picture_and_text_stand_side_by_side(image: SealImage, sealed_certificate: Any) -> None:
    place = Place(0, (0, 0, 280, 108))
    page = draw_seal(AGENCY, sealed_certificate.at, place, image).page
    with pypdfium2.PdfDocument(page) as document:
        (shown,) = document[0].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])
        left, bottom, right, top = shown.get_bounds()
        text = document[0].get_textpage()
        boxes = [text.get_charbox(one) for one in range(text.count_chars())]
    assert (right - left, top - bottom) == (pytest.approx(image.width), pytest.approx(image.height)), (
        "real size"
    )
    assert left >= 0 and bottom >= 0 and top <= 108
    assert min(box[0] for box in boxes) >= right, "no letter under the picture"
    assert max(box[2] for box in boxes) <= 280


@pytest.mark.parametrize("box", [(0, 0, 280, 52), (0, 0, 170, 120)])
def test_a_picture_that_does_not_fit_is_never_drawn_smaller(
    image: SealImage, sealed_certificate: Any, box: tuple[int, int, int, int]
) -> None:
    with pytest.raises(ComposingFailed, match="does not fit"):
        draw_seal(AGENCY, sealed_certificate.at, Place(0, box), image)


def test_a_template_leaves_the_room_that_the_picture_needs(
    image: SealImage, sealed_certificate: Any, certificate_fields: dict[str, object]
) -> None:
    plain = compose_result("birth_certificate", certificate_fields, at=sealed_certificate.at)
    needed = image.height + MARGIN + 1
    roomy = compose_result(
        "birth_certificate", certificate_fields, at=sealed_certificate.at, seal_height=needed
    )
    assert plain.place is not None and roomy.place is not None
    assert plain.place.height < image.height < roomy.place.height
    with pypdfium2.PdfDocument(roomy.content) as document:
        bitmap = document[roomy.place.page].render(scale=1).to_pil().convert("L")
    left, bottom, right, top = roomy.place.box
    room = bitmap.crop((left, bitmap.height - top, right, bitmap.height - bottom))
    assert room.getextrema() == (255, 255), "nothing stands there"


def test_the_mark_of_a_copy_has_no_place_for_a_picture() -> None:
    assert "picture" not in TEMPLATES["conversion_mark"].names


def test_a_sealed_page_embeds_the_picture_with_its_transparency(
    image: SealImage, sealed_certificate: Any
) -> None:
    page = draw_seal(AGENCY, sealed_certificate.at, Place(0, (0, 0, 280, 108)), image).page
    with pikepdf.open(BytesIO(page)) as document:
        (shown,) = document.pages[0].get_images().values()
        assert "/SMask" in shown
