"""What the database's user of each part may do with each table: what the part does, and no more.

Their names are those of docs/server/roles.sh; `kho migrate --rights` gives them what stands here. Of a table
that is not named nobody gets anything. None but the owner of the tables registers agencies, systems,
officers, their roles and accounts, moves or restores a vault, and takes anything back out of the log.
"""

from collections.abc import Iterator, Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from vault import postgres
from vault.errors import VaultIncomplete
from vault.rows_address import RowsAddress

Rights = Mapping[str, tuple[str, ...]]
SIGN, GATE, API, WORK = "kho_sign", "kho_gate", "kho_api", "kho_work"
_READ: tuple[str, ...] = ("SELECT",)
_KEPT = ("SELECT", "INSERT")  # nothing is changed or taken away
_CHANGED = ("SELECT", "INSERT", "UPDATE")
_PASSING = ("SELECT", "INSERT", "UPDATE", "DELETE")
_ONCE = ("SELECT", "INSERT", "DELETE")

_SERVING: Rights = {
    # The log, and what is told by it.
    "log_head": (*_KEPT, "UPDATE (size)"),
    "log_entry": _KEPT,
    "entry_holder": _KEPT,
    "entry_fact": _KEPT,
    "receipt": _KEPT,
    "key_pair": _KEPT,
    "log_origin": (*_KEPT, "UPDATE (idx, opening)"),
    "policy_version": (*_KEPT, "UPDATE (published_at)"),
    # Who is registered, and whether the vault is served here.
    "agency": _READ,
    "agency_code": _READ,
    "agency_right": _READ,
    "system": _READ,
    "system_key": _READ,
    "officer": _READ,
    "officer_role": _READ,
    "officer_sign_in": _READ,
    "vault_standing": _READ,
    "alembic_version": _READ,
    # Whose records there are, and what they are worth.
    "owner": _KEPT,
    "owner_identifier": _KEPT,
    "record": _CHANGED,
    "record_owner": _KEPT,
    "record_relation": _KEPT,
    "record_certificate": _KEPT,
    "document_serial": _CHANGED,
    "signature_report": _KEPT,
    "report_anchor": _KEPT,
    "report_ground": _KEPT,
    "report_piece": _KEPT,
    "evidence_piece": _KEPT,
    "trust_class": _KEPT,
    "trust_set": _KEPT,
    "trust_now": _CHANGED,
    "status_cache": _PASSING,
    "archive_stamp": _PASSING,
    "earlier_content": _KEPT,
    "validity_event": _KEPT,
    "damage": _KEPT,
    "agency_certificate": _CHANGED,
    "seal_image": _KEPT,
    # Dossiers and consents.
    "dossier": _CHANGED,
    "dossier_person": _KEPT,
    "release": _CHANGED,
    "delivery_share": _CHANGED,
    "confirmation": _KEPT,
    "digitisation": _KEPT,
    "scan": _KEPT,
    "scan_finding": _KEPT,
    "handed_in_file": _KEPT,
    "asked_plan": _PASSING,
    "consent": _CHANGED,
    "consent_event": _KEPT,
    "consent_record": _CHANGED,
    "consent_use": _KEPT,
    "delegation": _CHANGED,
    "delegation_event": _KEPT,
    "epoch": _CHANGED,
    "request": _CHANGED,
    # The catalogue.
    "procedure": _KEPT,
    "row_reading": _ONCE,
    "catalogue_edit": _CHANGED,
    # What is still to be done.
    "notice": _CHANGED,
    "outbox": _PASSING,
    "waiting_seal": _CHANGED,
    "waiting_file": _ONCE,
    "quarantine": _CHANGED,
    "webhook": _CHANGED,
    "webhook_event": _ONCE,
    "webhook_key": _CHANGED,
    # Who is signed in.
    "session": _PASSING,
    "staff_session": _PASSING,
    "sign_in": _ONCE,
    "used_assertion": _ONCE,
}

_WORKING: Rights = {  # at work nobody signs in; what is over is taken away
    one: ("SELECT", "DELETE") for one in ("session", "staff_session", "sign_in", "used_assertion")
}
_GUARDING: Rights = {  # it believes nobody, so it looks at everything itself; the head it can lock, not move
    "log_head": (*_READ, "UPDATE (id)"),
    "used_assertion": _ONCE,
    "key_pair": _KEPT,
}
_SIGNING = ("log_entry", "log_head", "vault_standing", "alembic_version")
RIGHTS: Mapping[str, Rights] = {
    API: _SERVING,
    WORK: {**_SERVING, **_WORKING},
    GATE: {**dict.fromkeys(_SERVING, _READ), **_GUARDING},
    SIGN: {**dict.fromkeys(_SIGNING, _READ), "key_pair": _KEPT},
}
_ROWS_OF: Mapping[str, str] = {  # which rows of `key_pair` each may add
    SIGN: "kind = 'signer'",
    GATE: "kind = 'gate'",
    API: "kind IN ('owner', 'agency', 'vault')",
    WORK: "kind IN ('owner', 'agency', 'vault')",
}


async def grant(address: RowsAddress) -> None:
    """Give each user its rights, and take away what else it had on these tables; again, it changes nothing.

    Raises:
        VaultIncomplete: the database has no user of that name.
        VaultBusy: a table could not be had in time.
    """
    engine = postgres.engine(address, poolclass=NullPool)
    try:
        async with postgres.connected(engine) as db, db.begin():
            await _require_users(db)
            for statement in _statements():
                await db.execute(text(statement))
    finally:
        await engine.dispose()


async def _require_users(db: AsyncConnection) -> None:
    known = set((await db.execute(text("SELECT rolname FROM pg_roles"))).scalars())
    for user in RIGHTS:
        if user not in known:
            raise VaultIncomplete(f"the database has no user {user}: docs/server/roles.sh makes them")


def _statements() -> Iterator[str]:
    everybody = ", ".join(RIGHTS)
    for one in _SERVING:
        yield f'REVOKE ALL ON "{one}" FROM {everybody}'
    for user, rights in RIGHTS.items():
        for table, several in rights.items():
            yield f'GRANT {", ".join(several)} ON "{table}" TO {user}'
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {API}, {WORK}"  # rows that number themselves
    yield "ALTER TABLE key_pair ENABLE ROW LEVEL SECURITY"
    for user, rows in _ROWS_OF.items():
        for name, what in (("reads", "FOR SELECT"), ("adds", "FOR INSERT")):
            checked = "USING (true)" if name == "reads" else f"WITH CHECK ({rows})"
            yield f"DROP POLICY IF EXISTS {user}_{name} ON key_pair"
            yield f"CREATE POLICY {user}_{name} ON key_pair {what} TO {user} {checked}"
