"""The tables of web hooks: who is told where, what is still to be told, the public keys that it is signed by.

Declared beside those of `vault/tables.py`. Times are UTC text in ISO 8601 with microseconds.
"""

from sqlalchemy import Column, ForeignKey, Index, UniqueConstraint

from vault.columns import Number, binary, maybe, number, table, text

PENDING, ACTIVE, PAUSED, ENDED = "pending", "active", "paused", "ended"

webhook = table(
    "webhook",
    text("id", primary_key=True),
    text("system", ForeignKey("system.id")),
    text("agency", ForeignKey("agency.id")),
    text("url"),
    text("topics"),  # what is told, as a JSON list
    text("state"),  # PENDING | ACTIVE | PAUSED (what is to be told waits) | ENDED
    maybe("reason"),  # why it ended: taken_back | receiver_gone | restored | system_ended
    maybe("code"),  # what was sent to the address, to be handed in by the system; absent once it was
    text("answer_until"),
    text("created_at"),
    maybe("confirmed_at"),
    maybe("ended_at"),
    number("failures"),  # in a row, of whatever was sent
    text("next_at"),  # nothing is sent before
    maybe("leased_until"),  # one worker sends, and until then no other
    maybe("last_ok_at"),
    maybe("last_failure"),  # as a code
    maybe("last_failed_at"),
    Index("ix_webhook_system", "system"),
)

webhook_event = table(
    "webhook_event",
    # The row of the outbox that has it sent: both come and go together.
    Column("n", Number, primary_key=True, autoincrement=False),
    text("id"),  # the same at every try
    text("webhook", ForeignKey("webhook.id")),
    text("type"),
    text("subject"),  # a record, a release, a consent ...
    text("data"),  # ids and codes alone, as a JSON object
    text("at"),
    text("trace"),  # W3C Trace Context of what happened
    UniqueConstraint("id"),
    Index("ix_webhook_event_of", "webhook"),
)

webhook_key = table(
    "webhook_key",
    text("kid", primary_key=True),
    binary("public"),  # Ed25519, 32 bytes
    text("made_at"),
    text("used_from"),  # published before that
    maybe("until"),  # and no longer published after that
)
