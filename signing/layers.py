"""What is not always shown, or not in print (ISO 32000-2, 8.11, 12.5.3, 8.9.5.4): what is sealed has none.

A layer may be off at first, off in another arrangement, off in print, or shown by what is said of others; an
annotation may be hidden, or on paper alone, or on screens alone; a picture may have another one for print: of
each of them a reader sees one paper and another reader another. Whatever can do that counts, used or not.
"""

import pikepdf

_STATES = {"/Print": "/PrintState", "/View": "/ViewState", "/Export": "/ExportState"}
# Flags of an annotation (ISO 32000-2, table 167), and kinds that draw nothing without an appearance.
_HIDDEN, _PRINT, _NO_VIEW, _TOGGLES = 2, 4, 32, 256
_DRAW_NOTHING = ("/Link", "/Popup", "/Widget")
_TELLS_OF_OTHERS = {
    "/P",
    "/VE",
    "/Type",
}  # beside groups; the catalogue has none of them there


def hides_in_catalogue(document: pikepdf.Pdf) -> bool:
    """Whether groups are off at first, shown on one occasion and not on another, or arranged otherwise."""
    layers = document.Root.get("/OCProperties")
    if not isinstance(layers, pikepdf.Dictionary):
        return layers is not None
    default = layers.get("/D")
    if _has_some(layers, "/Configs") or not isinstance(default, pikepdf.Dictionary):
        return True
    base = default.get("/BaseState")
    return base not in (None, pikepdf.Name.ON) or any(_has_some(default, key) for key in ("/OFF", "/AS"))


def hides(node: pikepdf.Dictionary | pikepdf.Stream, keys: set[str]) -> bool:
    """Whether a dictionary is of a layer, an annotation or a picture that is not always shown alike."""
    if "/Alternates" in keys and _has_some(node, "/Alternates"):
        return True
    if "/Rect" in keys and "/Subtype" in keys and _differs_in_print(node):
        return True
    if "/VE" in keys or ("/Type" in keys and node["/Type"] == pikepdf.Name.OCMD):
        return True
    if "/OCGs" in keys and keys & _TELLS_OF_OTHERS:
        return True
    usage = node["/Usage"] if "/Usage" in keys else None
    return isinstance(usage, pikepdf.Dictionary) and _is_off_somewhere(usage)


def _differs_in_print(note: pikepdf.Dictionary | pikepdf.Stream) -> bool:
    """Whether an annotation is hidden, or shown on screens and on paper otherwise.

    A link or a window of remarks that draws nothing itself is on screens alone, honestly; so is a signature
    field that does not say that it is printed. One that is hidden shows nothing anywhere.
    """
    said = note.get("/F", 0)
    flags = int(said) if isinstance(said, int) else 0
    kind = str(note["/Subtype"])
    signs = kind == "/Widget" and _is_signature_field(note)
    if "/FixedPrint" in note or flags & (_NO_VIEW | _TOGGLES):
        return True
    if flags & _HIDDEN:
        return not signs
    draws = "/AP" in note or kind not in _DRAW_NOTHING
    return draws and not flags & _PRINT and not signs and not _has_no_size(note["/Rect"])


def _is_signature_field(widget: pikepdf.Dictionary | pikepdf.Stream) -> bool:
    above = widget.get("/Parent")
    kind = widget.get("/FT", above.get("/FT") if isinstance(above, pikepdf.Dictionary) else None)
    return bool(kind == pikepdf.Name.Sig)


def _has_no_size(rectangle: object) -> bool:
    if not isinstance(rectangle, pikepdf.Array) or len(rectangle) != 4:
        return False
    left, bottom, right, top = rectangle
    return bool(left == right or bottom == top)


def _is_off_somewhere(usage: pikepdf.Dictionary) -> bool:
    for occasion, state in _STATES.items():
        said = usage.get(occasion)
        if isinstance(said, pikepdf.Dictionary) and said.get(state) == pikepdf.Name.OFF:
            return True
    return "/Zoom" in usage


def _has_some(node: pikepdf.Dictionary | pikepdf.Stream, key: str) -> bool:
    value = node.get(key)
    return value is not None and not (isinstance(value, pikepdf.Array) and len(value) == 0)
