"""What a document does rather than shows, and what it carries or hides (ISO 32000-2, 12.6 and 7.11).

Every dictionary of the file is looked at, wherever it stands: names are compared after their escapes were
read, references followed. Links to web and mail addresses are allowed: a reader asks before it follows one,
and papers carry them honestly. Opening an address *by itself* is not, nor are other kinds of addresses.

Attachments are refused but for one kind: an XML file that the catalogue declares as associated (PDF/A-3),
that is named as one and is one from first byte to last, without a document type, and no page of the web.
"""

import re
from collections.abc import Iterator

import pikepdf
from lxml import etree

from signing import ceilings
from signing.inflation import Tally
from signing.layers import hides, hides_in_catalogue
from signing.xml_reading import Unjudged, parsed_xml

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
    "/SetOCGState": "switches_layers",
    "/Hide": "switches_layers",
    "/EnableJavaScripts": "javascript",  # what the document requires (12.11), and what answers for it
    "/JS": "javascript",
}
_KEYS = {
    "/OPI": "external_stream",  # a picture of another file, put in when it is printed
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
_WEB = (b"http://", b"https://")
_ADDRESSES = (*_WEB, b"mailto:", b"tel:")
_XML = {"/text/xml", "/application/xml"}
_DEFINES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_NAMES = ("/F", "/UF", "/DOS", "/Mac", "/Unix")  # of a file specification
_NOT_IN_NAMES = set('/\\:*?"<>|')
# What runs where XML is opened: elements by these names, and all of these namespaces.
_OF_THE_WEB = {"html", "script", "svg"}
_SPACES_OF_THE_WEB = {"http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"}
_BY_THEMSELVES = ("/OpenAction", "/AA")
# What may be done at a click, but not without one. To reset a form shows another paper than was drawn.
_NOT_BY_THEMSELVES = {"/URI": "opens_address", "/ResetForm": "switches_layers", "": "opens_address"}
_LONGEST_ROW = 100  # actions, one after the other

Container = pikepdf.Dictionary | pikepdf.Stream


class ActiveContent:
    """Gathers what is found in one document; `found` names each thing once, in the order met."""

    def __init__(self, document: pikepdf.Pdf) -> None:
        self._associated = {one.objgen for one in _items(document.Root.get("/AF")) if one.objgen[0]}
        self._found: dict[str, None] = {}
        self._attached: set[tuple[int, int]] = set()  # streams that are attached files
        self._named: set[tuple[int, int]] = set()  # those of them that a declared attachment names
        self._layers = hides_in_catalogue(document)

    @property
    def found(self) -> tuple[str, ...]:
        """What the document does or carries that none may."""
        unnamed = {"embedded_file": None} if self._attached - self._named else {}
        return tuple(self._found | unnamed)

    @property
    def hides_layers(self) -> bool:
        """Whether it has layers that are not always shown: refused before sealing, taken on deposit."""
        return self._layers

    def look(self, node: Container) -> None:
        """Look at one dictionary, or at that of a stream."""
        keys = node.keys()
        for name in (*self._in(node, keys), *self._brings(node, keys)):
            self._found[name] = None
        self._layers = self._layers or hides(node, keys)

    def _in(self, node: Container, keys: set[str]) -> Iterator[str]:
        yield from (_KEYS[key] for key in keys & _KEYS.keys())
        action = _name(node, "/S")
        if action in _ACTIONS:
            yield _ACTIONS[action]
        if action == "/URI" and not _allowed(node.get("/URI")):
            yield "address_kind"
        if _name(node, "/Subtype") in _ANNOTATIONS and "/Rect" in keys:
            yield _ANNOTATIONS[_name(node, "/Subtype")]
        by_themselves = {one for key in _BY_THEMSELVES if key in keys for one in _done(key, node[key])}
        yield from (_NOT_BY_THEMSELVES[one] for one in sorted(by_themselves & _NOT_BY_THEMSELVES.keys()))
        if "/NeedsRendering" in keys and bool(node["/NeedsRendering"]):
            yield "xfa"
        if action == "/Thread" and "/F" in keys:
            yield "remote_target"

    def _brings(self, node: Container, keys: set[str]) -> Iterator[str]:
        """What else comes with the document, or from outside."""
        yield from _points_outside(node, keys)
        if "/EmbeddedFiles" in keys and any(True for _ in _undeclared(node["/EmbeddedFiles"])):
            yield "embedded_file"
        if "/Collection" in keys and "/Pages" in keys:  # of the catalogue: a file that is a case of files
            yield "embedded_file"
        if isinstance(node, pikepdf.Stream) and _name(node, "/Type") == "/EmbeddedFile":
            self._attached.add(node.objgen)
        if isinstance(node, pikepdf.Stream) and _is_postscript(node, keys):
            yield "postscript"
        reference = node["/Ref"] if "/Ref" in keys else None
        drawn = isinstance(reference, pikepdf.Dictionary) and "/F" in reference  # a page of another file
        if drawn or (isinstance(node, pikepdf.Stream) and "/F" in keys):
            yield "external_stream"
        related = "/RF" in keys and bool(keys & {*_NAMES, "/EF"} or _name(node, "/Type") == "/Filespec")
        if related or ("/EF" in keys and not self._declared(node)):
            yield "embedded_file"
        if isinstance(node, pikepdf.Stream) and _name(node, "/Type") == "/Metadata" and self._defines(node):
            yield "xml_entities"

    def _declared(self, specification: Container) -> bool:
        """Whether an attachment is associated XML, as declared and in truth."""
        if not specification.is_indirect or specification.objgen not in self._associated:
            return False
        if not isinstance(specification["/EF"], pikepdf.Dictionary) or not _is_named_xml(specification):
            return False
        files = [file for _, file in specification["/EF"].items()]
        if not all(self._is_xml(file) for file in files):
            return False
        self._named.update(file.objgen for file in files)
        return True

    def _is_xml(self, file: pikepdf.Object) -> bool:
        if not isinstance(file, pikepdf.Stream) or _name(file, "/Subtype") not in _XML:
            return False
        try:
            root = parsed_xml(_content(file, ceilings.ATTACHED_XML))
        except Unjudged:
            return False
        around = (*root.itersiblings(preceding=True), *root.itersiblings())
        if any(one.tag is etree.PI for one in (*around, *root.iter())):
            return False  # an instruction may name a style sheet, which is a program
        names = (etree.QName(one) for one in root.iter("*"))
        return not any(
            one.localname.lower() in _OF_THE_WEB or one.namespace in _SPACES_OF_THE_WEB for one in names
        )

    def _defines(self, metadata: pikepdf.Stream) -> bool:
        """Whether XMP brings definitions of its own, which it may not: bombs and foreign files hide there."""
        content = _content(metadata, ceilings.METADATA)
        return bool(_DEFINES.search(content.replace(b"\x00", b"")))  # whatever its width


def _points_outside(node: Container, keys: set[str]) -> Iterator[str]:
    """What a document takes from outside of it by a name alone, and where its links begin."""
    if _name(node, "/FS") == "/URL":
        yield "remote_target"
    if _name(node, "/Subtype") == "/FileAttachment":
        file = node.get("/FS")
        if not isinstance(file, pikepdf.Dictionary) or "/EF" not in file:
            yield "remote_target"
    links = node["/URI"] if "/URI" in keys else None
    if isinstance(links, pikepdf.Dictionary) and "/Base" in links:
        base = links["/Base"]
        if not isinstance(base, pikepdf.String) or not bytes(base).lower().startswith(_WEB):
            yield "address_kind"


def _is_postscript(node: pikepdf.Stream, keys: set[str]) -> bool:
    """Whether a drawing is a program for printers (ISO 32000-1, 8.8.2)."""
    return _name(node, "/Subtype") == "/PS" or _name(node, "/Subtype2") == "/PS" or "/PS" in keys


def _is_named_xml(specification: Container) -> bool:
    """Whether every name of a file says that it is XML, and nothing else."""
    names = [specification[key] for key in _NAMES if key in specification]
    return bool(names) and all(isinstance(one, pikepdf.String) and _says_xml(str(one)) for one in names)


def _says_xml(name: str) -> bool:
    return name.lower().endswith(".xml") and name.isprintable() and not set(name) & _NOT_IN_NAMES


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


def _done(key: str, value: object) -> set[str]:
    """Name the actions taken without anybody's doing, one after the other; "" where they are too many."""
    if not isinstance(value, pikepdf.Dictionary):
        return set()  # a destination within the document
    waiting = [value] if key == "/OpenAction" else [one for _, one in value.items()]
    done: set[str] = set()
    for _ in range(_LONGEST_ROW):
        if not waiting:
            return done
        action = waiting.pop()
        if isinstance(action, pikepdf.Array):
            waiting += list(action)[:_LONGEST_ROW]
        elif isinstance(action, pikepdf.Dictionary):
            done |= {_name(action, "/S")} - {""}
            waiting += [action["/Next"]] if "/Next" in action else []
    return {*done, ""}  # too many to be honest


def _undeclared(tree: object) -> Iterator[object]:
    """Give what a name tree of attached files names that is no file within (ISO 32000-2, 7.7.4)."""
    waiting, left = [tree], ceilings.DEEPEST * 10
    while waiting:
        node, left = waiting.pop(), left - 1
        if left < 0:
            yield node
            return
        if isinstance(node, pikepdf.Dictionary):
            waiting += _items(node.get("/Kids"))
            named = _items(node.get("/Names"))[1::2]
            yield from (one for one in named if not isinstance(one, pikepdf.Dictionary) or "/EF" not in one)
