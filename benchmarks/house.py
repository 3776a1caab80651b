"""A vault to measure: offices, three persons, a document of 100 KiB with releases, and a crowd of records."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
from sqlalchemy import insert, select

from policies.packages import shipped_packages
from reuse_api.demo import people
from reuse_api.demo.actors import register
from reuse_api.demo.pki import DemoAuthority
from reuse_api.settings import Settings
from reuse_api.wiring import AUTHORITY, open_vault
from vault import authenticating, deposit, handling, release
from vault.assertions import CLIENT_TYPE, OFFICER_TYPE, make_assertion, new_caller_key
from vault.callers import OwnerCaller, SystemCaller
from vault.clock import Clock
from vault.days import legal_day
from vault.drafting import OpenDossier, Person
from vault.importing import import_procedure
from vault.registering import register_owner
from vault.release import MAX_WANTED, Wanted
from vault.services import Vault
from vault.tables import key_pair, owner, record, record_owner, signature_report

OFFICES = (people.COMMUNE, people.POLICE)
PERSONS = (people.DAUGHTER, people.MOTHER, people.STRANGER)
SIZE = 100 * 1024  # bytes of the document that is fetched
_EACH = 10  # records of each owner in a crowd: what a family has collected over the years


@dataclass
class House:
    """Where the vault is, who may call it, and what was put into it."""

    settings: Settings
    keys: dict[str, dict[str, Any]]
    releases: list[str] = field(default_factory=list)
    serial: int = 0

    def assertions(self, office: people.Office) -> tuple[str, str]:
        """Make the two assertions of a system and its officer."""
        said: dict[str, Any] = {
            "issuer": self.settings.address,
            "client_id": office.system,
            "at": Clock().now(),
        }
        key = self.keys[office.system]
        return (
            make_assertion(key, **said, subject=office.system, typ=CLIENT_TYPE, jti=os.urandom(16).hex()),
            make_assertion(key, **said, subject=office.officer, typ=OFFICER_TYPE, jti=os.urandom(16).hex()),
        )

    async def system(self, vault: Vault, office: people.Office) -> SystemCaller:
        """Prove a system with its officer."""
        client, officer = self.assertions(office)
        told = await authenticating.exchange(vault, client_assertion=client, officer_assertion=officer)
        return vault.gate.check_token(told.token)

    @property
    def environment(self) -> dict[str, str]:
        """The settings as `kho serve` reads them."""
        names = (
            "database",
            "store",
            "store_credentials",
            "search",
            "keys",
            "log_folder",
            "scratch",
            "listen",
        )
        told = {f"KHO_{name.upper()}": getattr(self.settings, name) for name in names}
        return {name: str(value) for name, value in told.items() if value is not None}

    def code(self, office: people.Office) -> str:
        """Give a dossier code that is free."""
        self.serial += 1
        return f"{office.code}-{legal_day(Clock().now()):%y%m%d}-{self.serial:04d}"


@asynccontextmanager
async def built(
    folder: Path, port: int, places: Mapping[str, Any] | None = None
) -> AsyncIterator[tuple[House, Vault]]:
    """Make a vault in `folder`, to be served on `port` afterwards, and keep it open meanwhile.

    Args:
        places: settings in place of those of an embedded vault in `folder`.
    """
    embedded = {
        "database": str(folder / "rows.db"),
        "store": f"folder:{folder / 'blobs'}",
        "search": f"tantivy:{folder / 'index'}",
    }
    settings = Settings(
        **(embedded | dict(places or {})),
        keys=folder / "keys",
        log_folder=folder / "log",
        scratch=folder / "scratch",
        listen=f"127.0.0.1:{port}",
    )
    settings.keys.mkdir(mode=0o700, parents=True)
    DemoAuthority.create(settings.keys / AUTHORITY, Clock().now())
    house = House(settings, {office.system: new_caller_key() for office in OFFICES})
    async with open_vault(settings, create=True) as vault:
        for package in shipped_packages():
            await import_procedure(vault, package)
        for office in OFFICES:
            await register(vault, office, house.keys[office.system])
        yield house, vault


async def citizen(vault: Vault, one: people.Citizen) -> OwnerCaller:
    """Open a person's store and sign in."""
    return await vault.gate.check_session(await signed_in(vault, one))


async def signed_in(vault: Vault, one: people.Citizen) -> str:
    """Open a person's store; gives the secret of a session in it."""
    store = await register_owner(
        vault,
        scheme="personal_number",
        value=one.number,
        name=one.name,
        born_on=None,
        checked_by=people.COMMUNE.code,
    )
    code = await authenticating.new_sign_in_code(vault, store)
    return await authenticating.redeem_code(vault, code) or ""


def paper(size: int) -> bytes:
    """Make a PDF of about `size` bytes that does not compress."""
    made = BytesIO()
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page()
        page.obj["/Padding"] = pdf.make_stream(os.urandom(size - 900))
        pdf.save(made, compress_streams=False)
    return made.getvalue()


async def release_many(house: House, vault: Vault, count: int) -> None:
    """Let the daughter add a document of `SIZE` bytes, and have it released `count` times."""
    wallet = await citizen(vault, people.DAUGHTER)
    await citizen(vault, people.MOTHER)
    file = vault.scratch / "paper.pdf"
    file.write_bytes(paper(SIZE))
    added = await deposit.upload(
        vault,
        wallet,
        file,
        title="Giấy khai sinh",
        type=people.RECORD_TYPE,
        declared_type="application/pdf",
        key="paper",
    )
    file.unlink()
    police = await house.system(vault, people.POLICE)
    code = house.code(people.POLICE)
    persons = (named(people.DAUGHTER, "applicant"), named(people.MOTHER, "householder"))
    await handling.open_dossier(vault, police, code, residence(persons))
    while len(house.releases) < count:
        wanted = [Wanted(people.KINSHIP, added["record"])] * min(MAX_WANTED, count - len(house.releases))
        told = await release.request(vault, police, code, wanted, key=os.urandom(8).hex())
        if not isinstance(told, dict):
            raise RuntimeError(f"not released: {told.reasons}")
        house.releases += [str(item["release"]) for item in told["items"]]


def named(one: people.Citizen, role: str) -> Person:
    """Name a person as a dossier does."""
    return Person(role, "personal_number", one.number, one.name)


def residence(persons: tuple[Person, ...]) -> OpenDossier:
    """Ask for the registration of residence with a relative."""
    return OpenDossier(
        people.RESIDENCE, people.CASE, (), (), persons, "officer_check", "CCCD", channel="counter"
    )


async def crowd(vault: Vault, numbers: range, types: Sequence[str]) -> None:
    """Write rows of records of strangers, as a store of that size has them; no bytes stand behind them."""
    async with vault.db.read() as db:
        models = [dict(row._mapping) for row in await db.execute(select(record).limit(1))]
        report = dict((await db.execute(select(signature_report).limit(1))).one()._mapping)
        pair = dict((await db.execute(select(key_pair).where(key_pair.c.kind == "owner"))).first()._mapping)  # type: ignore[union-attr]
    for start in range(numbers.start, numbers.stop, 1000):
        await _write(vault, models[0], report, pair, range(start, min(start + 1000, numbers.stop)), types)


async def _write(
    vault: Vault,
    model: dict[str, Any],
    report: dict[str, Any],
    pair: dict[str, Any],
    numbers: range,
    types: Sequence[str],
) -> None:
    owners, rows, held, reports, pairs = [], [], [], [], []
    for number in numbers:
        store, name = f"own-crowd-{number // _EACH:08d}", f"rec-crowd-{number:08d}"
        kind = types[number % len(types)]
        if number % _EACH == 0:
            owners.append(
                {"id": store, "kind": "person", "name": "Người dân", "born_on": None, "created_at": "2026"}
            )
            pairs.append(pair | {"id": store})
        own = {"blob": f"crowd/{number}", "content_sha256": sha256(name.encode()).digest()}
        rows.append(model | {"id": name, "type": kind} | own)
        held.append(
            {
                "record": name,
                "owner": store,
                "wrapped_key": b"\x00" * 80,
                "document_code": f"crowd-{number:08d}",
            }
        )
        reports.append(report | {"record": name})
    async with vault.db.write() as db:
        for table, values in (
            (owner, owners),
            (key_pair, pairs),
            (record, rows),
            (record_owner, held),
            (signature_report, reports),
        ):
            if values:
                await db.execute(insert(table), values)
