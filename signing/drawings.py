"""How much a page draws, what lies within counted as often as it is drawn.

Forms, patterns, soft masks, letters that are drawn (Type 3), annotations, pictures and shadings are followed.

One drawing is a form drawn, or some content, points or steps of functions (ceilings.py).
"""

from collections import Counter
from collections.abc import Callable

import pikepdf

from signing import ceilings
from signing.drawn_names import (
    Key,
    Name,
    Node,
    Scope,
    colour_space,
    content_of,
    forms,
    inherited,
    is_container,
    is_form,
    name_of,
    node_of,
    streams,
)
from signing.function_costs import Steps, too_much
from signing.measuring import image_pixels
from signing.page_content import Content

_SLIGHT = 10_000  # drawings for masks and patterns that need no closer look


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
        resources = inherited(page, "/Resources")
        name = name_of(resources) or page.objgen
        scope = Scope(resources, resources, name, name)
        total = self._cost(Node(page, scope), 0)
        notes = page.get("/Annots")
        for note in notes if isinstance(notes, pikepdf.Array) else ():
            shown = note.get("/AP") if isinstance(note, pikepdf.Dictionary) else None
            looks = [node_of(one, scope) for one in streams(shown, 2)]
            total += max((self._cost(one, 1) for one in looks), default=0)
        if total > ceilings.MOST_DRAWINGS:
            raise too_much()

    def _cost(self, node: Node, depth: int) -> int:
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

    def _worked_out(self, node: Node, depth: int) -> int:
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

    def _drawn(self, found: pikepdf.Object, scope: Scope, depth: int) -> int:
        """What is drawn by name: a form, or a picture with its masks."""
        if not isinstance(found, pikepdf.Stream):
            return 0
        if found.get("/Subtype") != "/Image":
            return self._cost(node_of(found, scope), depth + 1)
        cost = 1
        for one in (found, found.get("/SMask"), found.get("/Mask")):
            if isinstance(one, pikepdf.Stream):
                pixels = image_pixels(one, one.read_raw_bytes())
                cost += pixels // ceilings.PIXELS_A_DRAWING
                cost += self._steps.picture(colour_space(one, scope), pixels)
        return cost

    def _shaded(self, found: pikepdf.Object, scope: Scope) -> int:
        return self._steps.shading(found, colour_space(found, scope)) if is_container(found) else 0

    def _transferred(self, state: pikepdf.Object) -> int:
        return self._steps.transfer(state) if isinstance(state, pikepdf.Dictionary) else 0

    def _coloured(self, content: Content, scope: Scope) -> int:
        """Colours that are chosen by their parts in a space that works them out."""
        steps = max((self._steps.colours(one)[0] for _, one in scope.every("/ColorSpace")), default=0)
        return steps * content.colours // ceilings.STEPS_A_DRAWING if steps else 0

    def _glyphs(self, content: Content, scope: Scope) -> list[Node]:
        """The drawn letters of the fonts that are used, by their name or by a graphics state."""
        fonts = _meant(content, scope, "tf", "/Font")
        for state in _meant(content, scope, "gs", "/ExtGState"):
            said = state.get("/Font") if isinstance(state, pikepdf.Dictionary) else None
            fonts += [said[0]] if isinstance(said, pikepdf.Array) and len(said) else []
        drawn = [one for one in fonts if isinstance(one, pikepdf.Dictionary) and "/CharProcs" in one]
        return [node_of(glyph, scope, font) for font in drawn for glyph in streams(font["/CharProcs"], 1)]

    def _painted_through(self, node: Node, depth: int, *, exactly: bool) -> int:
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

    def _painted_by(self, name: str | None, node: Node, depth: int) -> int:
        """How many things one operator paints: the form that it draws may paint many."""
        if name is None:
            return 1
        return max([1, *(self._all_paints(one, depth + 1) for one in forms(node.scope, name))])

    def _masked(self, state: pikepdf.Object, scope: Scope, depth: int) -> int | None:
        """What the mask of a graphics state costs, None where it leaves the mask as it is."""
        if not isinstance(state, pikepdf.Dictionary) or "/SMask" not in state:
            return None
        mask = state["/SMask"]
        if not isinstance(mask, pikepdf.Dictionary):
            return 0
        group = mask.get("/G")
        drawn = self._cost(node_of(group, scope), depth + 1) if isinstance(group, pikepdf.Stream) else 0
        return drawn + self._steps.transfer(mask)

    def _filled(self, pattern: pikepdf.Object, scope: Scope, depth: int) -> int:
        if isinstance(pattern, pikepdf.Stream):
            return self._cost(node_of(pattern, scope), depth + 1)
        shading = pattern.get("/Shading") if isinstance(pattern, pikepdf.Dictionary) else None
        return self._shaded(shading, scope) if shading is not None else 0

    def _all_paints(self, node: Node, depth: int) -> int:
        def own(content: Content) -> int:
            return content.paints

        return self._summed(node, depth, self._paints, own)

    def _all_letters(self, node: Node, depth: int) -> int:
        def own(content: Content) -> int:
            return content.letters

        return self._summed(node, depth, self._letters, own)

    def _summed(self, node: Node, depth: int, known: dict[Key, int], own: Callable[[Content], int]) -> int:
        """Sum up what is in a content and in the forms that it draws; that none draws itself is known."""
        if node.key in known and node.of.objgen[0]:
            return known[node.key]
        if depth > ceilings.DEEPEST:
            raise too_much()
        content = self._content(node)
        total = own(content)
        for name, times in content.named("do").items():
            inner = [self._summed(one, depth + 1, known, own) for one in forms(node.scope, name)]
            total += times * max(inner, default=0)
        if content.odd("do"):
            every = [one for _, one in node.scope.every("/XObject") if is_form(one)]
            inner = [self._summed(node_of(one, node.scope), depth + 1, known, own) for one in every]
            total += content.odd("do") * max(inner, default=0)
        known[node.key] = total
        return total

    def _content(self, node: Node) -> Content:
        name = node.of.objgen
        if name not in self._contents or not name[0]:
            self._contents[name] = Content(lambda: content_of(node.of))
        return self._contents[name]


def _used(
    content: Content, scope: Scope, operator: str, kind: str, weigh: Callable[[pikepdf.Object], int]
) -> int:
    """Weigh what is used by an operator, as often as it is."""
    cost = 0
    for name, times in content.named(operator).items():
        cost += times * max((weigh(one) for one in scope.named(kind, name)), default=0)
    if content.odd(operator):
        cost += content.odd(operator) * max((weigh(one) for _, one in scope.every(kind)), default=0)
    return cost


def _meant(content: Content, scope: Scope, operator: str, kind: str) -> list[pikepdf.Object]:
    """Give what an operator may mean in a content, each once."""
    if content.odd(operator):
        return [one for _, one in scope.every(kind)]
    names: Counter[str] = content.named(operator)
    return [one for name in names for one in scope.named(kind, name)]
