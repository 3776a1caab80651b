"""Signer, gate and sealer as parts: made in an order that tells what is missing, and held to each other."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from reuse_api.demo import people
from signing.checkpoint import LogKey
from signing.merkle import leaf_hash
from signing.trust_folder import TrustFolder
from signing.workers import WorkerPool
from storage.errors import MasterKeyExposed, MasterKeyMissing
from tests.apart import Told, sockets
from tests.servers import postgres
from vault.clock import Clock
from vault.connecting import connect
from vault.errors import VaultIncomplete, VaultLocked
from vault.gate_part import GatePlaces, guarding
from vault.migrating import migrate
from vault.opening import Authorities, PartPlaces, VaultPlaces, opened
from vault.publishing import publish
from vault.registering import NewAgency, register_agency
from vault.rows_address import RowsAddress
from vault.sealer import Sealer
from vault.sealer_part import sealing
from vault.signer import LogBehind, LogForked
from vault.signer_part import signing
from vault.socket_place import users
from vault.tables import log_entry

pytestmark = pytest.mark.anyio
ISSUER = "https://kho.example"


@dataclass(frozen=True)
class Made:
    """The places of a vault in parts, and how each part is run."""

    folder: Path
    rows: RowsAddress
    workers: WorkerPool
    log_key: str = ""

    def keys(self, part: str) -> Path:
        return self.folder / part

    def place(self, part: str) -> Path:
        return self.folder / f"{part}.socket"

    def sign(self, create: bool = False) -> Any:
        said = {"database": self.rows, "keys": self.keys("sign"), "log_folder": self.folder / "log"}
        asked = {"place": self.place("sign"), "peers": users(""), "journal": Told()}
        return signing(**said, **asked, create=create)

    def gate(self, create: bool = False, **changes: Any) -> Any:
        places = GatePlaces(
            self.rows, self.keys("gate"), self.place("gate"), ISSUER, signer=self.place("sign")
        )
        said = {"peers": users(""), "workers": users(""), "clock": Clock(), "journal": Told()}
        return guarding(replace(places, **changes), create=create, **said)

    def seal(self, create: bool = False) -> Any:
        sealer = Sealer(self.keys("seal") / "seal", timestamper=None, revocation=None, trust=TrustFolder())
        said = {"keys": self.keys("seal"), "scratch": self.folder, "place": self.place("seal")}
        return sealing(sealer, **said, peers=users(""), create=create, journal=Told())

    def vault(self, create: bool = False, **changes: Any) -> Any:
        parts = PartPlaces(self.place("sign"), self.place("gate"), self.place("seal"), self.log_key)
        none, blobs = self.folder / "none", f"folder:{self.folder / 'blobs'}"
        places = VaultPlaces(
            self.rows, blobs, none, self.folder / "log", self.folder / "scratch", parts=parts
        )
        said = {"clock": Clock(), "issuer": ISSUER, "authorities": Authorities()} | changes
        return opened(places, create=create, workers=self.workers, **said)

    @asynccontextmanager
    async def running(self, create: bool = False) -> AsyncIterator[Any]:
        async with AsyncExitStack() as stack:
            for part in (self.sign, self.gate, self.seal):
                await stack.enter_async_context(part(create))
            yield await stack.enter_async_context(self.vault(create))


@pytest.fixture
def rows() -> Iterator[RowsAddress]:
    address = postgres.fresh_database()
    yield RowsAddress(address)
    postgres.drop_database(address)


@pytest.fixture
async def made(rows: RowsAddress, workers: WorkerPool) -> AsyncIterator[Made]:
    async with sockets() as folder:
        yield Made(folder, rows, workers)


async def test_they_are_made_in_order_and_each_says_what_is_missing(made: Made) -> None:
    with pytest.raises(VaultIncomplete, match="migrate --create"):
        async with made.sign(create=True):
            pass
    await migrate(made.rows)
    with pytest.raises(MasterKeyMissing):
        async with made.sign():
            pass
    async with made.sign(create=True):
        with pytest.raises(MasterKeyMissing):
            async with made.gate():
                pass
        async with made.gate(create=True), made.seal(create=True):
            with pytest.raises(VaultIncomplete, match="never finished"):
                async with made.vault():
                    pass
            async with made.vault(create=True) as vault:
                assert vault.signer.tree.size > 0, "the policy book is an entry"
                assert not await publish(vault), "that is the signer's work"
    assert not (made.folder / "none").exists()
    async with made.running(create=True):  # again, it changes nothing
        pass
    async with made.running() as vault:
        proof, _note, size = await vault.appender.proof(0)
        assert size == vault.signer.tree.size > 0 and proof is not None


async def test_one_signer_signs(made: Made) -> None:
    await migrate(made.rows)
    async with made.sign(create=True):
        with pytest.raises(VaultLocked):
            async with made.sign():
                pass


@pytest.fixture
async def whole(made: Made) -> Made:
    """A vault in parts, made and stopped."""
    await migrate(made.rows)
    async with made.running(create=True):
        pass
    return made


async def test_a_part_of_another_vault_is_refused_by_its_name(
    whole: Made, workers: WorkerPool, tmp_path: Path
) -> None:
    rows = RowsAddress(postgres.fresh_database())
    await migrate(rows)
    async with sockets() as folder:
        other = Made(folder, rows, workers)
        async with other.running(create=True):
            pass
        mixed = replace(whole, folder=folder)
        for part, why in ((mixed.sign, "another signer"), (mixed.gate, "another")):
            with pytest.raises(VaultIncomplete, match=why):
                async with part():
                    pass
        async with whole.sign(), whole.gate(), whole.seal():
            with pytest.raises(VaultIncomplete, match="another signer"):
                async with replace(whole, rows=rows).vault():
                    pass
        # A master key alone, with the right token key beside it
        shutil.copy(folder / "gate" / "master.key", whole.keys("gate") / "master.key")
        async with whole.sign():
            with pytest.raises(VaultIncomplete, match="another master key"):
                async with whole.gate():
                    pass
    postgres.drop_database(rows.text)


async def test_an_index_key_is_neither_made_anew_nor_exchanged(whole: Made) -> None:
    """Tags of persons that were made by the one match none that another makes."""
    kept = whole.keys("gate") / "index.key"
    own = kept.read_bytes()
    async with whole.sign():
        kept.unlink()
        with pytest.raises(MasterKeyMissing, match=r"index\.key"):
            async with whole.gate(create=True):
                pass
        assert not kept.exists()
        kept.touch(0o600)
        kept.write_bytes(bytes(32))
        with pytest.raises(VaultIncomplete, match="another index key"):
            async with whole.gate():
                pass
        kept.write_bytes(own)
        async with whole.gate():
            pass


async def test_no_new_keys_are_made_for_rows_that_have_theirs(whole: Made) -> None:
    for part in ("sign", "gate"):
        whole.keys(part).rename(whole.folder / f"{part}-away")
        with pytest.raises(VaultIncomplete, match=f"another {'signer' if part == 'sign' else 'gate'}"):
            async with getattr(whole, part)(create=True):
                pass
        assert not (whole.keys(part) / "master.key").exists()
        assert not (whole.keys(part) / "log.key").exists()
        shutil.rmtree(whole.keys(part), ignore_errors=True)
        (whole.folder / f"{part}-away").rename(whole.keys(part))


async def test_a_signer_is_held_to_the_line_that_is_pinned(whole: Made) -> None:
    stranger = LogKey.new("kho.local/log-stranger").verifier_line()
    async with whole.sign() as signer, whole.seal():
        async with whole.gate():
            with pytest.raises(VaultIncomplete, match="another log"):
                async with replace(whole, log_key=stranger).vault():
                    pass
            async with replace(whole, log_key=signer.verifier_line).vault():
                pass
            with pytest.raises(VaultIncomplete, match="KHO_ISSUER"):
                async with whole.vault(issuer="https://elsewhere.example"):
                    pass
        async with whole.gate(log_key=stranger):
            with pytest.raises(VaultIncomplete, match="another log"):
                async with whole.vault():
                    pass
    # Learned once, the gate asks nobody again: nobody can tell it another log.
    assert (whole.keys("gate") / "log.public").read_text().strip() == signer.verifier_line
    async with whole.gate(signer=whole.folder / "nobody"):
        pass


@pytest.mark.parametrize(
    ("part", "name"), [("sign", "log.key"), ("gate", "master.key"), ("gate", "token.key")]
)
async def test_keys_that_others_can_read_are_refused(whole: Made, part: str, name: str) -> None:
    (whole.keys(part) / name).chmod(0o644)
    with pytest.raises(MasterKeyExposed, match=name):
        async with getattr(whole, part)():
            pass


async def test_an_older_copy_of_the_rows_is_not_signed(whole: Made) -> None:
    older = RowsAddress(postgres.fresh_database(str(whole.rows.url().database)))
    async with whole.running() as vault:
        await register_agency(vault, NewAgency(people.BANK.code, "Ngân hàng", "Bank"))
        await vault.signer.checkpoint()
    with pytest.raises(LogBehind):
        async with replace(whole, rows=older).sign():
            pass
    postgres.drop_database(older.text)


async def test_rows_that_were_rewritten_are_not_signed(whole: Made) -> None:
    async with whole.running() as vault:
        await vault.signer.checkpoint()
    leaf = b"\x01\x0b" + bytes(32)
    same = {"leaf": leaf, "leaf_hash": leaf_hash(leaf)}
    db = await connect(whole.rows, hold="none")
    async with db.beside() as writing:
        await writing.execute(update(log_entry).where(log_entry.c.idx == 0).values(**same))
    await db.close()
    with pytest.raises(LogForked):
        async with whole.sign():
            pass
