"""What a worker measured of a scan, as plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class MeasuredPage:
    """What was measured of one page.

    Millimetres as seen; `dpi` the least of its pictures' axes; `colour` rgb, cmyk, grey, bitonal, unknown or
    none; `covered`, `ink`, `dark` shares from 0 to 1; `skew` degrees clockwise, None where nothing tells;
    `scaled` whether its size is the paper's own; `others` how many things it shows that are no pictures;
    `tones` how many colours it has in all, 3 for more than two, None where it is stored with loss.
    """

    width_mm: float
    height_mm: float
    dpi: float
    colour: str
    covered: float
    ink: float
    dark: float
    tinted: bool
    skew: float | None
    scaled: bool
    others: int
    tones: int | None


@dataclass(frozen=True)
class MeasuredScan:
    """What was measured of a scan; `version` only of a PDF."""

    media_type: str
    version: str | None
    pages: tuple[MeasuredPage, ...]

    def to_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return {**asdict(self), "pages": [asdict(page) for page in self.pages]}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "MeasuredScan":
        """Read what `to_json` gave. Raises KeyError, TypeError or ValueError."""
        pages = tuple(MeasuredPage(**page) for page in told["pages"])
        return cls(str(told["media_type"]), told["version"], pages)


@dataclass(frozen=True)
class Measurement:
    """What is called a scan: SHA-256 and size in bytes, and what was measured, or why nothing was.

    `refusal` is a code: of `RefusalCode`, or worker_timeout, worker_memory, worker_crashed.
    """

    sha256: bytes
    size: int
    measured: MeasuredScan | None
    refusal: str | None
