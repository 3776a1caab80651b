"""Whether an XML document is of a kind that is taken into a store at all. Runs in a worker process.

Stored XML is handed out to people again: it declares nothing, names no style sheet, holds no part of a web
page, and its root is a document, not a bare signature. What a signature in it is worth is another matter.
"""

from lxml import etree

from signing.errors import RefusalCode
from signing.file_types import HEAD, UNKNOWN, XML, media_type_of
from signing.xml_reading import DS, LARGEST_XML, Unjudged, parsed_xml

# Browsers run or draw what is of these, wherever in a document it stands.
_PAGES = frozenset(
    {
        "http://www.w3.org/1999/xhtml",
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1998/Math/MathML",
        "http://www.w3.org/1999/XSL/Transform",
    }
)
_PAGE_ROOTS = frozenset({"html", "svg"})  # taken for pages by some readers, whatever their namespace
_CODES: dict[str, RefusalCode] = {"too_complex": "xml_too_large", "xml_unsafe": "xml_unsafe"}


def refusal_of(content: bytes) -> RefusalCode | None:
    """Return why a document is not taken, or None.

    `content`: the whole document, or its first bytes where it has more than `LARGEST_XML`.
    """
    known = media_type_of(content[:HEAD])
    begins = content[:HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not begins.startswith(b"<") and known not in (XML, UNKNOWN):
        return "mislabelled"
    if len(content) > LARGEST_XML:
        return "xml_too_large"
    try:
        root = parsed_xml(content)
    except Unjudged as unjudged:
        return _CODES.get(str(unjudged), "xml_damaged")
    return _refusal_in(root)


def _refusal_in(root: etree._Element) -> RefusalCode | None:
    around = (*root.itersiblings(preceding=True), *root.itersiblings(), *root.iter(etree.PI))
    if any(one.tag is etree.PI for one in around):  # how to show it: a style sheet
        return "xml_unsafe"
    if root.tag == f"{DS}Signature" or etree.QName(root).localname.lower() in _PAGE_ROOTS:
        return "xml_page"
    if any(etree.QName(one).namespace in _PAGES for one in root.iter("*")):
        return "xml_page"
    return None
