"""What is sent to a web hook: a CloudEvents 1.0 document (structured mode, JSON), and what describes it.

Ids and codes alone: no name, no title, no number of a person. The receiver asks the API for more, as itself.
"""

from typing import Any

from signing.canonical import canonical
from vault.hook_queue import CHALLENGE, TOPICS, Event
from vault.services import Vault

SCHEMA_PATH = "/.well-known/webhook-events.json"
TYPES = {one: f"kho.{one}.v1" for one in (*TOPICS, CHALLENGE)}
_IDS = ("notice", "record", "dossier", "consent", "release", "webhook", "reason", "code", "until")
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "The data of an event that Kho tells a web hook",
    "type": "object",
    "properties": {
        **{one: {"type": "string"} for one in _IDS},
        "index": {"type": "integer", "description": "The entry of the log that says what happened"},
    },
    "additionalProperties": False,
}


def document(vault: Vault, event: Event) -> bytes:
    """Compose an event: the same bytes at every try."""
    issuer = vault.gate.issuer
    return canonical(
        {
            "specversion": "1.0",
            "id": event.id,
            "source": issuer,
            "type": TYPES[event.type],
            "subject": event.subject,
            "time": event.at.isoformat().replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "dataschema": issuer + SCHEMA_PATH,
            "traceparent": event.trace,
            "data": event.data,
        }
    )
