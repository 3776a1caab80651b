"""`kho seal-key image`, `remove-image`, `images`: the picture of an agency's round seal."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from reuse_api.commands.ending import CommandFailed
from reuse_api.commands.speaking import Lang, spoken_language
from reuse_api.language import Language
from reuse_api.settings import read_settings
from reuse_api.wiring import open_vault, places_of
from signing.errors import SealImageRefused
from vault import seal_images
from vault.days import VIETNAM
from vault.errors import NotFound
from vault.opening import looked_at
from vault.seal_images import KeptImage

_WORDS = {
    "vi": {
        "kept": "{agency}: từ nay dấu của cơ quan hiện hình này, rộng {width} mm (SHA-256 {sha256})",
        "removed": "{agency}: từ nay dấu của cơ quan chỉ hiện chữ",
        "line": "{agency}  từ {since}  {width} mm  {sha256}",
        "no_agency": "chưa có cơ quan nào được đăng ký với mã {agency}",
        "no_image": "không có cơ quan mã {agency}, hoặc cơ quan chưa có hình con dấu",
    },
    "en": {
        "kept": "{agency}: its seals show this picture from now on, {width} mm wide (SHA-256 {sha256})",
        "removed": "{agency}: its seals show text alone from now on",
        "line": "{agency}  since {since}  {width} mm  {sha256}",
        "no_agency": "no agency is registered under the code {agency}",
        "no_image": "there is no agency {agency}, or it has no picture of its seal",
    },
}
_REFUSALS = {
    "seal_image_not_png": ("không phải một ảnh PNG đọc được", "it is no readable PNG of one picture"),
    "seal_image_size": (
        "mỗi cạnh phải từ 200 đến 4.000 điểm ảnh",
        "each side must have from 200 to 4,000 pixels",
    ),
    "seal_image_too_large": (
        "tệp quá lớn: tối đa 4 MiB, và 400 KiB sau khi được vẽ lại",
        "the file is too large: 4 MiB at most, and 400 KiB once it is written anew",
    ),
    "seal_image_not_round": (
        "chiều rộng và chiều cao khác nhau quá 10 %",
        "width and height differ by over 10 %",
    ),
    "seal_image_no_measure": (
        "tệp không ghi độ phân giải; hãy nêu bề rộng thật bằng --millimetres",
        "the file does not say its resolution; give the real width by --millimetres",
    ),
    "seal_image_not_real_size": (
        "không đúng kích thước thật của con dấu: bề rộng phải từ 25 đến 42 mm",
        "this is not the real size of a seal: it must be from 25 to 42 mm wide",
    ),
    "seal_image_not_transparent": (
        "nền không trong suốt: bốn góc phải trong suốt hoàn toàn, và dấu chiếm không quá 70 % hình",
        "the ground is not transparent: all corners must be clear, and the seal may fill 70 % at most",
    ),
    "seal_image_blank": ("hình gần như trống", "the picture is nearly blank"),
    "seal_image_not_red": ("con dấu không phải màu đỏ", "the seal is not red"),
}

Agency = Annotated[str, typer.Argument(help="The agency's code.")]


def image(
    agency: Agency,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The seal: PNG, red, transparent ground.")
    ],
    millimetres: Annotated[
        float | None,
        typer.Option(help="Its real width, where the file does not say it.", show_default=False),
    ] = None,
    lang: Lang = None,
) -> None:
    """Keep the picture of an agency's round seal; e-results that Kho composes show it from now on."""
    language = spoken_language(lang)
    try:
        kept = asyncio.run(_keep(agency, file, millimetres))
    except SealImageRefused as problem:
        raise CommandFailed(f"{file}: {_refused(problem.code, language)}") from problem
    except NotFound as problem:
        raise CommandFailed(_WORDS[language]["no_agency"].format(agency=agency)) from problem
    typer.echo(_told("kept", agency, kept, language))


def remove_image(agency: Agency, lang: Lang = None) -> None:
    """Let an agency's seals show text alone again; what was sealed keeps its look."""
    language = spoken_language(lang)
    try:
        asyncio.run(_remove(agency))
    except NotFound as problem:
        raise CommandFailed(_WORDS[language]["no_image"].format(agency=agency)) from problem
    typer.echo(_WORDS[language]["removed"].format(agency=agency))


def images(lang: Lang = None) -> None:
    """List the agencies whose seals show a picture; the vault may be served meanwhile."""
    language = spoken_language(lang)
    for agency, kept in asyncio.run(_current()).items():
        typer.echo(_told("line", agency, kept, language))


def _told(which: str, agency: str, kept: KeptImage, language: Language) -> str:
    width = f"{kept.millimetres:.1f}"
    return _WORDS[language][which].format(
        agency=agency,
        since=f"{kept.since.astimezone(VIETNAM):%Y-%m-%d %H:%M}",
        width=width.replace(".", ",") if language == "vi" else width,
        sha256=kept.sha256,
    )


def _refused(code: str, language: Language) -> str:
    """Say why a picture is not taken; the code stands behind its words."""
    return f"{_REFUSALS[code][language == 'en']} ({code})"


async def _keep(agency: str, file: Path, millimetres: float | None) -> KeptImage:
    async with open_vault(read_settings()) as vault:
        return await seal_images.keep(vault, agency, file, millimetres=millimetres)


async def _remove(agency: str) -> None:
    async with open_vault(read_settings()) as vault:
        await seal_images.remove(vault, agency)


async def _current() -> dict[str, KeptImage]:
    async with looked_at(places_of(read_settings())) as rows, rows.read() as db:
        return await seal_images.current(db)
