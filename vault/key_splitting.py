"""Splitting the one key folder of a vault among the processes that hold its keys from then on."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from signing.checkpoint import LogKey
from storage.durable import sync_folder
from storage.keyring import check_key_folder, load_or_create_secret
from vault import part_marks
from vault.assertions import TokenKey
from vault.connecting import connect
from vault.errors import VaultIncomplete
from vault.migrating import check_schema
from vault.new_log_key import RETIRED
from vault.opening import check_made
from vault.places import VaultPlaces
from vault.signer_memory import KEY_FILE, MEMORY_FILE

_SIGN = (KEY_FILE, MEMORY_FILE)
_GATE = ("master.key", "token.key", "index.key")
_SEAL = ("seal", "seal.passphrase")


@dataclass(frozen=True)
class KeyFolders:
    """Where the keys of each part go; none of the folders is there yet."""

    signer: Path
    gate: Path
    sealer: Path


async def split(places: VaultPlaces, folders: KeyFolders) -> None:
    """Copy each key to the folder of its part, and note signer and gate in the rows.

    Nobody may have the rows open meanwhile: the signer's memory must not move under it.

    Raises:
        VaultIncomplete: rows are in a file, a key is missing, or a folder is there already.
        MasterKeyExposed, MasterKeyMissing, VaultLocked, VaultBusy, SchemaMismatch.
    """
    if not places.database.server:
        raise VaultIncomplete("rows in a file are for one process: several need PostgreSQL")
    await check_made(places)
    check_key_folder(places.keys)
    for folder in (folders.signer, folders.gate, folders.sealer):
        if folder.exists():
            raise VaultIncomplete(f"{folder} is there already: name a new folder")
    for name in (*_SIGN, *_GATE):
        if not (places.keys / name).exists():
            raise VaultIncomplete(f"{places.keys / name} is missing: are these the keys of one process?")
    db = await connect(places.database, hold="alone")
    try:
        await check_schema(places.database)
        _copy(places.keys, folders.signer, (*_SIGN, RETIRED))
        _copy(places.keys, folders.gate, _GATE)
        _copy(places.keys, folders.sealer, _SEAL)
        if places.seal_passphrase is not None:
            shutil.copy2(places.seal_passphrase, folders.sealer / "seal.passphrase")
        line = LogKey.from_line((folders.signer / KEY_FILE).read_text().strip()).verifier_line()
        token = TokenKey(load_or_create_secret(folders.gate, "token", create=False))
        await part_marks.note_split(db, "signer", line.encode())
        await part_marks.note_split(db, "gate", token.public)
        await part_marks.require(db, "signer", line.encode())
        await part_marks.require(db, "gate", token.public)
    finally:
        await db.close()


def _copy(source: Path, folder: Path, names: tuple[str, ...]) -> None:
    """Copy files and folders with their modes, durably enough that the old folder may go."""
    folder.mkdir(mode=0o700, parents=True)
    for name in names:
        one = source / name
        if one.is_dir():
            shutil.copytree(one, folder / name)
        elif one.exists():
            shutil.copy2(one, folder / name)
    check_key_folder(folder)
    sync_folder(folder)
