# mypy: allow-untyped-calls
"""How a seal looks on the page: a page of its own, taken over as it is (Nghị định 30/2020, Phụ lục I, II).

pyHanko's own text stamp spaces Vietnamese wrongly and wraps nothing; this one is set as documents are.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils.content import AnnotAppearances
from pyhanko.pdf_utils.generic import DictionaryObject
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.stamp import BaseStampStyle

from signing.composing import compose
from signing.errors import ComposingFailed
from signing.place import Place
from signing.seal_image import SealImage

_VIETNAM = timezone(timedelta(hours=7))


@dataclass(frozen=True)
class Appearance:
    """A drawn page (PDF, of the size of the place) and where it is shown."""

    page: bytes
    place: Place


MARGIN = 3.0  # points of a place that the drawing leaves blank, both edges together
_TEXT_BESIDE = 80.0  # points, at the least


def draw_seal(agency: str, at: datetime, place: Place, image: SealImage | None = None) -> Appearance:
    """Draw what a seal says of itself: the agency's full name, and the time (ISO 8601) in Viet Nam's zone.

    `image`, the picture of its round seal, stands beside that in its real size; `place` must have the room.

    `agency` wraps, and shrinks to 5 pt where it is long; what does not fit then ends in an ellipsis, and
    stands whole in the signature's dictionary. Raises ComposingFailed.
    """
    fields: dict[str, object] = {
        "agency": agency,
        "signed_at": at.astimezone(_VIETNAM).isoformat(timespec="seconds"),
        "width": str(place.width),
        "height": str(place.height),
    }
    if image is not None:
        if image.height > place.height - MARGIN or image.width > place.width - MARGIN - _TEXT_BESIDE:
            raise ComposingFailed("the picture of the seal does not fit the room that is left for it")
        fields |= {
            "picture": image.png,
            "picture_width": str(image.width),
            "picture_height": str(image.height),
        }
    return Appearance(compose("seal_appearance", fields, at=at), place)


class ImportedPage(BaseStampStyle):
    """What pyHanko asks for an appearance: gives the drawn page, fonts and all, as one form."""

    def __init__(self, drawn: Appearance) -> None:
        super().__init__()
        object.__setattr__(self, "_drawn", drawn)  # its base is a frozen dataclass

    def create_stamp(self, writer: BasePdfFileWriter, box: Any, text_params: Any) -> Any:
        """Take the page over into the document."""
        return _Stamp(writer, self._drawn)  # type: ignore[attr-defined]


class _Stamp:
    def __init__(self, writer: BasePdfFileWriter, drawn: Appearance) -> None:
        self._writer = writer
        self._drawn = drawn

    def apply_appearance(self, annotation: DictionaryObject) -> None:
        reader = PdfFileReader(BytesIO(self._drawn.page), strict=True)
        form = self._writer.import_page_as_xobject(reader, page_ix=0)
        annotation["/AP"] = AnnotAppearances(normal=form).as_pdf_object()
