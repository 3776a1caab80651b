"""The QR code of a digitised paper: what it says, and as a drawing (TCVN 7322, ISO/IEC 18004).

Thông tư 01/2023/TT-VPCP: the codes of dossier and procedure, the identifier of the owner and the name of the
paper, at the top left of page 1.
"""

import io
import unicodedata

import segno

_BETWEEN = "|"  # as on the citizen's identity card
_LONGEST_NAME = 200  # characters: more would make the modules too small to be read


def qr_text(dossier: str, procedure: str, owner: str, name: str) -> str:
    """Give the text of the code: four fields, none of them holding what stands between them."""
    fields = (dossier, procedure, owner, name[:_LONGEST_NAME])
    plain = (unicodedata.normalize("NFC", " ".join(one.split())).replace(_BETWEEN, "/") for one in fields)
    return _BETWEEN.join(plain)


def qr_drawing(text: str) -> str:
    """Draw the code as SVG, with the four modules of white around it that readers need.

    Raises:
        ValueError: the text does not fit a code.
    """
    code = segno.make_qr(text, error="m", encoding="utf-8", eci=False)
    made = io.BytesIO()
    code.save(made, kind="svg", border=4, xmldecl=False, svgns=True, dark="#000", light=None, omitsize=True)
    return made.getvalue().decode()
