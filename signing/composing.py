"""A result as a page: fields and a template of ours make a PDF/A-2b file, the same bytes each time."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources import as_file, files

import typst

from signing.errors import ComposingFailed
from signing.place import Place
from signing.template_fields import MOST_ITEMS, TEMPLATES, Fields

_LONGEST = 500  # characters of one field; a body of free text has its own bound
_LONGEST_BODY = 20_000
_A4_HEIGHT = 841.89  # points; every template with room for a seal is on A4
_LARGEST_DRAWING = 100_000
_LARGEST_PICTURE = 400 * 1024  # bytes


def fields_of(template: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of the required and of the optional fields; ComposingFailed for no such template."""
    known = _known(template)
    return known.required, known.optional


@dataclass(frozen=True)
class Composed:
    """A composed file, and the room that its template leaves for the seal (None where there is none)."""

    content: bytes
    place: Place | None


def compose(template: str, fields: Mapping[str, object], *, at: datetime) -> bytes:
    """Return a PDF/A-2b file that ends with a newline; same input, same bytes.

    Strings are put in NFC; dates are `date` objects or ISO 8601 strings ("2006-03-14"), shown dd/mm/yyyy;
    an optional field that is None or blank is left out. `at` (aware) becomes the file's date. Raises
    ComposingFailed, with `field` when one is missing, unknown, too long or of the wrong kind.
    """
    return compose_result(template, fields, at=at).content


def compose_result(
    template: str, fields: Mapping[str, object], *, at: datetime, seal_height: float = 0
) -> Composed:
    """Compose as `compose` does, and tell where the seal may stand without covering any text.

    `seal_height` (points) is what the seal needs, where that is more than the template's own room.
    """
    content = _checked(_known(template), fields)
    content["seal_height"] = seal_height
    moment = at.astimezone(UTC)
    content["composed_at"] = {
        "year": moment.year,
        "month": moment.month,
        "day": moment.day,
        "hour": moment.hour,
        "minute": moment.minute,
        "second": moment.second,
    }
    try:
        with as_file(files("signing").joinpath("templates")) as folder:
            compiler = typst.Compiler(
                folder / f"{template}.typ",
                root=folder,
                ignore_system_fonts=True,
                sys_inputs={"fields": json.dumps(content, ensure_ascii=False, sort_keys=True)},
            )
            made = compiler.compile(format="pdf", pdf_standards=["a-2b"], timestamp=int(moment.timestamp()))
            rooms = json.loads(compiler.query("<seal-place>", field="value"))
    except typst.TypstError as error:
        raise ComposingFailed(f"the template {template} could not be set: {error.message}") from error
    if not isinstance(made, bytes):
        raise ComposingFailed(f"the template {template} gave no page")
    # What is appended by sealing must start on a line of its own (PDF/A, ISO 19005-2, 6.1.9).
    return Composed(made if made.endswith(b"\n") else made + b"\n", _place(rooms))


def _place(rooms: list[dict[str, float]]) -> Place | None:
    """Read the room that a template left: typst measures from the top, PDF from the bottom."""
    if not rooms:
        return None
    room = rooms[0]
    left, top = room["left"], _A4_HEIGHT - room["top"]
    return Place(
        int(room["page"]) - 1,
        (round(left), round(top - room["height"]), round(left + room["width"]), round(top)),
    )


def _known(template: str) -> Fields:
    known = TEMPLATES.get(template)
    if known is None:
        raise ComposingFailed(f"there is no template named {template[:60]!r}")
    return known


def _checked(known: Fields, fields: Mapping[str, object], within: str = "") -> dict[str, object]:
    """Check the fields of a template, or of one item of a list (`within` it, as in "changes.0.")."""
    for name in fields:
        if name not in known.names:
            raise ComposingFailed(f"the template has no field {name[:60]!r}", field=within + name)
    content: dict[str, object] = {}
    for name in sorted(known.names):
        given, place = fields.get(name), within + name
        if given is None or given == [] or (isinstance(given, str) and not given.strip()):
            if name in known.required:
                raise ComposingFailed(f"the field {place} is missing", field=place)
        elif name in known.flags:
            content[name] = _flag(place, given)
        elif name in known.drawings:
            content[name] = _drawing(place, given)
        elif name in known.pictures:
            content[name] = _picture(place, given)
        elif name in known.dates:
            content[name] = _date(place, given)
        elif name in known.lists:
            content[name] = _list(known.lists[name], place, given)
        else:
            content[name] = _text(place, given)
    return content


def _list(known: Fields, name: str, given: object) -> list[dict[str, object]]:
    if not isinstance(given, list) or not all(isinstance(item, Mapping) for item in given):
        raise ComposingFailed(f"the field {name} must be a list of objects", field=name)
    if len(given) > MOST_ITEMS:
        raise ComposingFailed(f"the field {name} has too many items", field=name)
    return [_checked(known, item, f"{name}.{place}.") for place, item in enumerate(given)]


def _flag(name: str, given: object) -> bool:
    if not isinstance(given, bool):
        raise ComposingFailed(f"the field {name} must be true or false", field=name)
    return given


def _drawing(name: str, given: object) -> str:
    if not isinstance(given, str) or not given.startswith("<svg") or len(given) > _LARGEST_DRAWING:
        raise ComposingFailed(f"the field {name} must be a drawing in SVG", field=name)
    return given


def _picture(name: str, given: object) -> list[int]:
    """Give the bytes of a PNG as JSON can carry them."""
    if not isinstance(given, bytes) or not given.startswith(b"\x89PNG") or len(given) > _LARGEST_PICTURE:
        raise ComposingFailed(f"the field {name} must be a picture in PNG", field=name)
    return list(given)


def _date(name: str, given: object) -> str:
    if isinstance(given, date) and not isinstance(given, datetime):
        return given.isoformat()
    try:
        return date.fromisoformat(str(given)).isoformat()
    except ValueError as error:
        raise ComposingFailed(f"the field {name} must be a date such as 2006-03-14", field=name) from error


def _text(name: str, given: object) -> str:
    if not isinstance(given, str):
        raise ComposingFailed(f"the field {name} must be text", field=name)
    text = unicodedata.normalize("NFC", given).strip()
    if len(text) > (_LONGEST_BODY if name == "body" else _LONGEST):
        raise ComposingFailed(f"the field {name} is too long", field=name)
    allowed = "\n" if name == "body" else ""
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Co") and letter not in allowed for letter in text):
        raise ComposingFailed(f"the field {name} holds control characters", field=name)
    return text
