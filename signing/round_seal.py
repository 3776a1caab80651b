"""A round seal drawn from an agency's name, for the demo and tests: a real one comes from its agency."""

import json
import unicodedata
from importlib.resources import as_file, files

import typst

from signing.errors import ComposingFailed

MILLIMETRES = 36.0
_DOTS = 600.0  # an inch
_LONGEST = 80  # characters that stand around the ring


def draw_round_seal(agency: str) -> bytes:
    """Return a PNG with a transparent ground: a red ring, the name around it. Raises ComposingFailed."""
    name = unicodedata.normalize("NFC", agency).upper()
    short = name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
    try:
        with as_file(files("signing").joinpath("templates")) as folder:
            made = typst.compile(
                folder / "round_seal.typ",
                root=folder,
                ignore_system_fonts=True,
                format="png",
                ppi=_DOTS,
                sys_inputs={"fields": json.dumps({"agency": short, "millimetres": MILLIMETRES})},
            )
    except typst.TypstError as error:
        raise ComposingFailed(f"the round seal could not be drawn: {error.message}") from error
    if not isinstance(made, bytes):
        raise ComposingFailed("the round seal gave no picture")
    return made
