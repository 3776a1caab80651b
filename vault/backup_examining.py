"""Is a backup whole and unaltered? Every file and every blob is hashed, and the log's root computed anew."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from signing.checkpoint import LogVerifier, parse_checkpoint, split_note
from signing.log_errors import NoteInvalid
from signing.merkle import Tree
from storage.errors import SealBroken
from storage.keyring import MasterKey
from vault.at_once import each
from vault.blob_copies import listed_blobs, place_of
from vault.errors import VaultError
from vault.key_pairs import pair_aad
from vault.manifest import BLOBS, BackupDamaged, Manifest, digest_of, listed
from vault.migrating import known_version
from vault.row_dumping import grow
from vault.row_files import RowsFileDamaged, RowsReader


class KeysForeign(VaultError):
    """These keys are not those of the vault that was backed up."""

    code = "keys_foreign"


@dataclass(frozen=True)
class Examined:
    """A backup that was found right: its folder, its manifest and that one's SHA-256, the log's tree."""

    folder: Path
    manifest: Manifest
    digest: str
    tree: Tree

    @property
    def name(self) -> str:
        """Name it in marks and messages."""
        return f"{self.folder.resolve()} ({self.digest})"


async def examine(folder: Path, expected: str | None = None) -> Examined:
    """Read every byte of a backup; nothing is written.

    Args:
        expected: the SHA-256 of its manifest as hex, kept elsewhere.

    Raises:
        BackupCut: there is no manifest.
        BackupDamaged: naming what is missing or altered.
        SchemaMismatch: the rows are newer than this program.
    """
    manifest, digest = await asyncio.to_thread(Manifest.read, folder)
    if expected is not None and expected.lower() != digest:
        raise BackupDamaged(
            f"the manifest of {folder} has the SHA-256 {digest}, which is not the expected one"
        )
    known_version(manifest.schema)
    wrong = await asyncio.to_thread(_wrong_files, folder, manifest)
    if wrong:
        raise BackupDamaged(listed(wrong))
    try:
        wrong = await _wrong_blobs(folder, manifest)
        if wrong:
            raise BackupDamaged(listed(sorted(wrong)))
        tree = await asyncio.to_thread(_tree, folder, manifest)
    except RowsFileDamaged as problem:
        raise BackupDamaged(problem.detail) from problem
    return Examined(folder, manifest, digest, tree)


def _wrong_files(folder: Path, manifest: Manifest) -> list[str]:
    wrong = []
    for one in manifest.files():
        try:
            if digest_of(folder / one.file) != one.sha256:
                wrong.append(f"{one.file} was altered")
        except FileNotFoundError:
            wrong.append(f"{one.file} is missing")
    return wrong


async def _wrong_blobs(folder: Path, manifest: Manifest) -> list[str]:
    wrong: list[str] = []
    count = 0

    async def check(one: tuple[str, bytes]) -> None:
        nonlocal count
        key, digest = one
        count += 1
        if key in manifest.damaged:
            return
        try:
            if await asyncio.to_thread(digest_of, place_of(folder, key)) != digest.hex():
                wrong.append(f"blob {key} was altered")
        except FileNotFoundError:
            wrong.append(f"blob {key} is missing")

    await each(listed_blobs(folder / BLOBS), check)
    if count != manifest.blobs.rows:
        wrong.append(f"{BLOBS} lists {count} blobs, {manifest.blobs.rows} were counted")
    return wrong


def _tree(folder: Path, manifest: Manifest) -> Tree:
    """Grow the log's tree from its rows, and hold it to the manifest and the published head in it."""
    tree = Tree()
    for portion in RowsReader(folder / _file(manifest, "log_entry")).portions():
        grow(tree, portion)
    said = manifest.log
    if (tree.size, tree.root().hex()) != (said.size, said.root):
        raise BackupDamaged(
            f"the log of the rows has another root than the manifest says, at size {said.size}"
        )
    if said.checkpoint is not None:
        try:
            head = parse_checkpoint(split_note(said.checkpoint)[0])
        except NoteInvalid:
            raise BackupDamaged("the checkpoint in the manifest is none") from None
        if head.size > tree.size or tree.root(head.size) != head.root:
            raise BackupDamaged(f"the rows are not those of the checkpoint in the manifest, size {head.size}")
    return tree


def _file(manifest: Manifest, table: str) -> str:
    for name, file in manifest.rows:
        if name == table:
            return file.file
    raise BackupDamaged(f"there are no rows of {table}")


def check_checkpoint(examined: Examined, key_line: str) -> None:
    """See that the checkpoint in the manifest was signed by this log key. Raises KeysForeign."""
    note = examined.manifest.log.checkpoint
    if note is not None:
        try:
            LogVerifier.from_line(key_line).open_checkpoint(note)
        except NoteInvalid as problem:
            raise KeysForeign(f"the checkpoint in the backup: {problem}") from problem


def check_master(examined: Examined, master: MasterKey) -> None:
    """See that the master key opens the vault's own keys in the backup; blocks. Raises KeysForeign."""
    for portion in RowsReader(examined.folder / _file(examined.manifest, "key_pair")).portions():
        for one in portion:
            if one["kind"] == "vault" and one["wrapped_private"] is not None:
                try:
                    master.unwrap(one["wrapped_private"], pair_aad(one["kind"], one["id"], one["purpose"]))
                except SealBroken as problem:
                    raise KeysForeign("the master key does not open the keys in the backup") from problem
