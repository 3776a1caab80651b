"""What stood in the form of a result: fields of a template or what is said of a file, kept as typed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from reuse_api.pages.desk_fields import Group, Shown, Table, part_of
from signing.template_fields import MOST_ITEMS
from vault.progress import Party

_LONGEST = {"text": 500, "long": 20_000}  # characters
Item = Mapping[str, str]
OF_FILE = ("title", "number", "issued_on")


@dataclass(frozen=True)
class TypedResult:
    """The whole form; of a flag the text is "on" or nothing."""

    type: str
    roles: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    valid_until: str = ""
    replaces: tuple[str, ...] = ()

    @classmethod
    def read(cls, sent: Mapping[str, str], type: str, tables: Sequence[Table]) -> "TypedResult":
        """Read the form from its text fields, each sent once: ticked boxes have names of their own."""
        return cls(
            type=type,
            roles=_ending(sent, "role-"),
            fields={name.removeprefix("f-"): text for name, text in sent.items() if name.startswith("f-")},
            items={table.name: _items(sent, table) for table in tables},
            valid_until=sent.get("valid_until", ""),
            replaces=_ending(sent, "replaces-"),
        )

    def with_item(self, table: str) -> "TypedResult":
        """Give the form with one row more in a list, as long as there may be more."""
        rows = (*self.items.get(table, ()), {})[:MOST_ITEMS]
        return replace(self, items={**self.items, table: rows})

    def body(self, groups: Sequence[Group]) -> dict[str, Any]:
        """Give the form as the body that a system would send, its fields those of the groups."""
        shown = [one for group in groups for one in group.fields]
        texts = {one.name: self.fields.get(one.name, "") for one in shown if one.kind != "flag"}
        flags = {one.name: bool(self.fields.get(one.name)) for one in shown if one.kind == "flag"}
        filled = {name: text for name, text in texts.items() if text}
        lists = {name: [dict(one) for one in _filled(rows)] for name, rows in self.items.items()}
        return self._about() | {
            "fields": filled | flags | {name: rows for name, rows in lists.items() if rows}
        }

    def body_of_file(self) -> dict[str, Any]:
        """Give what the form says of a file as the body that comes with it."""
        said = {name: self.fields.get(name, "") for name in OF_FILE}
        return self._about() | {name: text for name, text in said.items() if text}

    def _about(self) -> dict[str, Any]:
        about: dict[str, Any] = {"type": self.type, "owner_roles": list(self.roles)}
        about["replaces"] = list(self.replaces)
        return about | ({"valid_until": self.valid_until} if self.valid_until else {})

    def faults(self, groups: Sequence[Group], tables: Sequence[Table]) -> dict[str, str]:
        """Find what is missing, too long or no date, by the names that the fields have in the form."""
        found: dict[str, str] = {} if self.roles else {"roles": "owners_missing"}
        for one in (one for group in groups for one in group.fields):
            found |= _fault(f"f-{one.name}", one, self.fields.get(one.name, ""))
        for table in tables:
            rows = self.items.get(table.name, ())
            if table.required and not _filled(rows):
                found[f"l-{table.name}"] = "field_missing"
            for number, row in enumerate(rows):
                for one in table.fields if any(row.values()) else ():
                    found |= _fault(f"l-{table.name}-{number}-{one.name}", one, row.get(one.name, ""))
        return found


def prefilled(
    type: str,
    groups: Sequence[Group],
    tables: Sequence[Table],
    parties: Sequence[Party],
    owner_roles: Collection[str],
    *,
    agency: str,
    today: date,
) -> TypedResult:
    """Give the form as far as the dossier knows it: the persons, the agency, the day."""
    named = {one.role: one for one in parties}
    owners = [role for role in named if role in owner_roles] or [
        role for role in named if role == "applicant"
    ]
    subject = named[owners[0]] if owners else None
    known: dict[str, str] = {
        "issuer_name": agency,
        "registered_at": agency,
        "registered_on": today.isoformat(),
        "issued_on": today.isoformat(),
        "first_registered_on": today.isoformat(),
        "nationality": "Việt Nam",
    }
    if subject is not None:
        known |= {"full_name": subject.name, "enterprise_name": subject.name} | _numbers(subject)
    fields = {}
    for one in (one for group in groups for one in group.fields):
        part = part_of(one.name)
        if part is None:
            fields[one.name] = known.get(one.name, "")
        else:
            person = named.get(part[0]) or (subject if part[0] == "holder" else None)
            fields[one.name] = _of_person(person, part[1]) if person is not None else ""
    items: dict[str, tuple[Item, ...]] = {table.name: ({},) for table in tables}
    return TypedResult(type, tuple(owners), fields, items)


def _of_person(one: Party, name: str) -> str:
    known = {"name": one.name, "nationality": "Việt Nam", "birth_year": _iso(one)[:4]}
    return (known | _numbers(one)).get(name, "")


def _numbers(one: Party) -> dict[str, str]:
    return {one.scheme: one.number, "birth_date": _iso(one)}


def _iso(one: Party) -> str:
    return one.born_on.isoformat() if one.born_on is not None else ""


def _fault(place: str, one: Shown, text: str) -> dict[str, str]:
    if not text:
        return {place: "field_missing"} if one.required else {}
    if one.kind == "date" and not _is_day(text):
        return {place: "date_malformed"}
    return {place: "too_long"} if len(text) > _LONGEST.get(one.kind, 500) else {}


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _filled(rows: Sequence[Item]) -> list[Item]:
    return [{name: text for name, text in row.items() if text} for row in rows if any(row.values())]


def _items(sent: Mapping[str, str], table: Table) -> tuple[Item, ...]:
    rows: list[Item] = []
    for number in range(MOST_ITEMS):
        row = {one.name: sent.get(f"l-{table.name}-{number}-{one.name}") for one in table.fields}
        if any(text is not None for text in row.values()):
            rows.append({name: text or "" for name, text in row.items()})
    return tuple(rows) or ({},)


def _ending(sent: Mapping[str, str], beginning: str) -> tuple[str, ...]:
    return tuple(name.removeprefix(beginning) for name in sent if name.startswith(beginning))
