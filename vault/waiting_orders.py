"""What waits, read back from its JSON as the operation was asked it (`waiting_seals.Order.body`)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from vault.digitise import ScanBody
from vault.issue import ResultBody
from vault.issue_record import RecordBody, RecordOwner


def result(said: Mapping[str, Any]) -> ResultBody:
    """Give a result of a dossier."""
    return ResultBody(
        type=said["type"],
        owner_roles=tuple(said["owner_roles"]),
        fields=said.get("fields"),
        title=said.get("title"),
        number=said.get("number"),
        issued_on=_day(said.get("issued_on")),
        valid_until=_day(said.get("valid_until")),
        replaces=tuple(said["replaces"]),
    )


def record(said: Mapping[str, Any]) -> RecordBody:
    """Give a record outside any dossier."""
    return RecordBody(
        type=said["type"],
        owners=tuple(
            RecordOwner(**{**each, "born_on": _day(each.get("born_on"))}) for each in said["owners"]
        ),
        fields=said.get("fields"),
        title=said.get("title"),
        number=said.get("number"),
        issued_on=_day(said.get("issued_on")),
        valid_until=_day(said.get("valid_until")),
        replaces=tuple(said["replaces"]),
    )


def scan(said: Mapping[str, Any]) -> ScanBody:
    """Give what an officer said of a scan."""
    return ScanBody(
        type=said["type"],
        owner_roles=tuple(said["owner_roles"]),
        title=said.get("title"),
        number=said.get("number"),
        issued_on=_day(said.get("issued_on")),
        issuer_name=said.get("issuer_name"),
        reason=said.get("reason"),
        explanation=said.get("explanation"),
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
