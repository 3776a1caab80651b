"""Where on a document something stands."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A page (from 0) and a box on it: left, bottom, right, top in whole points, from the lower left."""

    page: int
    box: tuple[int, int, int, int]

    @property
    def width(self) -> int:
        """In points."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        """In points."""
        return self.box[3] - self.box[1]
