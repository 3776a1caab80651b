"""`kho seal-key image`, `images`, `remove-image`: in both languages, on a vault that nobody serves."""

from pathlib import Path
from typing import Any

import pytest

from reuse_api.__main__ import run
from reuse_api.commands.ending import Ending
from reuse_api.commands.seal_images import _REFUSALS
from reuse_api.demo.people import COMMUNE
from signing.round_seal import draw_round_seal


@pytest.mark.parametrize(
    ("lang", "kept", "line", "removed", "none"),
    [
        ("vi", "36,0 mm (SHA-256 ", "  từ 20", "chỉ hiện chữ", "chưa có hình con dấu"),
        ("en", "36.0 mm wide (SHA-256 ", "  since 20", "show text alone", "no picture of its seal"),
    ],
)
def test_a_picture_is_kept_listed_and_removed(
    vault_settings: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    lang: str,
    kept: str,
    line: str,
    removed: str,
    none: str,
) -> None:
    (tmp_path / "seal.png").write_bytes(draw_round_seal(COMMUNE.name_vi))
    said = ["seal-key", "image", COMMUNE.code, str(tmp_path / "seal.png"), "--millimetres", "36"]

    def told(*arguments: str, ends: Ending = Ending.DONE) -> str:
        assert run([*arguments, "--lang", lang]) == ends
        out, err = capsys.readouterr()
        return err if ends else out

    assert kept in told(*said)
    assert told("seal-key", "images").startswith(COMMUNE.code + line)
    assert removed in told("seal-key", "remove-image", COMMUNE.code)
    assert told("seal-key", "images") == ""
    assert none in told("seal-key", "remove-image", COMMUNE.code, ends=Ending.FAILED)
    assert "H99" in told("seal-key", "image", "H99", said[3], "--millimetres", "36", ends=Ending.FAILED)
    (tmp_path / "seal.png").write_bytes(b"no picture")
    refused = told(*said, ends=Ending.FAILED)
    assert _REFUSALS["seal_image_not_png"][lang == "en"] in refused and "(seal_image_not_png)" in refused


def test_every_refusal_has_words() -> None:
    source = (Path(__file__).parents[3] / "signing" / "seal_image.py").read_text()
    raised: Any = {part.split('"')[0] for part in source.split('SealImageRefused("')[1:]}
    assert raised == set(_REFUSALS)
