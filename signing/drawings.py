"""How much a page draws, what lies within counted as often as it is drawn.

Forms, patterns, soft masks, letters that are drawn (Type 3), annotations, pictures and shadings are followed.

One drawing is a form drawn, or some content, points or steps of functions (ceilings.py). Names are looked up
as lenient readers do: in the resources of whatever names them, or else of what it lies in, and in the page's.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pikepdf

from signing import ceilings
from signing.active_content import filters_of
from signing.errors import FileRefused
from signing.function_costs import Steps, too_much
from signing.inflation import Tally
from signing.measuring import image_pixels
from signing.page_content import Content

_SLIGHT = 10_000  # drawings for masks and patterns that need no closer look
_MOST_ABOVE = 200  # nodes above a page

Name = tuple[int, int]
Key = tuple[Name, Name | None, Name]


@dataclass(frozen=True)
class _Scope:
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
class _Node:
    """Something with content of its own: a page, form, tiling pattern or letter."""

    of: pikepdf.Object
    scope: _Scope

    @property
    def key(self) -> Key:
        return (self.of.objgen, self.scope.of, self.scope.of_page)


def measure_drawings(document: pikepdf.Pdf) -> None:
    """Raise FileRefused where a page draws too much, or what it draws draws itself."""
    drawings = _Drawings()
    for page in document.pages:
        drawings.measure(page.obj)


class _Drawings:
    def __init__(self) -> None:
        self._steps = Steps()
        self._contents: dict[Name, Content] = {}
        self._costs: dict[Key, int] = {}
        self._paints: dict[Key, int] = {}
        self._letters: dict[Key, int] = {}
        self._open: set[Name] = set()

    def measure(self, page: pikepdf.Object) -> None:
        resources = _inherited(page, "/Resources")
        name = _name(resources) or page.objgen
        scope = _Scope(resources, resources, name, name)
        total = self._cost(_Node(page, scope), 0)
        notes = page.get("/Annots")
        for note in notes if isinstance(notes, pikepdf.Array) else ():
            shown = note.get("/AP") if isinstance(note, pikepdf.Dictionary) else None
            looks = [_node(one, scope) for one in _streams(shown, 2)]
            total += max((self._cost(one, 1) for one in looks), default=0)
        if total > ceilings.MOST_DRAWINGS:
            raise too_much()

    def _cost(self, node: _Node, depth: int) -> int:
        name, key = node.of.objgen, node.key
        if depth > ceilings.DEEPEST:
            raise too_much()
        if name in self._open:
            raise too_much("drawing_in_a_circle")
        if key in self._costs and name[0]:
            return self._costs[key]
        self._open.add(name)
        cost = self._worked_out(node, depth)
        self._open.discard(name)
        if cost > ceilings.MOST_DRAWINGS:
            raise too_much()
        self._costs[key] = cost
        return cost

    def _worked_out(self, node: _Node, depth: int) -> int:
        content, scope = self._content(node), node.scope
        cost = 1 + content.size // ceilings.CONTENT_A_DRAWING
        cost += content.inline + content.inline_pixels // ceilings.PIXELS_A_DRAWING

        def drawn(found: pikepdf.Object) -> int:
            return self._drawn(found, scope, depth)

        def shaded(found: pikepdf.Object) -> int:
            return self._shaded(found, scope)

        cost += _used(content, scope, "do", "/XObject", drawn)
        cost += _used(content, scope, "sh", "/Shading", shaded)
        cost += _used(content, scope, "gs", "/ExtGState", self._transferred)
        cost += self._coloured(content, scope)
        glyph = max((self._cost(one, depth + 1) for one in self._glyphs(content, scope)), default=0)
        if glyph:
            cost += glyph * self._all_letters(node, depth)
        return cost + self._painted_through(node, depth, exactly=not glyph)

    def _drawn(self, found: pikepdf.Object, scope: _Scope, depth: int) -> int:
        """What is drawn by name: a form, or a picture with its masks."""
        if not isinstance(found, pikepdf.Stream):
            return 0
        if found.get("/Subtype") != "/Image":
            return self._cost(_node(found, scope), depth + 1)
        cost = 1
        for one in (found, found.get("/SMask"), found.get("/Mask")):
            if isinstance(one, pikepdf.Stream):
                pixels = image_pixels(one, one.read_raw_bytes())
                cost += pixels // ceilings.PIXELS_A_DRAWING
                cost += self._steps.picture(_space(one, scope), pixels)
        return cost

    def _shaded(self, found: pikepdf.Object, scope: _Scope) -> int:
        return self._steps.shading(found, _space(found, scope)) if _is_container(found) else 0

    def _transferred(self, state: pikepdf.Object) -> int:
        return self._steps.transfer(state) if isinstance(state, pikepdf.Dictionary) else 0

    def _coloured(self, content: Content, scope: _Scope) -> int:
        """Colours that are chosen by their parts in a space that works them out."""
        steps = max((self._steps.colours(one)[0] for _, one in scope.every("/ColorSpace")), default=0)
        return steps * content.colours // ceilings.STEPS_A_DRAWING if steps else 0

    def _glyphs(self, content: Content, scope: _Scope) -> list[_Node]:
        """The drawn letters of the fonts that are used, by their name or by a graphics state."""
        fonts = _meant(content, scope, "tf", "/Font")
        for state in _meant(content, scope, "gs", "/ExtGState"):
            said = state.get("/Font") if isinstance(state, pikepdf.Dictionary) else None
            fonts += [said[0]] if isinstance(said, pikepdf.Array) and len(said) else []
        drawn = [one for one in fonts if isinstance(one, pikepdf.Dictionary) and "/CharProcs" in one]
        return [_node(glyph, scope, font) for font in drawn for glyph in _streams(font["/CharProcs"], 1)]

    def _painted_through(self, node: _Node, depth: int, *, exactly: bool) -> int:
        """What masks and patterns cost: they are drawn for each thing that is painted through them."""
        content, scope = self._content(node), node.scope

        def masking(name: str) -> int | None:
            told = [self._masked(one, scope, depth) for one in scope.named("/ExtGState", name)]
            costs = [one for one in told if one is not None]
            return max(costs) if costs else None

        def filling(name: str) -> int:
            found = scope.named("/Pattern", name)
            return max((self._filled(one, scope, depth) for one in found), default=0)

        states = _meant(content, scope, "gs", "/ExtGState")
        masks = [self._masked(one, scope, depth) or 0 for one in states]
        fills = [self._filled(one, scope, depth) for one in _meant(content, scope, "scn", "/Pattern")]
        dearest = max(masks, default=0) + 2 * max(fills, default=0)  # a line and what it goes around
        if not dearest:
            return 0
        most = dearest * max(1, self._all_paints(node, depth))
        if most <= _SLIGHT or not exactly:
            return most
        told = content.states(masking, filling)
        if told is None:
            return most
        return sum(cost * self._painted_by(name, node, depth) for cost, name in told)

    def _painted_by(self, name: str | None, node: _Node, depth: int) -> int:
        """How many things one operator paints: the form that it draws may paint many."""
        if name is None:
            return 1
        return max([1, *(self._all_paints(one, depth + 1) for one in _forms(node.scope, name))])

    def _masked(self, state: pikepdf.Object, scope: _Scope, depth: int) -> int | None:
        """What the mask of a graphics state costs, None where it leaves the mask as it is."""
        if not isinstance(state, pikepdf.Dictionary) or "/SMask" not in state:
            return None
        mask = state["/SMask"]
        if not isinstance(mask, pikepdf.Dictionary):
            return 0
        group = mask.get("/G")
        drawn = self._cost(_node(group, scope), depth + 1) if isinstance(group, pikepdf.Stream) else 0
        return drawn + self._steps.transfer(mask)

    def _filled(self, pattern: pikepdf.Object, scope: _Scope, depth: int) -> int:
        if isinstance(pattern, pikepdf.Stream):
            return self._cost(_node(pattern, scope), depth + 1)
        shading = pattern.get("/Shading") if isinstance(pattern, pikepdf.Dictionary) else None
        return self._shaded(shading, scope) if shading is not None else 0

    def _all_paints(self, node: _Node, depth: int) -> int:
        def own(content: Content) -> int:
            return content.paints

        return self._summed(node, depth, self._paints, own)

    def _all_letters(self, node: _Node, depth: int) -> int:
        def own(content: Content) -> int:
            return content.letters

        return self._summed(node, depth, self._letters, own)

    def _summed(self, node: _Node, depth: int, known: dict[Key, int], own: Callable[[Content], int]) -> int:
        """Sum up what is in a content and in the forms that it draws; that none draws itself is known."""
        if node.key in known and node.of.objgen[0]:
            return known[node.key]
        if depth > ceilings.DEEPEST:
            raise too_much()
        content = self._content(node)
        total = own(content)
        for name, times in content.named("do").items():
            inner = [self._summed(one, depth + 1, known, own) for one in _forms(node.scope, name)]
            total += times * max(inner, default=0)
        if content.odd("do"):
            every = [one for _, one in node.scope.every("/XObject") if _is_form(one)]
            inner = [self._summed(_node(one, node.scope), depth + 1, known, own) for one in every]
            total += content.odd("do") * max(inner, default=0)
        known[node.key] = total
        return total

    def _content(self, node: _Node) -> Content:
        name = node.of.objgen
        if name not in self._contents or not name[0]:
            self._contents[name] = Content(lambda: _bytes_of(node.of))
        return self._contents[name]


def _used(
    content: Content, scope: _Scope, operator: str, kind: str, weigh: Callable[[pikepdf.Object], int]
) -> int:
    """Weigh what is used by an operator, as often as it is."""
    cost = 0
    for name, times in content.named(operator).items():
        cost += times * max((weigh(one) for one in scope.named(kind, name)), default=0)
    if content.odd(operator):
        cost += content.odd(operator) * max((weigh(one) for _, one in scope.every(kind)), default=0)
    return cost


def _meant(content: Content, scope: _Scope, operator: str, kind: str) -> list[pikepdf.Object]:
    """Give what an operator may mean in a content, each once."""
    if content.odd(operator):
        return [one for _, one in scope.every(kind)]
    names: Counter[str] = content.named(operator)
    return [one for name in names for one in scope.named(kind, name)]


def _forms(scope: _Scope, name: str) -> list[_Node]:
    return [_node(one, scope) for one in scope.named("/XObject", name) if _is_form(one)]


def _is_form(found: pikepdf.Object) -> bool:
    return isinstance(found, pikepdf.Stream) and found.get("/Subtype") != "/Image"


def _is_container(found: object) -> bool:
    return isinstance(found, (pikepdf.Dictionary, pikepdf.Stream))


def _node(found: pikepdf.Object, scope: _Scope, holder: pikepdf.Dictionary | None = None) -> _Node:
    """Give something with content, with where its names are looked up; a font holds those of its letters."""
    resources = (found if holder is None else holder).get("/Resources")
    if not isinstance(resources, pikepdf.Dictionary):
        return _Node(found, scope)
    of = _name(resources) or (found if holder is None else holder).objgen
    return _Node(found, _Scope(resources, scope.page, of, scope.of_page))


def _name(found: object) -> Name | None:
    return found.objgen if isinstance(found, pikepdf.Dictionary) and found.objgen[0] else None


def _space(found: pikepdf.Object, scope: _Scope) -> object:
    space = found.get("/ColorSpace", found.get("/CS"))
    if not isinstance(space, pikepdf.Name):
        return space
    return next(iter(scope.named("/ColorSpace", str(space))), None)


def _inherited(page: pikepdf.Object, key: str) -> pikepdf.Object | None:
    node: object = page
    for _ in range(_MOST_ABOVE):
        if not isinstance(node, pikepdf.Dictionary):
            return None
        if key in node:
            return node[key]
        node = node.get("/Parent")
    raise too_much()


def _streams(found: object, depth: int) -> list[pikepdf.Stream]:
    """Give the streams of a dictionary, and of those within it."""
    if isinstance(found, pikepdf.Stream):
        return [found]
    if not isinstance(found, pikepdf.Dictionary) or not depth:
        return []
    return [one for _, inner in found.items() for one in _streams(inner, depth - 1)]


def _bytes_of(node: pikepdf.Object) -> bytes:
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
