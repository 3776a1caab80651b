"""What stands in the audit's filter form: read from an address or a form, and put into an address again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from vault.audit_filters import Filters, check
from vault.errors import FieldInvalid

# `store` is the random id of an owner's store: numbers of persons never stand in an address.
FIELDS = (
    "store",
    "agency",
    "system",
    "officer",
    "procedure",
    "dossier",
    "kind",
    "event",
    "result",
    "reason",
    "since",
    "until",
)
_MAX = 100  # characters of a value


@dataclass(frozen=True)
class Asked:
    """The values typed, by field; empty ones are left out."""

    typed: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        """Give what stands in a field."""
        return self.typed.get(name, "")

    @property
    def more(self) -> bool:
        """Say whether a filter is set that the form keeps folded away."""
        return any(
            name in self.typed for name in ("agency", "system", "officer", "procedure", "event", "reason")
        )

    def filters(self) -> Filters:
        """Read the filters.

        Raises:
            FieldInvalid: naming the field at fault.
        """
        found = Filters(
            owner=self["store"] or None,
            agency=self["agency"] or None,
            system=self["system"] or None,
            officer=self["officer"] or None,
            procedure=self["procedure"] or None,
            dossier=self["dossier"] or None,
            kind=_kind(self["kind"]),
            event=self["event"] or None,
            result=self["result"] or None,
            reason=self["reason"] or None,
            since=_day("since", self["since"]),
            until=_day("until", self["until"]),
        )
        check(found)
        return found

    def query(self, **more: object) -> str:
        """Give the part of an address that asks the same again."""
        return urlencode({**self.typed, **more})

    def without(self, name: str) -> "Asked":
        """Give the same without one filter."""
        return Asked({key: value for key, value in self.typed.items() if key != name})


def asked(values: Mapping[str, object]) -> Asked:
    """Read the form's fields from a query or a form; what else stands there is passed over."""
    typed = ((name, values.get(name)) for name in FIELDS)
    found = {name: " ".join(value.split()) for name, value in typed if isinstance(value, str)}
    return Asked({name: value[: _MAX + 1] for name, value in found.items() if value})


def _day(name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FieldInvalid(name, "date_malformed") from None


def _kind(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise FieldInvalid("kind", "value_unknown")
    return int(text)
