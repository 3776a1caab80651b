"""Layers that are not always shown (optional content; ISO 32000-2, 8.11): what is sealed may have none.

A layer may be off at first, off in another arrangement, off in print, or shown by what is said of others: of
each of them a reader sees one paper and another reader another. Whatever can do that counts, used or not.
"""

import pikepdf

_STATES = {"/Print": "/PrintState", "/View": "/ViewState", "/Export": "/ExportState"}
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
    """Whether a dictionary is a layer shown by what is said of others, or one that is off on an occasion."""
    if "/VE" in keys or ("/Type" in keys and node["/Type"] == pikepdf.Name.OCMD):
        return True
    if "/OCGs" in keys and keys & _TELLS_OF_OTHERS:
        return True
    usage = node["/Usage"] if "/Usage" in keys else None
    return isinstance(usage, pikepdf.Dictionary) and _is_off_somewhere(usage)


def _is_off_somewhere(usage: pikepdf.Dictionary) -> bool:
    for occasion, state in _STATES.items():
        said = usage.get(occasion)
        if isinstance(said, pikepdf.Dictionary) and said.get(state) == pikepdf.Name.OFF:
            return True
    return "/Zoom" in usage


def _has_some(node: pikepdf.Dictionary, key: str) -> bool:
    value = node.get(key)
    return value is not None and not (isinstance(value, pikepdf.Array) and len(value) == 0)
