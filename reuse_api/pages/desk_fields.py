"""How the fields of a result's template stand in a form: in groups, in the order of the paper."""

from dataclasses import dataclass

from signing.template_fields import TEMPLATES, Fields

# Fields of one person of the paper begin with that person's part.
_PARTS = ("owner", "holder", "second_holder", "wife", "husband", "mother", "father")
_SIGNING = ("issued_place", "issuer_name", "issuer_title", "signer")


def _listed(names: str) -> tuple[str, ...]:
    return tuple(names.split())


_ORDER = _listed(
    "number book_number register_number change_number changed_on title change_kind changed_paper tax_code "
    "enterprise_name enterprise_name_foreign enterprise_name_short head_office phone email capital "
    "capital_words full_name name birth_date birth_date_words birth_year sex ethnicity nationality "
    "personal_number birth_place home_town residence address subject_name subject_number parcel_number "
    "map_sheet_number parcel_address area land_purpose use_form use_term use_origin assets notes body ground "
    "reregistered registered_at registered_on first_registered_on issued_on issued_place issuer_name "
    "issuer_title signer noted_on item from to content noted_by"
)
_LONG = frozenset({"body", "use_origin", "assets", "notes"})


@dataclass(frozen=True)
class Shown:
    """One field of the form: `name` in the template, `label` the key of its words."""

    name: str
    label: str
    kind: str  # text | long | date | flag
    required: bool


@dataclass(frozen=True)
class Group:
    """Fields that stand together: the paper's own, one person's, the signing ones; `key` is of its words."""

    key: str
    fields: tuple[Shown, ...]


@dataclass(frozen=True)
class Table:
    """A list of the paper: the fields of each of its rows."""

    name: str
    required: bool
    fields: tuple[Shown, ...]


def groups_of(template: str) -> tuple[Group, ...]:
    """Give the fields of a template in groups, without its lists."""
    known = TEMPLATES[template]
    found: dict[str, list[Shown]] = {"paper": [], **{part: [] for part in _PARTS}, "signing": []}
    for name in sorted(known.names - known.lists.keys(), key=_place):
        found[_group(name)].append(_shown(known, name))
    return tuple(Group(key, tuple(fields)) for key, fields in found.items() if fields)


def tables_of(template: str) -> tuple[Table, ...]:
    """Give the lists of a template."""
    known = TEMPLATES[template]
    return tuple(
        Table(
            name, name in known.required, tuple(_shown(rows, one) for one in sorted(rows.names, key=_place))
        )
        for name, rows in sorted(known.lists.items())
    )


def part_of(name: str) -> tuple[str, str] | None:
    """Split a field of one person into part and field: mother_name into mother and name."""
    for part in _PARTS:
        if name.startswith(f"{part}_"):
            return part, name.removeprefix(f"{part}_")
    return None


def _group(name: str) -> str:
    part = part_of(name)
    return part[0] if part is not None else "signing" if name in _SIGNING else "paper"


def _shown(known: Fields, name: str) -> Shown:
    kind = "date" if name in known.dates else "flag" if name in known.flags else "text"
    return Shown(
        name=name,
        label=_base(name),
        kind="long" if name in _LONG else kind,
        required=name in known.required and name not in known.flags,
    )


def _base(name: str) -> str:
    part = part_of(name)
    return part[1] if part is not None else name


def _place(name: str) -> tuple[int, str]:
    base = _base(name)
    return (_ORDER.index(base) if base in _ORDER else len(_ORDER), name)
