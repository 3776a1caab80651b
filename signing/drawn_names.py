"""What a page, form, pattern or letter draws by name, and where its names are looked up.

As lenient readers do: in the resources of whatever names it, or else of what that lies in, and in the page's.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pikepdf

from signing import ceilings
from signing.active_content import filters_of
from signing.errors import FileRefused
from signing.inflation import Tally

_MOST_ABOVE = 200  # nodes above a page

Name = tuple[int, int]
Key = tuple[Name, Name | None, Name]


@dataclass(frozen=True)
class Scope:
    """Where names are looked up, and what it is told apart by: of two equal ones all the same is drawn."""

    own: pikepdf.Object | None
    page: pikepdf.Object | None
    of: Name
    of_page: Name

    def named(self, kind: str, name: str) -> list[pikepdf.Object]:
        """Give what a name means, if anything."""
        return [each[name] for each in self._all(kind) if name in each][:1]

    def every(self, kind: str) -> Iterator[tuple[str, pikepdf.Object]]:
        """Give all that names of a kind may mean."""
        found: dict[str, pikepdf.Object] = {}
        for each in self._all(kind):
            found = dict(each.items()) | found
        yield from found.items()

    def _all(self, kind: str) -> list[pikepdf.Dictionary]:
        found = [each.get(kind) for each in (self.own, self.page) if isinstance(each, pikepdf.Dictionary)]
        return [one for one in found if isinstance(one, pikepdf.Dictionary)]


@dataclass(frozen=True)
class Node:
    """Something with content of its own: a page, form, tiling pattern or letter."""

    of: pikepdf.Object
    scope: Scope

    @property
    def key(self) -> Key:
        """What it is told apart by: the same content with the same names draws the same."""
        return (self.of.objgen, self.scope.of, self.scope.of_page)


def forms(scope: Scope, name: str) -> list[Node]:
    """Give the form that a name means, if it means one."""
    return [node_of(one, scope) for one in scope.named("/XObject", name) if is_form(one)]


def is_form(found: pikepdf.Object) -> bool:
    """Whether what is drawn by name has content; whatever is no picture may."""
    return isinstance(found, pikepdf.Stream) and found.get("/Subtype") != "/Image"


def is_container(found: object) -> bool:
    """Whether something is a dictionary or a stream."""
    return isinstance(found, (pikepdf.Dictionary, pikepdf.Stream))


def node_of(found: pikepdf.Object, scope: Scope, holder: pikepdf.Dictionary | None = None) -> Node:
    """Give something with content, with where its names are looked up; a font holds those of its letters."""
    resources = (found if holder is None else holder).get("/Resources")
    if not isinstance(resources, pikepdf.Dictionary):
        return Node(found, scope)
    of = name_of(resources) or (found if holder is None else holder).objgen
    return Node(found, Scope(resources, scope.page, of, scope.of_page))


def name_of(found: object) -> Name | None:
    """Give what an object of its own is told apart by."""
    return found.objgen if isinstance(found, pikepdf.Dictionary) and found.objgen[0] else None


def colour_space(found: pikepdf.Object, scope: Scope) -> object:
    """Give the colour space of a picture or shading, found by its name where it has one."""
    space = found.get("/ColorSpace", found.get("/CS"))
    if not isinstance(space, pikepdf.Name):
        return space
    return next(iter(scope.named("/ColorSpace", str(space))), None)


def inherited(page: pikepdf.Object, key: str) -> pikepdf.Object | None:
    """Give an entry of a page, or of what is above it. Raises FileRefused where that never ends."""
    node: object = page
    for _ in range(_MOST_ABOVE):
        if not isinstance(node, pikepdf.Dictionary):
            return None
        if key in node:
            return node[key]
        node = node.get("/Parent")
    raise FileRefused("too_complex", found=("drawings",))


def streams(found: object, depth: int) -> list[pikepdf.Stream]:
    """Give the streams of a dictionary, and of those within it."""
    if isinstance(found, pikepdf.Stream):
        return [found]
    if not isinstance(found, pikepdf.Dictionary) or not depth:
        return []
    return [one for _, inner in found.items() for one in streams(inner, depth - 1)]


def content_of(node: pikepdf.Object) -> bytes:
    """Give the content of a page, in one piece, or of a stream. Raises FileRefused where it is too much."""
    parts = node if isinstance(node, pikepdf.Stream) else node.get("/Contents")
    streams = list(parts) if isinstance(parts, pikepdf.Array) else [parts]
    pieces, size = list[bytes](), 0
    for one in streams:
        if isinstance(one, pikepdf.Stream):
            for piece in Tally().unpacked(one.read_raw_bytes(), filters_of(one), ceilings.STREAM_INFLATED):
                size += len(piece)
                if size > ceilings.STREAM_INFLATED:
                    raise FileRefused("too_large_inside", found=("stream_inflated",))
                pieces.append(piece)
            pieces.append(b"\n")
    return b"".join(pieces)
