"""The tables of what documents are worth: evidence, waiting seals, scans, quarantine, trust classes."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
)

from vault.columns import Number, binary, maybe, number, table, text

# Evidence of signatures ---------------------------------------------------------------------------------

trust_set = table(
    "trust_set",
    text("digest", primary_key=True),
    text("anchors"),  # as JSON, with their certificates
    text("at"),
)

trust_now = table(
    "trust_now",
    number("id", primary_key=True),  # the one row
    text("digest", ForeignKey("trust_set.digest")),
    text("since"),
)

report_ground = table(
    "report_ground",
    text("record", primary_key=True),
    number("n", primary_key=True),
    binary("content_sha256"),  # of the file that was judged: a renewed one has other bytes
    text("trust_set", ForeignKey("trust_set.digest")),
    text("policy"),  # version of the rules it was judged by
    text("judged_at"),  # the time it was judged at
    ForeignKeyConstraint(["record", "n"], ["signature_report.record", "signature_report.n"]),
)

report_anchor = table(
    "report_anchor",
    text("record", primary_key=True),
    number("n", primary_key=True),
    text("anchor", primary_key=True),  # SHA-256 of its certificate, in hex
    text("role", primary_key=True),  # signature | timestamp
    text("moment", primary_key=True),  # the time proven for what stands on it
    ForeignKeyConstraint(["record", "n"], ["signature_report.record", "signature_report.n"]),
)

evidence_piece = table(
    "evidence_piece",
    Column("sha256", LargeBinary, primary_key=True),
    text("kind"),  # certificate | ocsp | crl | timestamp | etsi_report
    binary("content"),
    text("at"),
)

report_piece = table(
    "report_piece",
    text("record", primary_key=True),
    number("n", primary_key=True),
    Column("sha256", LargeBinary, ForeignKey("evidence_piece.sha256"), primary_key=True),
    text("source"),  # file | fetched | made
    ForeignKeyConstraint(["record", "n"], ["signature_report.record", "signature_report.n"]),
)

status_cache = table(
    "status_cache",
    text("key", primary_key=True),  # SHA-256 of address and question, in hex
    text("kind"),  # ocsp | crl
    text("host"),
    Column("content", LargeBinary, nullable=True),  # absent: there was no usable answer
    text("fetched_at"),
    text("expires"),
    Index("ix_status_cache_expires", "expires"),
)

# Seals that wait, and renewals --------------------------------------------------------------------------

waiting_seal = table(
    "waiting_seal",  # what was permitted, but nobody could seal or stamp just then
    text("id", primary_key=True),
    text("caller"),  # the system, and what else its entries name
    text("agency"),
    maybe("officer"),
    text("key_thumbprint"),
    text("door"),
    text("key"),  # the Idempotency-Key, whose answer it is for now
    binary("asked"),
    text("operation"),  # issue | issue_record | digitise
    maybe("dossier"),
    text("type"),
    Column("wrapped_key", LargeBinary, nullable=True),  # sealed to the vault; absent once it has ended
    Column("body", LargeBinary, nullable=True),  # what was handed in, sealed under that key; likewise
    text("state"),  # waiting_for_seal | sealed | seal_given_up
    number("attempts"),
    text("reasons"),  # codes, as a JSON list
    text("next_at"),
    text("created_at"),
    text("updated_at"),
    maybe("record"),
    maybe("component"),  # that a scan is for
    maybe("trace"),  # of the request that handed it in (vault/tracing.py)
    Column("reading_key", LargeBinary, nullable=True),  # of the next one; sealed to the vault
    Column("reading", LargeBinary, nullable=True),  # what was read of the scan, for its agency; for some days
    UniqueConstraint("caller", "key"),
    Index("ix_waiting_seal_due", "state", "next_at"),
    Index("ix_waiting_seal_of", "agency", "state"),
)

waiting_file = table(
    "waiting_file",  # the file that was handed in with it, sealed in the store; no row once it has ended
    text("waiting", ForeignKey("waiting_seal.id"), primary_key=True),
    text("media_type"),  # as whoever handed it in declared it
    text("blob"),
    binary("content_sha256"),
    number("content_size"),
    binary("sealed_sha256"),
    number("sealed_size"),
)

earlier_content = table(
    "earlier_content",  # what a record's file was before its archive time stamp was renewed
    text("record", ForeignKey("record.id"), primary_key=True),
    number("version", primary_key=True),
    text("blob"),
    binary("content_sha256"),
    number("content_size"),
    binary("sealed_sha256"),
    number("sealed_size"),
    text("replaced_at"),
    number("idx"),  # the entry of the renewal
    Index("ix_earlier_content_sha256", "content_sha256"),
)

archive_stamp = table(
    "archive_stamp",  # until when a record's newest archive time stamp can be verified by itself
    text("record", ForeignKey("record.id"), primary_key=True),
    maybe("until"),  # absent: looked at, and there is none to renew
    text("looked_at"),
    maybe("put_off"),  # why it was not renewed the last time, as a code
    maybe("again_at"),  # not before then
    number("put_offs"),  # in a row
    Index("ix_archive_stamp_until", "until"),
    Index("ix_archive_stamp_put_off", "put_off"),
)

handed_in_file = table(
    "handed_in_file",  # what a record was before it was sealed here: its hash, by which it is known again
    text("record", ForeignKey("record.id"), primary_key=True),
    binary("content_sha256"),
    number("content_size"),
    Index("ix_handed_in_file_sha256", "content_sha256"),
)

# Scans --------------------------------------------------------------------------------------------------

scan = table(
    "scan",  # what a digitised copy was made from, kept beside it, and whether it was good enough
    text("record", ForeignKey("record.id"), primary_key=True),
    text("media_type"),
    text("blob"),
    binary("content_sha256"),
    number("content_size"),
    binary("sealed_sha256"),
    number("sealed_size"),
    Column("passed", Boolean, nullable=False),  # every rule with a consequence was met
    text("rules"),  # SHA-256 of the rules that it was judged by, as hex
    text("read"),  # ready | not_installed | no_vietnamese | off: whether letters could be read off it
    Column("needs_person", Boolean, nullable=False),  # they were read too poorly to suggest anything by
)

scan_finding = table(
    "scan_finding",  # one rule held against one page of a scan
    text("record", ForeignKey("record.id"), primary_key=True),
    text("rule", primary_key=True),
    number("page", primary_key=True),  # from 1; 0 is the whole file
    text("measured"),
    text("wanted"),
    text("outcome"),  # met | tell | doubt
    text("fault"),  # the reason code of what is not met
    text("legal"),
)

# Quarantine ---------------------------------------------------------------------------------------------

quarantine = table(
    "quarantine",  # what was refused for what it holds, its bytes sealed to a key that nothing opens
    text("id", primary_key=True),
    text("holder_kind"),  # owner | agency: whom it was handed in for, and who is told
    text("holder"),
    text("caller"),
    maybe("agency"),  # by whom, where it was no owner
    maybe("officer"),
    binary("sha256"),
    number("size"),
    text("code"),
    text("found"),  # codes, as a JSON list
    maybe("malware"),  # the scanner's name of it
    maybe("blob"),  # absent once its bytes are gone
    binary("wrapped_key"),
    binary("sealed_sha256"),
    text("at"),
    text("until"),
    number("idx"),  # the entry that tells of it
    maybe("ended_at"),
    maybe("ended_by"),
    Index("ix_quarantine_of", "holder_kind", "holder", "ended_at"),
    Index("ix_quarantine_until", "ended_at", "until"),
)

# Trust classes ------------------------------------------------------------------------------------------

agency_certificate = table(  # whose signature a certificate makes, from which day to which
    "agency_certificate",
    text("agency", ForeignKey("agency.id"), primary_key=True),
    text("sha256", primary_key=True),  # of the certificate, hexadecimal
    text("subject"),
    text("valid_from"),
    maybe("valid_until"),
    Column("idx", Number, nullable=True),  # of the entry that registered it; absent: a seal key held here
    Column("end_idx", Number, nullable=True),
    Index("ix_agency_certificate_of", "sha256"),
)

record_certificate = table(  # by whose certificates a record is signed
    "record_certificate",
    text("record", ForeignKey("record.id"), primary_key=True),
    text("sha256", primary_key=True),
    Index("ix_record_certificate_of", "sha256"),
)

seal_image = table(  # append-only: the picture of an agency's round seal, from a moment on
    "seal_image",
    text("agency", ForeignKey("agency.id"), primary_key=True),
    number("n", primary_key=True),
    text("since"),
    maybe("sha256"),  # of the picture, hexadecimal; absent where there is none from then on
    Column("content", LargeBinary, nullable=True),  # PNG, as it was written anew
    Column("width_um", Number, nullable=True),  # on paper, micrometres
    Column("height_um", Number, nullable=True),
)

trust_class = table(  # append-only; `record.trust` is the newest one's
    "trust_class",
    text("record", ForeignKey("record.id"), primary_key=True),
    number("n", primary_key=True),
    text("trust"),
    text("rules"),  # which version of them
    text("reasons"),  # JSON
    text("evidence"),  # JSON: judged anew by the same rules, it gives the same
    number("report"),  # the signature report it was judged by
    Column("idx", Number, nullable=True),  # the entry that tells of a move
    text("at"),
)
