"""The signer signs and publishes what continues its memory, and refuses everything else."""

import itertools
import os
import shutil

import anyio
import pytest

from signing.checkpoint import LogVerifier
from signing.merkle import EMPTY_ROOT, Tree, leaf_hash, verify_consistency, verify_inclusion
from signing.tiles import read_bundle
from storage.errors import MasterKeyExposed, MasterKeyMissing
from vault.errors import VaultBusy, VaultIncomplete, VaultLocked
from vault.signer import LogBehind, LogForked, Signer

pytestmark = pytest.mark.anyio

LEAVES = [b"\x01\x03" + number.to_bytes(32) for number in range(1000)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Vault:
    """The rows of a vault and its two folders; opens one signer after another."""

    def __init__(self, folder):
        self.keys, self.log = folder / "keys", folder / "log"
        self.leaves = list(LEAVES)
        self.opened = []

    async def open(self, size=None, create=True):
        signer = await Signer.open(key_folder=self.keys, log_folder=self.log, create=create)
        self.opened.append(signer)
        if size is not None:
            await signer.load([leaf_hash(leaf) for leaf in self.leaves[:size]])
        return signer

    async def reopen(self, size=None, create=False):
        await self.close()
        return await self.open(size, create)

    async def close(self):
        while self.opened:
            await self.opened.pop().close()

    async def rows(self, first, stop):
        return self.leaves[first:stop]

    def published(self):
        files = (path for path in self.log.rglob("*") if path.is_file())
        return {path.relative_to(self.log).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
async def vault(tmp_path):
    one = Vault(tmp_path)
    yield one
    await one.close()


def opened(signer, note):
    return LogVerifier.from_line(signer.verifier_line).open_checkpoint(note)


async def test_a_new_vault_has_its_own_log(vault, tmp_path):
    signer = await vault.open(0)
    assert signer.origin.startswith("kho.local/log-")
    head = opened(signer, await signer.checkpoint())
    assert (head.origin, head.size, head.root) == (signer.origin, 0, EMPTY_ROOT)
    other = Vault(tmp_path / "other")
    assert (await other.open()).origin != signer.origin
    await other.close()


async def test_keys_are_kept_from_others(vault):
    await vault.open(0)
    assert vault.keys.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in vault.keys.iterdir()} == {"log.key", "signer.state"}
    assert {path.stat().st_mode & 0o777 for path in vault.keys.iterdir()} == {0o600}
    (vault.keys / "log.key").chmod(0o644)
    with pytest.raises(MasterKeyExposed):
        await vault.reopen()


async def test_every_proof_leads_to_its_signed_head(vault):
    signer = await vault.open(0)
    for size in (1, 2, 3, 7, 8, 300):
        signer.extend(signer.tree.size, HASHES[signer.tree.size : size])
        for index in (0, size // 2, size - 1):
            proof, note, at = await signer.proof(index)
            head = opened(signer, note)
            assert head.size == at == size
            verify_inclusion(HASHES[index], index, size, proof, head.root)
    with pytest.raises(IndexError):
        await signer.proof(300)


async def test_one_size_has_one_note(vault):
    signer = await vault.open(5)
    note = await signer.checkpoint()
    assert await signer.checkpoint() == note
    line = signer.verifier_line
    signer = await vault.reopen(5)
    assert (signer.verifier_line, await signer.checkpoint()) == (line, note)


async def test_many_askers_at_once_get_valid_proofs(vault):
    signer = await vault.open(0)
    answers = []

    async def ask(index):
        answers.append((index, *(await signer.proof(index))))

    async with anyio.create_task_group() as group:
        for index in range(200):
            signer.extend(index, [HASHES[index]])
            group.start_soon(ask, index)
            if index % 7 == 0:
                await anyio.sleep(0)
    assert len(answers) == 200
    for index, proof, note, size in answers:
        verify_inclusion(HASHES[index], index, size, proof, opened(signer, note).root)
    assert len({note for _, _, note, _ in answers}) < 200


async def test_a_cancelled_asker_harms_nobody(vault):
    signer = await vault.open(3)
    for size in range(4, 60):
        signer.extend(size - 1, [HASHES[size - 1]])
        with anyio.move_on_after(0):
            await signer.checkpoint()
    assert opened(signer, await signer.checkpoint()).size == 59
    signer = await vault.reopen(59)
    assert opened(signer, await signer.checkpoint()).root == Tree(HASHES[:59]).root()


async def test_what_was_signed_is_remembered_before_the_signature_leaves(vault):
    signer = await vault.open(0)
    for size in range(1, 12):
        signer.extend(size - 1, [HASHES[size - 1]])
        await signer.checkpoint()
        # As after kill -9: the file as it is at this moment, read by a signer of its own.
        copy = vault.keys.parent / f"copy{size}"
        shutil.copytree(vault.keys, copy)
        again = await Signer.open(key_folder=copy, log_folder=vault.log, create=False)
        with pytest.raises(LogBehind):
            await again.load(HASHES[: size - 1])
        await again.load(HASHES[:size])
        await again.close()


@pytest.mark.parametrize("size", [0, 6])
async def test_an_older_database_is_refused(vault, size):
    await (await vault.open(7)).checkpoint()
    signer = await vault.reopen()
    with pytest.raises(LogBehind) as refused:
        await signer.load(HASHES[:size])
    assert refused.value.code == "log_behind"
    with pytest.raises(LogBehind):  # nor is the tree it has signed instead
        await signer.checkpoint()
    with pytest.raises(LogBehind):
        await signer.publish(vault.rows)
    assert vault.published() == {}


async def test_another_database_is_refused(vault):
    await (await vault.open(7)).checkpoint()
    signer = await vault.reopen()
    with pytest.raises(LogForked) as refused:
        await signer.load([*HASHES[:6], leaf_hash(b"other"), *HASHES[7:20]])
    assert refused.value.code == "log_forked"


async def test_rows_that_were_committed_but_not_signed_may_change(vault):
    signer = await vault.open(7)
    await signer.checkpoint()
    signer.extend(7, HASHES[7:9])
    signer = await vault.reopen()
    await signer.load([*HASHES[:7], leaf_hash(b"other")])
    assert opened(signer, await signer.checkpoint()).size == 8


async def test_the_tree_is_extended_in_order_only(vault):
    signer = await vault.open(5)
    with pytest.raises(LogBehind):
        signer.extend(6, HASHES[6:7])
    signer.extend(3, HASHES[3:7])
    with pytest.raises(LogForked):
        signer.extend(6, [leaf_hash(b"other"), HASHES[7]])
    assert signer.tree.root() == Tree(HASHES[:7]).root()


async def test_a_tree_that_changed_in_memory_is_not_signed(vault):
    signer = await vault.open(7)
    await signer.checkpoint()
    signer.tree = Tree([leaf_hash(b"other"), *HASHES[1:9]])
    with pytest.raises(LogForked):
        await signer.checkpoint()


async def test_two_signers_do_not_share_a_key(vault):
    await vault.open(0)
    with pytest.raises(VaultLocked):
        await vault.open()


@pytest.mark.parametrize("name", ["log.key", "signer.state"])
async def test_one_of_key_and_memory_without_the_other_is_refused(vault, name):
    await (await vault.open(7)).checkpoint()
    await vault.close()
    (vault.keys / name).unlink()
    for create in (True, False):
        with pytest.raises(VaultIncomplete):
            await vault.open(create=create)


async def test_a_creation_that_died_after_the_memory_begins_again(vault):
    await vault.open(0)
    await vault.close()
    (vault.keys / "log.key").unlink()
    signer = await vault.open(3)
    await signer.checkpoint()
    again = await vault.reopen(3)
    assert again.origin == signer.origin


async def test_without_create_nothing_is_made(vault):
    with pytest.raises(MasterKeyMissing):
        await vault.open(create=False)
    vault.keys.mkdir(mode=0o700)
    with pytest.raises(VaultIncomplete):
        await vault.open(create=False)
    assert list(vault.keys.iterdir()) == []


async def test_a_damaged_newest_slot_falls_back_to_the_one_before(vault):
    signer = await vault.open(0)
    for size in (1, 2, 3):
        signer.extend(size - 1, [HASHES[size - 1]])
        await signer.checkpoint()
    await vault.close()
    state = vault.keys / "signer.state"
    content = state.read_bytes()
    newest = content.index(b"\n3\n")
    for place in range(newest - 20, newest + 80):
        state.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        signer = await vault.open(create=False)
        with pytest.raises(LogBehind):
            await signer.load(HASHES[:1])
        await signer.load(HASHES[:2])
        await vault.close()


@pytest.mark.parametrize("content", [b"", b"\0" * 1024, b"words\n" * 100])
async def test_a_memory_that_cannot_be_read_is_refused(vault, content):
    await (await vault.open(7)).checkpoint()
    await vault.close()
    (vault.keys / "signer.state").write_bytes(content)
    with pytest.raises(VaultIncomplete):
        await vault.open()


@pytest.mark.parametrize("name", ["log.key", "signer.state"])
async def test_key_and_memory_of_two_vaults_are_refused(vault, tmp_path, name):
    other = Vault(tmp_path / "other")
    for one in (vault, other):
        await (await one.open(7)).checkpoint()
        await one.close()
    shutil.copy(other.keys / name, vault.keys / name)
    with pytest.raises(VaultIncomplete):
        await vault.open()


async def test_a_key_file_that_holds_no_key_is_refused(vault):
    await vault.open(0)
    await vault.close()
    (vault.keys / "log.key").write_bytes(b"\xff\n")
    with pytest.raises(VaultIncomplete) as refused:
        await vault.open()
    assert "no log key" in str(refused.value)


async def test_a_growing_log_is_published_and_rewrites_nothing(vault):
    signer = await vault.open(0)
    assert await signer.publish(vault.rows)
    before = vault.published()
    assert set(before) == {"checkpoint"}
    heads = [opened(signer, before["checkpoint"].decode())]
    for size in (1, 2, 255, 256, 257, 600):
        signer.extend(signer.tree.size, HASHES[signer.tree.size : size])
        assert await signer.publish(vault.rows)
        assert not await signer.publish(vault.rows)
        now = vault.published()
        assert all(
            now.get(path, content) == content for path, content in before.items() if path != "checkpoint"
        )
        heads.append(opened(signer, now["checkpoint"].decode()))
        before = now
    for old, new in itertools.pairwise(heads[1:]):
        verify_consistency(
            old.size, new.size, signer.tree.consistency(old.size, new.size), old.root, new.root
        )
    assert read_bundle(now["tile/entries/001"]) == LEAVES[256:512]
    assert now["tile/0/002.p/88"] == b"".join(HASHES[512:600])
    assert now["tile/1/000.p/2"] == b"".join(Tree(HASHES[i : i + 256]).root() for i in (0, 256))
    assert not any(".writing/" in path for path in now)


async def test_the_last_full_tile_keeps_its_partials_for_readers_of_the_head_before(vault):
    signer = await vault.open(0)
    for size in (200, 300, 500, 520):
        signer.extend(signer.tree.size, HASHES[signer.tree.size : size])
        await signer.publish(vault.rows)
    assert sorted(path for path in vault.published() if path.startswith("tile/0/")) == [
        "tile/0/000",
        "tile/0/001",
        "tile/0/001.p/244",
        "tile/0/001.p/44",
        "tile/0/002.p/8",
    ]


async def test_a_lost_published_folder_is_made_again_with_the_same_bytes(vault):
    signer = await vault.open(600)
    await signer.publish(vault.rows)
    before = vault.published()
    shutil.rmtree(vault.log)
    signer = await vault.reopen(600)
    assert await signer.publish(vault.rows)
    assert vault.published() == before


async def test_a_changed_row_is_not_published(vault):
    signer = await vault.open(300)
    vault.leaves[280] = b"other"
    with pytest.raises(LogForked) as refused:
        await signer.publish(vault.rows)
    assert "280" in str(refused.value)
    assert "checkpoint" not in vault.published()
    vault.leaves[280] = LEAVES[280]

    async def too_few(first, stop):
        return vault.leaves[first : stop - 1]

    with pytest.raises(LogForked):
        await signer.publish(too_few)
    assert await signer.publish(vault.rows)


async def test_a_tile_published_with_other_content_stops_everything(vault):
    signer = await vault.open(300)
    (vault.log / "tile/0").mkdir(parents=True)
    (vault.log / "tile/0/000").write_bytes(b"other")
    with pytest.raises(LogForked):
        await signer.publish(vault.rows)
    assert "checkpoint" not in vault.published()
    assert (vault.log / "tile/0/000").read_bytes() == b"other"


async def test_a_published_head_that_is_not_ours_or_ahead_stops_publishing(vault, tmp_path):
    signer = await vault.open(300)
    await signer.publish(vault.rows)
    own = (vault.log / "checkpoint").read_text()
    signer.extend(300, HASHES[300:310])
    stranger = Vault(tmp_path / "other")
    foreign = await (await stranger.open(300)).checkpoint()
    await stranger.close()
    for spoilt in (foreign, own.replace("300", "301"), "", "\udcff"):
        (vault.log / "checkpoint").write_bytes(spoilt.encode(errors="surrogateescape"))
        with pytest.raises(LogForked):
            await signer.publish(vault.rows)
    (vault.log / "checkpoint").write_text(signer._key.sign_checkpoint(500, Tree(HASHES[:500]).root()))
    with pytest.raises(LogBehind):
        await signer.publish(vault.rows)
    (vault.log / "checkpoint").write_text(signer._key.sign_checkpoint(300, EMPTY_ROOT))
    with pytest.raises(LogForked):
        await signer.publish(vault.rows)
    (vault.log / "checkpoint").write_text(own)
    assert await signer.publish(vault.rows)


async def test_published_files_can_be_served_by_others(vault):
    signer = await vault.open(300)
    await signer.publish(vault.rows)
    modes = {path.stat().st_mode & 0o777 for path in vault.log.rglob("*") if path.is_file()}
    assert modes == {0o644}


async def test_a_folder_that_cannot_be_written_is_busy_not_lost(vault):
    signer = await vault.open(3)
    shutil.rmtree(vault.log)
    vault.log.write_text("a file in the way")
    with pytest.raises(VaultBusy):
        await signer.publish(vault.rows)
    assert opened(signer, await signer.checkpoint()).size == 3
    vault.log.unlink()
    (vault.log / ".writing").mkdir(parents=True)
    assert await signer.publish(vault.rows)


async def test_a_memory_that_cannot_be_written_stops_signing(vault):
    signer = await vault.open(3)
    note = await signer.checkpoint()
    os.close(signer._memory._handle)
    signer._memory._handle = os.open("/dev/full", os.O_WRONLY)
    signer.extend(3, HASHES[3:4])
    for _ in range(2):
        with pytest.raises(VaultBusy):
            await signer.checkpoint()
    again = await vault.reopen(3)
    assert await again.checkpoint() == note
