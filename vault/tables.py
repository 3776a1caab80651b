"""Every table of the vault. Migrations agree with this file; a test holds it.

Times are UTC text in ISO 8601 with microseconds, so that both databases order and compare them alike.
"""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
)

from vault.columns import Number
from vault.columns import binary as _bytes
from vault.columns import maybe as _maybe
from vault.columns import number as _number
from vault.columns import table as _table
from vault.columns import text as _text

# The log ------------------------------------------------------------------------------------------------

log_head = _table("log_head", _number("id", primary_key=True), _number("size"))

log_entry = _table(
    "log_entry",
    Column("idx", Number, primary_key=True, autoincrement=False),
    _number("kind"),
    _bytes("leaf"),
    _bytes("leaf_hash"),
    _bytes("body"),
    _bytes("body_sha256"),  # of the sealed body, so that `inspect` finds a changed one without a key
    _number("body_version"),
    _text("at"),
)

entry_holder = _table(
    "entry_holder",
    Column("idx", Number, ForeignKey("log_entry.idx"), primary_key=True),
    _text("holder_kind", primary_key=True),  # owner | agency | vault
    _text("holder", primary_key=True),
    _bytes("sealed_seed"),
    _bytes("seed_sha256"),  # of the sealed seed
    Index("ix_entry_holder_of", "holder_kind", "holder", "idx"),
)

log_origin = _table(
    "log_origin",  # under which names the log was signed: the first, and one more where its end was lost
    Column("n", Number, primary_key=True, autoincrement=False),
    _text("name"),  # of the log key, which is the origin of its checkpoints
    _text("key_line"),  # by which its checkpoints and receipts are verified
    _text("since"),
    _number("first"),  # how many entries there were when it was opened
    _bytes("root"),  # of these
    Column(
        "old_size", Number, nullable=True
    ),  # the newest head known of the origin before; absent: the first
    Column("old_root", LargeBinary, nullable=True),
    _maybe("backup"),  # SHA-256 of the manifest that was restored, hexadecimal
    Column("idx", Number, nullable=True),  # the entry that names that head; absent until it is written
    _maybe("opening"),  # of that entry, for everybody, as JSON
)

vault_standing = _table(
    "vault_standing",  # no row: it is served here
    Column("id", Number, primary_key=True, autoincrement=False),
    _text("state"),  # restoring | arriving | moving | moved
    _text("peer"),  # the place it is moved to or comes from, or the backup; shows no password
    _text("at"),
)

receipt = _table(
    "receipt",
    _text("id", primary_key=True),
    Column("idx", Number, ForeignKey("log_entry.idx"), nullable=False, unique=True),
    _text("caller_kind"),  # system | owner | staff | vault
    _text("caller"),
)

request = _table(
    "request",
    _text("caller", primary_key=True),
    _text("key", primary_key=True),
    _bytes("body_hash"),
    _text("answer"),
    _text("at"),
)

epoch = _table(
    "epoch",
    _text("kind", primary_key=True),  # owner | dossier | agency | book
    _text("id", primary_key=True),
    _number("n"),
)

key_pair = _table(
    "key_pair",
    _text("kind", primary_key=True),  # owner | agency | vault
    _text("id", primary_key=True),
    _text("purpose", primary_key=True),  # log | content
    _bytes("public"),
    Column("wrapped_private", LargeBinary, nullable=True),  # absent once the key is erased
)

# Who ----------------------------------------------------------------------------------------------------

owner = _table(
    "owner",
    _text("id", primary_key=True),
    _text("kind"),  # person | organisation
    _text("name"),
    _maybe("born_on"),
    _text("created_at"),
)

owner_identifier = _table(
    "owner_identifier",
    _text("scheme", primary_key=True),
    _text("value", primary_key=True),
    _text("owner", ForeignKey("owner.id")),
    _maybe("valid_from"),
    _maybe("valid_until"),
    _text("checked_by"),
    Index("ix_owner_identifier_owner", "owner"),
)

agency = _table(
    "agency",
    _text("id", primary_key=True),
    _text("name_vi"),
    _text("name_en"),
    Column("live", Boolean, nullable=False),
    _text("created_at"),
)

agency_code = _table(
    "agency_code",
    _text("agency", ForeignKey("agency.id"), primary_key=True),
    _text("code", primary_key=True),
    _text("valid_from", primary_key=True),
    _maybe("valid_until"),
)

agency_right = _table(
    "agency_right",
    _text("agency", ForeignKey("agency.id"), primary_key=True),
    _text("right", primary_key=True),  # process | issue | succeed | consent
    _text("object", primary_key=True),  # a procedure, a record type, a predecessor agency, a purpose
    _text("valid_from", primary_key=True),
    _maybe("valid_until"),
)

system = _table(
    "system",
    _text("id", primary_key=True),
    _text("agency", ForeignKey("agency.id")),
    _text("name"),
    Column("live", Boolean, nullable=False),
)

system_key = _table(
    "system_key",
    _text("system", ForeignKey("system.id"), primary_key=True),
    _text("thumbprint", primary_key=True),
    _text("jwk"),
    _text("valid_from"),
    _maybe("valid_until"),
)

officer = _table(
    "officer",
    _text("agency", ForeignKey("agency.id"), primary_key=True),
    _text("id", primary_key=True),
    _text("name"),
    Column("live", Boolean, nullable=False),
)

used_assertion = _table(
    "used_assertion",
    _text("issuer", primary_key=True),
    _text("jti", primary_key=True),
    _text("expires"),
)


def _of_session() -> list[Column[Any]]:
    """Columns of a person's and of an officer's session alike; a code has none of them."""
    return [
        _maybe("id"),  # by which it is listed and ended; no secret
        _maybe("began_at"),
        _maybe("idle_until"),  # moved on while it is used; absent: it has no such end
        _maybe("assurance"),  # basic | high
        _maybe("authenticated_at"),
        _maybe("device"),  # phone | computer
        _maybe("issuer"),  # the provider that proved the person; absent: a code of the demo
        _maybe("subject"),  # at that provider
        _maybe("sid"),  # its own session
        Column("id_token", LargeBinary, nullable=True),  # for signing out there; sealed under the secret
        Column("mark", LargeBinary, nullable=True),  # of the gate, without which it opens nothing
    ]


session = _table(
    "session",
    Column("secret_hash", LargeBinary, primary_key=True),
    _text("kind"),  # code | session
    _text("owner", ForeignKey("owner.id")),
    _text("expires"),
    _maybe("delegation", ForeignKey("delegation.id")),  # for whom the owner acts now, if not for themself
    *_of_session(),
)

officer_role = _table(
    "officer_role",
    _text("agency", primary_key=True),
    _text("officer", primary_key=True),
    _text("role", primary_key=True),  # desk | auditor | administrator
    ForeignKeyConstraint(["agency", "officer"], ["officer.agency", "officer.id"]),
)

staff_session = _table(
    "staff_session",
    Column("secret_hash", LargeBinary, primary_key=True),
    _text("kind"),  # code | session
    _text("agency"),
    _text("officer"),
    _text("role"),
    _text("expires"),
    ForeignKeyConstraint(
        ["agency", "officer", "role"], ["officer_role.agency", "officer_role.officer", "officer_role.role"]
    ),
    *_of_session(),
)

officer_sign_in = _table(  # whom a person of the provider is here; the provider's claims never say it
    "officer_sign_in",
    _text("issuer", primary_key=True),
    _text("subject", primary_key=True),
    _text("agency"),
    _text("officer"),
    ForeignKeyConstraint(["agency", "officer"], ["officer.agency", "officer.id"]),
)

sign_in = _table(  # begun at a provider and come back: none does so twice
    "sign_in",
    Column("state_hash", LargeBinary, primary_key=True),
    _bytes("browser_hash"),  # of the secret in the cookie of the browser that began it
    _text("realm"),  # citizens | staff
    _text("purpose"),  # sign_in | step_up
    _maybe("role"),  # that an officer signs in for
    Column("session_hash", LargeBinary, nullable=True),  # the session that is made stronger, or replaced
    _text("back"),  # the page to go on to
    _text("begun_at"),
    _text("expires"),
)

# What is asked for --------------------------------------------------------------------------------------

procedure = _table(
    "procedure",
    _text("code", primary_key=True),
    _number("version", primary_key=True),
    _text("hash"),
    _text("package"),  # the national row, as it came
    _text("imported_at"),
    _maybe("name"),
    _maybe("policy"),  # hash of the book that it was read with; absent before readings were kept
    _maybe("reading"),  # hash of what its rows were taken for, before edits
)

policy_version = _table(
    "policy_version",
    _text("hash", primary_key=True),
    _text("book"),
    _text("published_at"),
)

row_reading = _table(
    "row_reading",
    _text("procedure", primary_key=True),
    _number("version", primary_key=True),
    _number("place", primary_key=True),  # in the order that rows are shown; lines of edits follow
    _maybe("case_key"),  # absent: a group, whose rows are for every case
    _text("heading"),
    _text("heading_rule"),  # group_heading | case_by_book | case_key_derived
    _text("component"),
    _text("national_code"),
    _text("name"),
    _number("originals"),
    _number("copies"),
    _text("kind"),
    _text("rule"),  # which rule of reading decided it
    _maybe("alternative"),  # rows of one key are one paper, asked for once
    _maybe("condition"),
    _maybe("edit", ForeignKey("catalogue_edit.id")),
    ForeignKeyConstraint(["procedure", "version"], ["procedure.code", "procedure.version"]),
)

catalogue_edit = _table(
    "catalogue_edit",
    _text("id", primary_key=True),
    _text("procedure"),
    _maybe("case_key"),
    _text("component"),
    _text("change"),  # what is decided instead, as JSON
    _text("reason"),
    _text("legal_reference"),
    _text("valid_from"),
    _maybe("valid_until"),
    _maybe("agency"),  # absent: it came with Kho
    _maybe("officer"),
    _number("idx"),
    _text("at"),
    Column("end_idx", Number, nullable=True),  # the entry that gave it its end
    _maybe("end_reason"),
    Index("ix_catalogue_edit_of", "procedure"),
)

# Records ------------------------------------------------------------------------------------------------

record = _table(
    "record",
    _text("id", primary_key=True),
    _text("type"),
    _text("title"),
    _text("source"),  # result | result_file | upload
    _maybe("issuer", ForeignKey("agency.id")),
    _maybe("issuer_name"),
    _maybe("number"),
    _maybe("issued_on"),
    _maybe("valid_until"),
    _text("trust"),
    _text("media_type"),
    Column("pages", Number, nullable=True),  # absent where nobody counted them
    _text("blob"),
    _bytes("content_sha256"),
    _number("content_size"),
    _bytes("sealed_sha256"),
    _number("sealed_size"),
    _maybe("data_blob"),
    Column("data_sha256", LargeBinary, nullable=True),
    Column("data_size", Number, nullable=True),
    Column("data_sealed_sha256", LargeBinary, nullable=True),
    _maybe("signature_blob"),  # of a signature that stands beside the file; absent where none does
    _maybe("signature_type"),
    Column("signature_sha256", LargeBinary, nullable=True),
    Column("signature_size", Number, nullable=True),
    Column("signature_sealed_sha256", LargeBinary, nullable=True),
    Column("signature_sealed_size", Number, nullable=True),
    _maybe("dossier"),
    _maybe("replaced_by"),
    _maybe("subject_born_on"),  # as a birth certificate's own data say it, whoever typed what elsewhere
    _text("created_at"),
    Index("ix_record_content", "content_sha256"),
    Index("ix_record_dossier", "dossier"),
    Index("ix_record_issuer", "issuer", "created_at"),
)

record_owner = _table(
    "record_owner",
    _text("record", ForeignKey("record.id"), primary_key=True),
    _text("owner", ForeignKey("owner.id"), primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=True),  # absent once the key is erased
    _text("document_code"),
    UniqueConstraint("document_code"),
    Index("ix_record_owner_of", "owner"),
)

document_serial = _table(
    "document_serial",
    _text("owner", ForeignKey("owner.id"), primary_key=True),
    _text("type", primary_key=True),
    _number("last"),  # only grows, so a code is never given twice
)

record_relation = _table(
    "record_relation",
    _text("record", ForeignKey("record.id"), primary_key=True),
    _text("field", primary_key=True),
    _bytes("tag"),  # keyed hash of the related person's identifier: comparing needs no opening
)

validity_event = _table(
    "validity_event",
    _text("record", ForeignKey("record.id"), primary_key=True),
    _number("n", primary_key=True),
    _text("state"),
    _text("ground"),
    _text("reason"),
    _text("agency"),
    _text("officer"),
    _number("idx"),
    _text("at"),
)

signature_report = _table(
    "signature_report",
    _text("record", ForeignKey("record.id"), primary_key=True),
    _number("n", primary_key=True),
    _text("verdict"),
    _text("sub_indication"),
    _text("report"),
    _text("at"),
)

damage = _table(
    "damage",
    _text("record", ForeignKey("record.id"), primary_key=True),
    _text("at", primary_key=True),
    _text("part"),
    _number("idx"),
)

# Dossiers and releases ----------------------------------------------------------------------------------

dossier = _table(
    "dossier",
    _text("code", primary_key=True),
    _text("agency", ForeignKey("agency.id")),
    _text("system", ForeignKey("system.id")),
    _text("officer"),
    _text("procedure"),
    _number("procedure_version"),
    _maybe("case_key"),
    _text("additional_cases"),
    _text("conditions"),
    _text("evidence"),
    _maybe("evidence_reference"),
    _text("channel"),
    _text("state"),
    _bytes("body_hash"),
    _text("answer"),
    _text("opened_at"),
    _maybe("closed_at"),
    Index("ix_dossier_of", "agency", "state", "opened_at"),
)

dossier_person = _table(
    "dossier_person",
    _text("dossier", ForeignKey("dossier.code"), primary_key=True),
    _text("role", primary_key=True),
    _text("owner", ForeignKey("owner.id")),
    Column("represented", Boolean, nullable=False),
    _maybe("representation_evidence"),
    Index("ix_dossier_person_of", "owner"),
)

asked_plan = _table(
    "asked_plan",  # the answer an officer's session looks at; shown again, it is not asked again
    _text("dossier", ForeignKey("dossier.code"), primary_key=True),
    Column("token_hash", LargeBinary, primary_key=True),
    _text("epochs"),
    _text("answer"),
    _text("at"),
    Index("ix_asked_plan_at", "at"),
)

confirmation = _table(
    "confirmation",
    Column("idx", Number, ForeignKey("log_entry.idx"), primary_key=True, autoincrement=False),
    _text("dossier", ForeignKey("dossier.code")),
    _text("component"),
    _text("record", ForeignKey("record.id")),
    _text("weaknesses"),  # what the officer looked at and made up for: codes, as a JSON list
    _text("reason"),
    _text("agency"),
    _text("officer"),
    _text("at"),
    Index("ix_confirmation_of", "dossier"),
    Index("ix_confirmation_record", "record"),
)

digitisation = _table(
    "digitisation",
    _text("record", ForeignKey("record.id"), primary_key=True),
    _text("dossier", ForeignKey("dossier.code")),
    _text("component"),
    _text("answered"),  # what the plan had said of the component: none | candidate | satisfied ...
    _maybe("reason"),  # the reason code for scanning in spite of an answer
    _maybe("explanation"),  # that reason in the officer's words
    _bytes("scan_sha256"),  # of the file as it was handed in; the record has that of the marked, signed one
    _number("scan_size"),
    _text("agency"),
    _text("officer"),
    _number("idx"),
    _text("at"),
    Index("ix_digitisation_of", "dossier", "component"),
)

notice = _table(
    "notice",
    _text("id", primary_key=True),
    _text("agency", ForeignKey("agency.id")),
    _maybe("system"),
    _maybe("dossier", ForeignKey("dossier.code")),
    _maybe("record", ForeignKey("record.id")),
    _maybe("consent", ForeignKey("consent.id")),
    _text("event"),  # revoked | replaced | suspended | reinstated | consent_given ...
    _number("idx"),
    _text("at"),
    _maybe("seen_at"),
    _maybe("webhook"),  # that ended: its own system is told
    Index("ix_notice_of", "agency", "at"),
)

release = _table(
    "release",
    _text("id", primary_key=True),
    _maybe("dossier", ForeignKey("dossier.code")),  # absent for a fetch under a consent
    _maybe("component"),
    _maybe("consent", ForeignKey("consent.id")),
    _maybe("until"),  # a fetch under a consent ends by itself
    _text("record", ForeignKey("record.id")),
    _text("system"),
    _text("epochs"),
    Column("counts", Boolean, nullable=False),  # false: released for viewing, counts once confirmed
    Column("idx", Number, ForeignKey("log_entry.idx"), nullable=False),
    _text("at"),
    Index("ix_release_of", "dossier"),
    Index("ix_release_record", "record"),
)

delivery_share = _table(
    "delivery_share",
    _text("release", ForeignKey("release.id"), primary_key=True),
    Column("token_hash", LargeBinary, primary_key=True),
    _text("epochs", primary_key=True),
    Column("idx", Number, ForeignKey("log_entry.idx"), nullable=False),
    _text("until"),
)

# Consents and delegations -------------------------------------------------------------------------------

delegation = _table(
    "delegation",
    _text("id", primary_key=True),
    _text("kind"),  # parent | legal_representative
    _text("represented", ForeignKey("owner.id")),
    _text("representative", ForeignKey("owner.id")),
    _text("evidence", ForeignKey("record.id")),  # the record whose data name the representative
    _text("relation"),  # the field that names them
    _text("valid_from"),
    _maybe("valid_until"),
    _text("state"),  # in_force | ended
    _number("idx"),
    _text("at"),
    Index("ix_delegation_representative", "representative"),
    Index("ix_delegation_represented", "represented"),
)

delegation_event = _table(
    "delegation_event",
    _text("delegation", ForeignKey("delegation.id"), primary_key=True),
    _number("n", primary_key=True),
    _text("state"),
    _text("by"),
    _text("reason"),
    _number("idx"),
    _text("at"),
)

consent = _table(
    "consent",
    _text("id", primary_key=True),
    _text("bundle"),  # consents asked for together; each is given or refused by itself
    _maybe("owner", ForeignKey("owner.id")),  # absent: nobody was asked, and the asker is not told
    _bytes("asked"),  # keyed hash of the identifier that was asked for
    _text("agency", ForeignKey("agency.id")),  # the recipient
    _text("system", ForeignKey("system.id")),
    _text("purpose"),
    _text("reason"),  # in the recipient's words
    _text("types"),  # record types asked for, as a JSON list
    _text("text_vi"),  # the exact texts that are shown
    _text("text_en"),
    _text("valid_from"),  # days in Viet Nam, both included
    _text("valid_until"),
    _text("answer_until"),
    _number("max_reads"),
    _number("used"),
    _text("state"),  # requested | given | refused | lapsed | paused | withdrawn | exhausted
    _text("asked_at"),
    Index("ix_consent_owner", "owner"),
    Index("ix_consent_bundle", "bundle"),
    Index("ix_consent_asked", "agency", "asked"),
)

consent_record = _table(
    "consent_record",
    _text("consent", ForeignKey("consent.id"), primary_key=True),
    _text("record", ForeignKey("record.id"), primary_key=True),
    Column("chosen", Boolean, nullable=False),  # false: asked for; true: the owner agreed to it
)

consent_event = _table(
    "consent_event",
    _text("consent", ForeignKey("consent.id"), primary_key=True),
    _number("n", primary_key=True),
    _text("type"),  # requested | given | refused | paused | resumed | withdrawn ...
    _text("state"),
    _text("by"),  # an owner id, a system id, or the vault
    _maybe("delegation", ForeignKey("delegation.id")),
    Column("displayed", LargeBinary, nullable=True),  # SHA-256 of the text that was shown
    _maybe("language"),
    _maybe("reason"),
    _number("idx"),
    _text("at"),
)

consent_use = _table(
    "consent_use",
    _text("consent", ForeignKey("consent.id"), primary_key=True),
    _number("n", primary_key=True),
    _text("record", ForeignKey("record.id")),
    _text("release", ForeignKey("release.id")),
    _number("idx"),
    _text("at"),
)

# What an auditor may filter by, beside the sealed entries -------------------------------------------------

entry_fact = _table(
    "entry_fact",
    Column("idx", Number, ForeignKey("log_entry.idx"), primary_key=True, autoincrement=False),
    _number("kind"),
    _text("event"),
    _text("result"),
    _text("at"),
    _text("day"),  # in Viet Nam
    _maybe("agency"),
    _maybe("system"),
    _maybe("officer"),
    _maybe("procedure"),
    _maybe("dossier"),
    _maybe("component"),
    _maybe("record"),
    _maybe("basis"),
    _text("reasons"),  # codes, as a JSON list
    Index("ix_entry_fact_day", "day"),
    Index("ix_entry_fact_dossier", "dossier"),
    Index("ix_entry_fact_agency", "agency", "idx"),
)

# What is still to be done elsewhere: in order for each subject, at least once (vault/outbox.py) -----------

outbox = _table(
    "outbox",
    Column("n", Number, primary_key=True, autoincrement=True),
    _text("topic"),  # index | webhook:ID
    _text("subject"),  # a record; of a web hook whatever its events are about
    _number("attempts"),
    _maybe("reason"),  # why the last attempt failed, as a code
    _text("next_at"),  # not before
    _maybe("leased_until"),  # somebody is at it, and until then nobody else
    _maybe("dead_at"),  # given up: a person looks, and has it tried again
    _text("created_at"),
    _maybe("trace"),  # of the request that caused it (vault/tracing.py)
    Index("ix_outbox_due", "topic", "dead_at", "next_at"),
    Index("ix_outbox_subject", "topic", "subject"),
)
