"""What functions, colour spaces and shadings cost to be worked out, in steps (ISO 32000-2, 7.10, 8.6, 8.7.4).

A step is about one operator of a calculator function (type 4).
"""

import re

import pikepdf

from signing import ceilings
from signing.active_content import filters_of
from signing.errors import FileRefused
from signing.inflation import Tally
from signing.picture import MOST_PIXELS

_OPERATOR = re.compile(rb"[^\x00\t\n\x0c\r {}]+")
_SAMPLES = 256  # that a table of colours is worked out for
_MOST_INPUTS = 16
_DEEPEST = 16  # colour spaces within colour spaces
_LEAST_VERTEX = 8  # bytes
_BY_FUNCTION, _ALONG_A_LINE = 1, (2, 3)  # types of shadings


def too_much(*found: str) -> FileRefused:
    """Make the error that says that drawing takes too much."""
    return FileRefused("too_complex", found=found or ("drawings",))


class Steps:
    """Steps of what one document has; functions that come in threads are worked out once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], int] = {}
        self._open: set[tuple[int, int]] = set()

    def function(self, node: object) -> int:
        """Give the steps of one evaluation. Raises FileRefused where a function is within itself."""
        if isinstance(node, pikepdf.Array):
            return sum(self.function(one) for one in node)
        if not isinstance(node, (pikepdf.Dictionary, pikepdf.Stream)):
            return 0
        name = node.objgen
        if name in self._known:
            return self._known[name]
        if name in self._open:
            raise too_much("drawing_in_a_circle")
        if name[0]:
            self._open.add(name)
        steps = self._steps(node)
        if steps > ceilings.MOST_DRAWINGS:
            raise too_much()
        if name[0]:
            self._open.discard(name)
            self._known[name] = steps
        return steps

    def _steps(self, node: pikepdf.Dictionary | pikepdf.Stream) -> int:
        kind = node.get("/FunctionType")
        if kind == 4 and isinstance(node, pikepdf.Stream):
            return sum(len(_OPERATOR.findall(one)) for one in _pieces(node))
        if kind == 3:
            return 1 + self.function(node.get("/Functions"))
        if kind == 0:
            inputs = len(node.get("/Domain", pikepdf.Array())) // 2
            return int(2 ** min(inputs, _MOST_INPUTS))
        return 1

    def colours(self, space: object, depth: int = 0) -> tuple[int, bool]:
        """Give the steps to one colour of a space, and whether it has several parts."""
        if depth > _DEEPEST:
            raise too_much()
        if not isinstance(space, pikepdf.Array) or len(space) < 2:
            return 0, False
        kind = str(space[0])
        if kind in ("/Separation", "/DeviceN") and len(space) > 3:
            several = isinstance(space[1], pikepdf.Array) and len(space[1]) > 1
            return self.function(space[3]) + self.colours(space[2], depth + 1)[0], several
        if kind in ("/Indexed", "/I", "/Pattern"):
            return self.colours(space[1], depth + 1)[0], False
        return 0, False

    def picture(self, space: object, pixels: int) -> int:
        """Give the drawings that the colours of a picture count for: of one part they come from a table."""
        steps, several = self.colours(space)
        return steps * (pixels if several else min(pixels, _SAMPLES)) // ceilings.STEPS_A_DRAWING

    def shading(self, node: pikepdf.Object, space: object) -> int:
        """Give the drawings that one use of a shading counts for; of a function, one for every point.

        `space` is its colour space, found by its name where it has one.
        """
        if not isinstance(node, (pikepdf.Dictionary, pikepdf.Stream)):
            return 1
        steps = self.function(node.get("/Function")) + self.colours(space)[0]
        kind = node.get("/ShadingType")
        if kind == _BY_FUNCTION:
            return 1 + MOST_PIXELS * steps // ceilings.STEPS_A_DRAWING
        if kind in _ALONG_A_LINE or not isinstance(node, pikepdf.Stream):
            return 1 + _SAMPLES * steps // ceilings.STEPS_A_DRAWING
        size = sum(map(len, _pieces(node)))
        vertices = size // _LEAST_VERTEX
        return 1 + size // ceilings.MESH_A_DRAWING + vertices * steps // ceilings.STEPS_A_DRAWING

    def transfer(self, state: pikepdf.Dictionary) -> int:
        """Give the drawings that the transfer functions of a graphics state, or a soft mask, count for."""
        steps = sum(self.function(state.get(key)) for key in ("/TR", "/TR2"))
        return _SAMPLES * steps // ceilings.STEPS_A_DRAWING


def _pieces(node: pikepdf.Stream) -> list[bytes]:
    unpacked = Tally().unpacked(node.read_raw_bytes(), filters_of(node), ceilings.STREAM_INFLATED)
    return [b"".join(unpacked)]
