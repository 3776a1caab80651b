"""The form of an edit as it was typed: kept whatever is wrong with it, and made into what the door takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.datastructures import FormData

from reuse_api.pages.forms import one

KEEP = "keep"  # leave as it was read
NONE = "none"  # without a condition; a paper of its own


@dataclass(frozen=True)
class TypedEdit:
    """What stood in the form; `row` is the place of the row that it is about, "" for a line to add."""

    row: str = ""
    component: str = ""
    case: str = ""
    act: str = "overrule"
    kind: str = KEEP
    name_vi: str = ""
    name_en: str = ""
    condition: str = KEEP
    condition_key: str = ""
    condition_vi: str = ""
    condition_en: str = ""
    alternative: str = KEEP
    alternative_key: str = ""
    valid_from: str = ""
    valid_until: str = ""
    reason: str = ""
    legal_reference: str = ""

    @classmethod
    def read(cls, form: FormData) -> "TypedEdit":
        """Read the form that was sent."""
        return cls(**{name: one(form, name) for name in cls.__dataclass_fields__})

    @classmethod
    def fresh(cls, row: str, component: str, case: str | None, today: date) -> "TypedEdit":
        """Begin with a row, or with a line to add, from today on."""
        act = "overrule" if row else "add"
        kind = KEEP if row else "document"
        return cls(
            row=row, component=component, case=case or "", act=act, kind=kind, valid_from=today.isoformat()
        )

    def body(self, procedure: str) -> dict[str, Any]:
        """Give the edit as the door takes it; what was left blank is left out."""
        body: dict[str, Any] = {
            "procedure": procedure,
            "case": self.case,
            "component": self.component,
            "act": self.act,
            "valid_from": self.valid_from,
            "valid_until": self.valid_until,
            "reason": self.reason,
            "legal_reference": self.legal_reference,
        }
        body = {key: value for key, value in body.items() if value}
        if self.act != "remove":
            body |= self._change()
        if self.act == "add":
            body["originals"] = 1
        return body

    def _change(self) -> dict[str, Any]:
        body: dict[str, Any] = {}
        if self.kind != KEEP:
            body["kind"] = self.kind
        if self.name_vi or self.name_en:
            body["name"] = _words(self.name_vi, self.name_en)
        if self.condition_key:
            body["condition"] = self.condition_key
            if self.condition_vi or self.condition_en:
                body["condition_name"] = _words(self.condition_vi, self.condition_en)
        elif self.condition != KEEP:
            body["condition"] = "" if self.condition == NONE else self.condition
        if self.alternative_key:
            body["alternative"] = self.alternative_key
        elif self.alternative != KEEP:
            body["alternative"] = "" if self.alternative == NONE else self.alternative
        return body


def field_of(path: str) -> str:
    """Give the field of the form that a path in the body came from; "form" for none of its own."""
    return _FIELDS.get(path, path if path in TypedEdit.__dataclass_fields__ else "form")


_FIELDS: Mapping[str, str] = {
    "name": "name_vi",
    "name.vi": "name_vi",
    "name.en": "name_en",
    "condition_name": "condition_vi",
    "condition_name.vi": "condition_vi",
    "condition_name.en": "condition_en",
    "change": "kind",
}


def _words(vi: str, en: str) -> dict[str, str]:
    return {key: value for key, value in (("vi", vi), ("en", en)) if value}
