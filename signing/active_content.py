"""What a document does rather than shows, and what it carries or hides (ISO 32000-2, 12.6 and 7.11).

Every dictionary of the file is looked at, wherever it stands: names are compared after their escapes were
read, references followed. Links to web and mail addresses are allowed: a reader asks before it follows one,
and papers carry them honestly. Opening an address *by itself* is not, nor are other kinds of addresses.

Attachments are refused but for one kind: an XML file that the catalogue declares as associated (PDF/A-3),
beginning as XML without a document type of its own.
"""

import re
from collections.abc import Iterator

import pikepdf

from signing import ceilings
from signing.inflation import Tally

# What an action is called -> what is said of it.
_ACTIONS = {
    "/JavaScript": "javascript",
    "/Launch": "launch",
    "/SubmitForm": "submit_form",
    "/ImportData": "import_data",
    "/GoToE": "embedded_target",
    "/GoToR": "remote_target",
    "/Rendition": "media",
    "/Movie": "media",
    "/Sound": "media",
    "/RichMediaExecute": "rich_media",
    "/GoTo3DView": "three_d",
}
_KEYS = {
    "/JS": "javascript",
    "/JavaScript": "javascript",
    "/XFA": "xfa",
    "/RichMediaContent": "rich_media",
}
_ANNOTATIONS = {
    "/Movie": "media",
    "/Sound": "media",
    "/Screen": "media",
    "/3D": "three_d",
    "/RichMedia": "rich_media",
}
_ADDRESSES = (b"http://", b"https://", b"mailto:", b"tel:")
_XML = {"/text/xml", "/application/xml"}
_DEFINES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_BY_THEMSELVES = ("/OpenAction", "/AA")
_LONGEST_ROW = 100  # actions, one after the other

Container = pikepdf.Dictionary | pikepdf.Stream


class ActiveContent:
    """Gathers what is found in one document; `found` names each thing once, in the order met."""

    def __init__(self, document: pikepdf.Pdf) -> None:
        self._associated = {one.objgen for one in _items(document.Root.get("/AF")) if one.objgen[0]}
        self._found: dict[str, None] = {}
        self._layers = _hides_layers(document)

    @property
    def found(self) -> tuple[str, ...]:
        """What the document does or carries that none may."""
        return tuple(self._found)

    @property
    def hides_layers(self) -> bool:
        """Whether it has layers that are not always shown: refused before sealing, taken on deposit."""
        return self._layers

    def look(self, node: Container) -> None:
        """Look at one dictionary, or at that of a stream."""
        for name in self._in(node, node.keys()):
            self._found[name] = None

    def _in(self, node: Container, keys: set[str]) -> Iterator[str]:
        yield from (_KEYS[key] for key in keys & _KEYS.keys())
        action = _name(node, "/S")
        if action in _ACTIONS:
            yield _ACTIONS[action]
        if action == "/URI" and not _allowed(node.get("/URI")):
            yield "address_kind"
        if _name(node, "/Subtype") in _ANNOTATIONS and "/Rect" in keys:
            yield _ANNOTATIONS[_name(node, "/Subtype")]
        if any(_opens_address(key, node[key]) for key in _BY_THEMSELVES if key in keys):
            yield "opens_address"
        if "/NeedsRendering" in keys and bool(node["/NeedsRendering"]):
            yield "xfa"
        if isinstance(node, pikepdf.Stream) and "/F" in keys:
            yield "external_stream"  # its content is another file
        if "/EF" in keys and not self._declared(node):
            yield "embedded_file"
        if isinstance(node, pikepdf.Stream) and _name(node, "/Type") == "/Metadata" and self._defines(node):
            yield "xml_entities"

    def _declared(self, specification: Container) -> bool:
        """Whether an attachment is associated XML, as declared and in truth."""
        if not specification.is_indirect or specification.objgen not in self._associated:
            return False
        if not isinstance(specification["/EF"], pikepdf.Dictionary):
            return False
        return all(self._is_xml(file) for _, file in specification["/EF"].items())

    def _is_xml(self, file: pikepdf.Object) -> bool:
        if not isinstance(file, pikepdf.Stream) or _name(file, "/Subtype") not in _XML:
            return False
        content = _content(file, ceilings.ATTACHED_XML).removeprefix(b"\xef\xbb\xbf").lstrip()
        return content.startswith(b"<") and not _DEFINES.search(content)

    def _defines(self, metadata: pikepdf.Stream) -> bool:
        """Whether XMP brings definitions of its own, which it may not: bombs and foreign files hide there."""
        content = _content(metadata, ceilings.METADATA)
        return bool(_DEFINES.search(content.replace(b"\x00", b"")))  # whatever its width


def _content(stream: pikepdf.Stream, most: int) -> bytes:
    """Give what a stream of text becomes; raises FileRefused where that is too much."""
    return b"".join(Tally().unpacked(stream.read_raw_bytes(), filters_of(stream), most))


def filters_of(stream: pikepdf.Stream) -> list[str]:
    """Give the names of a stream's filters, in the order in which they are undone."""
    return [str(one) for one in _items(stream.get("/Filter"))]


def _items(value: pikepdf.Object | None) -> list[pikepdf.Object]:
    if value is None:
        return []
    return list(value) if isinstance(value, pikepdf.Array) else [value]


def _name(node: Container, key: str) -> str:
    value = node.get(key)
    return str(value) if isinstance(value, pikepdf.Name) else ""


def _allowed(address: object) -> bool:
    return isinstance(address, pikepdf.String) and bytes(address).lower().startswith(_ADDRESSES)


def _opens_address(key: str, value: object) -> bool:
    """Whether an action to be taken without anybody's doing opens an address, itself or as a next one."""
    if not isinstance(value, pikepdf.Dictionary):
        return False  # a destination within the document
    waiting = [value] if key == "/OpenAction" else [one for _, one in value.items()]
    for _ in range(_LONGEST_ROW):
        if not waiting:
            return False
        action = waiting.pop()
        if isinstance(action, pikepdf.Array):
            waiting += list(action)[:_LONGEST_ROW]
        elif isinstance(action, pikepdf.Dictionary):
            if _name(action, "/S") == "/URI":
                return True
            waiting += [action["/Next"]] if "/Next" in action else []
    return True  # too many to be honest


def _hides_layers(document: pikepdf.Pdf) -> bool:
    """Whether an optional content group is off at first, or shown on one occasion and not on another."""
    layers = document.Root.get("/OCProperties")
    default = layers.get("/D") if isinstance(layers, pikepdf.Dictionary) else None
    if not isinstance(default, pikepdf.Dictionary):
        return False
    return _name(default, "/BaseState") == "/OFF" or any(_items(default.get(key)) for key in ("/OFF", "/AS"))
