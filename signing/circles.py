"""Trees that lead back into themselves: a reader that follows them never comes to an end."""

from collections.abc import Iterator

import pikepdf

from signing.active_content import Container
from signing.errors import FileRefused

_DOWN = (
    "/Kids",
    "/First",
    "/Next",
)  # pages, fields, names (ISO 32000-2, 7.7 to 7.9, 12.7); outlines; actions
Name = tuple[int, int]


class Circles:
    """Gathers what leads downwards from where in one document."""

    def __init__(self) -> None:
        self._down: dict[Name, list[Name]] = {}

    def look(self, node: Container) -> None:
        """Remember where one dictionary leads; raises FileRefused where it is above itself."""
        if not node.is_indirect:
            return
        below = [one.objgen for key in _DOWN if key in node for one in _items(node[key]) if one.is_indirect]
        if below:
            self._down[node.objgen] = below
        parent = node.get("/Parent")
        if isinstance(parent, pikepdf.Dictionary) and parent.objgen == node.objgen:
            raise FileRefused("too_complex", found=("circle",))

    def check(self) -> None:
        """Raise FileRefused where what leads downwards comes back."""
        done: set[Name] = set()
        for start in self._down:
            open_: dict[Name, Iterator[Name]] = {}
            node: Name | None = start if start not in done else None
            while node is not None:
                below = open_.setdefault(node, iter(self._down.get(node, ())))
                child = next((one for one in below if one not in done), None)
                if child is None:
                    done.add(node)
                    del open_[node]
                elif child in open_:
                    raise FileRefused("too_complex", found=("circle",))
                node = child if child is not None else next(reversed(open_), None)


def _items(value: object) -> list[pikepdf.Object]:
    values = list(value) if isinstance(value, pikepdf.Array) else [value]
    return [one for one in values if isinstance(one, (pikepdf.Dictionary, pikepdf.Array))]
