"""A vault with offices, citizens and certificates: built once, then each test has a copy of its own."""

import itertools
import os
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from sqlalchemy import select

from policies.packages import shipped_packages
from reuse_api.demo import people
from reuse_api.demo.actors import register
from reuse_api.demo.people import Citizen, Office
from reuse_api.demo.pki import DemoAuthority
from signing.trust_folder import TrustFolder
from signing.workers import WorkerPool
from tests import proving, warm_statements
from tests.apart import apart
from tests.scans import making
from tests.servers import postgres, sharing
from vault import authenticating, deliver, handling, issue, release, staff
from vault.assertions import CLIENT_TYPE, OFFICER_TYPE, make_assertion, new_caller_key
from vault.callers import Caller, OwnerCaller, StaffCaller, SystemCaller
from vault.clock import Clock
from vault.days import legal_day
from vault.drafting import OpenDossier, Person
from vault.evidence import OpenedEntry
from vault.importing import import_procedure
from vault.issue import ResultBody
from vault.opening import Authorities, VaultPlaces, opened
from vault.registering import give_role, register_owner
from vault.release import Wanted
from vault.rows_address import RowsAddress
from vault.services import Vault
from vault.tables import log_entry, officer_role

pytest_plugins = ("tests.running",)
warm_statements.share()

ISSUER = "https://kho.example"
OTHER_COMMUNE = Office(
    code="H26.14.03",
    name_vi="Ủy ban nhân dân phường Yên Hòa",
    name_en="People's Committee of Yen Hoa ward",
    system="mot-cua-yen-hoa",
    system_name="Hệ thống một cửa phường Yên Hòa",
    officer="cb-yen-hoa-01",
    officer_name="Đinh Thị Lan",
    procedures=(people.REREGISTRATION,),
    issues=(people.RECORD_TYPE,),
)
PROVINCE = Office(
    code="H26",
    name_vi="Ủy ban nhân dân thành phố Hà Nội",
    name_en="People's Committee of Ha Noi",
    system="mot-cua-ha-noi",
    system_name="Hệ thống một cửa thành phố Hà Nội",
    officer="cb-ha-noi-01",
    officer_name="Bùi Văn Khang",
    procedures=(people.REREGISTRATION,),
)
OFFICES = (
    people.COMMUNE,
    people.POLICE,
    OTHER_COMMUNE,
    PROVINCE,
    people.LAND_OFFICE,
    people.BUSINESS_OFFICE,
    people.BANK,
)
CITIZENS = (people.DAUGHTER, people.MOTHER, people.STRANGER)


@dataclass
class House:
    """An open vault, who may ask it, and what is in it: `daughters`, `mothers`, `childs` are certificates."""

    vault: Vault
    places: VaultPlaces
    authority: DemoAuthority
    keys: dict[str, dict[str, Any]]
    clock: Clock
    daughters: str = ""
    mothers: str = ""
    childs: str = ""
    other_commune: Office = OTHER_COMMUNE
    province: Office = PROVINCE
    serials: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    # Callers, proven as the doors prove them

    async def system(self, office: Office, *, officer: bool = True) -> SystemCaller:
        told = await authenticating.exchange(
            self.vault,
            client_assertion=self.assertion(office, CLIENT_TYPE, office.system),
            officer_assertion=self.assertion(office, OFFICER_TYPE, office.officer) if officer else None,
        )
        return self.vault.gate.check_token(told.token)

    async def desk(self, office: Office) -> SystemCaller:
        """The office's officer, signed in at the desk."""
        who = {"agency": office.code, "officer": office.officer}
        known = await self.rows(select(officer_role).filter_by(role="desk", **who))
        if not known:
            await give_role(self.vault, role="desk", **who)
        ids = {"agency_id": office.code, "officer_id": office.officer}
        code = await staff.new_code(self.vault.db, self.vault.clock, role="desk", **ids)
        found = await staff.redeem_code(self.vault.db, self.vault.gate, self.vault.clock, code)
        assert found is not None
        return (await self.vault.gate.check_staff(found[0])).at_desk()

    async def auditor(self, office: Office) -> StaffCaller:
        """The office's officer, signed in as an auditor."""
        await give_role(self.vault, agency=office.code, officer=office.officer, role="auditor")
        ids = {"agency_id": office.code, "officer_id": office.officer}
        code = await staff.new_code(self.vault.db, self.vault.clock, role="auditor", **ids)
        found = await staff.redeem_code(self.vault.db, self.vault.gate, self.vault.clock, code)
        assert found is not None
        return await self.vault.gate.check_staff(found[0])

    def assertion(self, office: Office, typ: str, subject: str, **changes: Any) -> str:
        said = {"issuer": ISSUER, "client_id": office.system, "subject": subject, "typ": typ}
        said |= {"at": self.vault.clock.now(), "jti": os.urandom(16).hex()}
        return make_assertion(self.keys[office.system], **(said | changes))

    async def session(self, citizen: Citizen) -> str:
        owner = await register_owner(
            self.vault,
            scheme="personal_number",
            value=citizen.number,
            name=citizen.name,
            born_on=None,
            checked_by=people.COMMUNE.code,
        )
        code = await authenticating.new_sign_in_code(self.vault, owner)
        return await authenticating.redeem_code(self.vault, code) or ""

    async def owner(self, citizen: Citizen) -> OwnerCaller:
        return await self.vault.gate.check_session(await self.session(citizen))

    # Dossiers and results

    def code(self, office: Office) -> str:
        return f"{office.code}-{legal_day(self.vault.clock.now()):%y%m%d}-{next(self.serials):04d}"

    def person(self, citizen: Citizen, role: str, **more: Any) -> Person:
        return Person(role, "personal_number", citizen.number, citizen.name, **more)

    def reregistration(self, *persons: Person, **changes: Any) -> OpenDossier:
        named = persons or (self.person(people.DAUGHTER, "applicant"),)
        return replace(
            OpenDossier(people.REREGISTRATION, None, (), (), named, "officer_check", "CCCD", "counter"),
            **changes,
        )

    def residence(self, *persons: Person, **changes: Any) -> OpenDossier:
        named = persons or (
            self.person(people.DAUGHTER, "applicant"),
            self.person(people.MOTHER, "householder"),
        )
        return self.reregistration(*named, procedure=people.RESIDENCE, case=people.CASE, **changes)

    async def opens(self, caller: SystemCaller, office: Office, body: OpenDossier) -> str:
        """Open a dossier under a new code, and give the code."""
        code = self.code(office)
        told = await handling.open_dossier(self.vault, caller, code, body)
        assert isinstance(told, dict), told
        return code

    async def issues(
        self, caller: SystemCaller, code: str, citizen: Citizen, **changes: Any
    ) -> dict[str, Any]:
        """Hand in a birth certificate as fields."""
        day = legal_day(self.vault.clock.now()).isoformat()
        making = _CERTIFICATES.get(citizen, _daughters)
        fields = making(f"{next(self.serials)}/2026", day)
        body = ResultBody("GKS", ("applicant",), fields, None, None, None, None)
        key = changes.pop("key", os.urandom(8).hex())
        told = await issue.issue(self.vault, caller, code, replace(body, **changes), None, key=key)
        assert isinstance(told, dict), told
        return told

    async def releases(self, caller: SystemCaller, code: str, record: str | None = None) -> str:
        """Ask for the proof of kinship, and give the release."""
        wanted = [Wanted(people.KINSHIP, record)]
        told = await release.request(self.vault, caller, code, wanted, key=os.urandom(8).hex())
        assert isinstance(told, dict), told
        return str(told["items"][0]["release"])

    async def reads(self, caller: SystemCaller, release_id: str, **span: Any) -> bytes:
        """Fetch the content of a release to its end."""
        delivery = await deliver.deliver(self.vault, caller, release_id, **span)
        assert isinstance(delivery, deliver.Delivery), delivery
        return await self.drained(delivery)

    async def drained(self, delivery: deliver.Delivery) -> bytes:
        return b"".join([chunk async for chunk in delivery.chunks])

    # Behind the vault's back

    async def rows(self, query: Any) -> list[Any]:
        async with self.vault.db.read() as db:
            return list(await db.execute(query))

    async def change(self, *statements: Any) -> None:
        """Write rows as no operation would: what somebody with the database file could do."""
        async with self.vault.db.write() as db:
            for statement in statements:
                await db.execute(statement)

    async def size(self) -> int:
        return len(await self.rows(select(log_entry.c.idx)))

    async def last(self, caller: Caller, count: int = 1) -> list[OpenedEntry]:
        """Open the newest entries that a caller may open, newest last."""
        size = await self.size()
        found = await self.vault.gate.open_entries(range(size), caller)
        return found[-count:]


def _daughters(number: str, day: str) -> dict[str, Any]:
    return people.certificate(number, day, birth_place="Hà Nội")


_CERTIFICATES = {people.MOTHER: people.mothers_certificate, people.CHILD: people.childs_certificate}


def _empty(folder: str, names: list[str]) -> set[str]:
    """Of the names in a folder, those of folders with nothing in them: most of 256 shards."""
    places = [(name, os.path.join(folder, name)) for name in names]
    return {name for name, place in places if os.path.isdir(place) and not os.listdir(place)}


@dataclass(frozen=True)
class Template:
    """A built vault, closed: its folder, its authority, the callers' private keys, the certificates."""

    folder: Path
    rows: RowsAddress
    authority: DemoAuthority
    keys: dict[str, dict[str, Any]]
    daughters: str
    mothers: str
    childs: str

    def copied(self, folder: Path) -> Path:
        """Copy the files; folders in which there are none are made when the vault is opened."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True, ignore=_empty)
        return folder


def places_in(folder: Path, rows: RowsAddress | None = None) -> VaultPlaces:
    return VaultPlaces(
        rows or RowsAddress(str(folder / "rows.db")),
        f"folder:{folder / 'blobs'}",
        folder / "keys",
        folder / "log",
        folder / "scratch",
    )


@asynccontextmanager
async def opened_house(
    folder: Path,
    authority: DemoAuthority,
    keys: dict[str, dict[str, Any]],
    workers: WorkerPool,
    *,
    rows: RowsAddress | None = None,
    clock: Clock | None = None,
    create: bool = False,
) -> AsyncIterator[House]:
    places = places_in(folder, rows)
    clock = clock or Clock()
    trusted = Authorities(
        TrustFolder(fixed=authority.anchors()),
        authority.timestamper(),
        authority.revocation(),
        demonstration=True,
    )
    opening = opened(
        places,
        create=create,
        clock=clock,
        issuer=ISSUER,
        authorities=trusted,
        workers=workers,
        realms=proving.realms(),
    )
    async with opening as vault:
        yield House(vault, places, authority, keys, clock)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
async def workers(anyio_backend: str) -> AsyncIterator[WorkerPool]:
    """The real processes that examine files, started once for all vaults of the tests."""
    pool = WorkerPool(size=2)
    await pool.start()
    yield pool
    await pool.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rows",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="the database that every vault of the tests is on",
    )

    parser.addoption(
        "--parts",
        choices=("one", "several"),
        default="one",
        help="whether signer, gate and sealer of the flows are processes of their own, on real servers alone",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module whose ROWS names both databases is run on both, one whose PARTS names both places in both."""
    if (parts := getattr(metafunc.module, "PARTS", ())) and "parts_kind" in metafunc.fixturenames:
        metafunc.parametrize("parts_kind", parts, indirect=True)
    kinds = getattr(metafunc.module, "ROWS", ())
    if (
        kinds
        and metafunc.config.getoption("--rows") == "sqlite"
        and metafunc.config.getoption("--parts") == "one"
    ):
        for name in {"rows_kind", "kho"} & set(metafunc.fixturenames):
            metafunc.parametrize(name, kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def rows_kind(request: pytest.FixtureRequest) -> str:
    if request.config.getoption("--parts") == "several":
        return "postgresql"
    return str(getattr(request, "param", request.config.getoption("--rows")))


@pytest.fixture(scope="session")
def templates() -> dict[str, Template]:
    """What `template` has built, by database: files take turns at the databases, each is filled once."""
    return {}


@pytest.fixture(scope="session")
async def template(
    rows_kind: str, templates: dict[str, Template], request: pytest.FixtureRequest, workers: WorkerPool
) -> Template:
    """The catalogue, five offices, four citizens; mother, daughter and child have birth certificates."""
    if rows_kind not in templates:
        folder = request.getfixturevalue("tmp_path_factory").mktemp("template")
        templates[rows_kind] = await _built(rows_kind, folder, workers)
    return templates[rows_kind]


async def _built(rows_kind: str, folder: Path, workers: WorkerPool) -> Template:
    kept = RowsAddress(str(folder / "rows.db"))
    if rows_kind == "postgresql":
        kept = RowsAddress(postgres.fresh_database())
    (folder / "keys").mkdir(mode=0o700)
    authority = DemoAuthority.create(folder / "keys" / "authority", Clock().now())
    keys = {office.system: new_caller_key() for office in OFFICES}
    certificates = {}
    async with opened_house(folder, authority, keys, workers, rows=kept, create=True) as house:
        await furnish(house, OFFICES)
        commune = await house.system(people.COMMUNE)
        for citizen in CITIZENS:
            await house.owner(citizen)
        for citizen in (people.DAUGHTER, people.MOTHER, people.CHILD):
            born = date.fromisoformat(citizen.born_on) if citizen is people.CHILD else None
            body = house.reregistration(house.person(citizen, "applicant", born_on=born))
            code = await house.opens(commune, people.COMMUNE, body)
            certificates[citizen] = (await house.issues(commune, code, citizen))["record"]
    held = [certificates[one] for one in (people.DAUGHTER, people.MOTHER, people.CHILD)]
    return Template(folder, kept, authority, keys, *held)


async def furnish(house: House, offices: Iterable[Office]) -> None:
    for package in shipped_packages():
        await import_procedure(house.vault, package)
    for office in offices:
        await register(house.vault, office, house.keys[office.system])
        house.vault.sealer.add(office.code, house.authority.issue_seal_key(office.name_vi, office.code))


@pytest.fixture
def folder(template: Template, tmp_path: Path) -> Path:
    """A copy of the built vault, closed."""
    return template.copied(tmp_path / "kho")


@contextmanager
def copied_rows(template: Template, folder: Path) -> Iterator[RowsAddress]:
    """Where the rows of a copied vault are; those of a server are copied as well, and dropped at the end."""
    if not template.rows.server:
        yield RowsAddress(str(folder / "rows.db"))
        return
    copied = postgres.fresh_database(str(template.rows.url().database))
    yield RowsAddress(copied)
    postgres.drop_database(copied)


@pytest.fixture
def rows_address(folder: Path, template: Template) -> Iterator[RowsAddress]:
    """This test's copy of the built vault's rows."""
    with copied_rows(template, folder) as rows:
        yield rows


@pytest.fixture
def vault_settings(folder: Path, rows_address: RowsAddress, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the settings at this test's copy of the built vault."""
    places = {
        "DATABASE": rows_address.text,
        "STORE": f"folder:{folder / 'blobs'}",
        "KEYS": folder / "keys",
        "LOG_FOLDER": folder / "log",
        "SCRATCH": folder / "scratch",
    }
    for name, value in places.items():
        monkeypatch.setenv(f"KHO_{name}", str(value))
    return folder


@pytest.fixture
def open_house(folder: Path, rows_address: RowsAddress, template: Template, workers: WorkerPool) -> Any:
    """Open this test's copy: `async with open_house() as house`, as often as it needs."""

    @asynccontextmanager
    async def opening(clock: Clock | None = None) -> AsyncIterator[House]:
        at = {"rows": rows_address, "clock": clock}
        async with opened_house(folder, template.authority, template.keys, workers, **at) as house:
            house.daughters, house.mothers, house.childs = (
                template.daughters,
                template.mothers,
                template.childs,
            )
            house.serials = itertools.count(100)
            yield house

    return opening


@pytest.fixture
def parts_kind(request: pytest.FixtureRequest) -> str:
    """Where signer, gate and sealer are: "here", or "apart", each behind a socket."""
    return str(getattr(request, "param", "here"))


@pytest.fixture
async def house(open_house: Any, parts_kind: str) -> AsyncIterator[House]:
    async with open_house() as house:
        if parts_kind == "here":
            yield house
            return
        async with apart(house) as other:
            yield other


@pytest.fixture
async def commune(house: House) -> SystemCaller:
    return await house.system(people.COMMUNE)


@pytest.fixture
async def police(house: House) -> SystemCaller:
    return await house.system(people.POLICE)


@pytest.fixture
async def daughter(house: House) -> OwnerCaller:
    return await house.owner(people.DAUGHTER)


@pytest.fixture
async def mother(house: House) -> OwnerCaller:
    return await house.owner(people.MOTHER)


@pytest.fixture
async def bank(house: House) -> SystemCaller:
    return await house.system(people.BANK, officer=False)


@pytest.fixture
async def stranger(house: House) -> OwnerCaller:
    return await house.owner(people.STRANGER)


@pytest.fixture
def scanned(tmp_path: Path) -> Any:
    """Make scans that pass and differ: `scanned("a title")` gives a path."""

    def make(title: str) -> Path:
        path = tmp_path / f"{os.urandom(4).hex()}.pdf"
        path.write_bytes(making.good_scan(title))
        return path

    return make


@pytest.fixture
def pdf(tmp_path: Path) -> Any:
    """Make PDFs that differ: `pdf("a title")` gives a path."""

    def make(title: str) -> Path:
        made = BytesIO()
        with pikepdf.new() as paper:
            paper.add_blank_page()
            paper.docinfo["/Title"] = title
            paper.save(made)
        path = tmp_path / f"{os.urandom(4).hex()}.pdf"
        path.write_bytes(made.getvalue())
        return path

    return make


# Which servers were real: each process of the run tells the first one, which prints them

_SERVERS = pytest.StashKey[set[str]]()


def pytest_sessionfinish(session: pytest.Session) -> None:
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["servers"] = sharing.versions()
    session.config.stash.setdefault(_SERVERS, set()).update(sharing.versions())


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    told = getattr(node, "workeroutput", {})
    node.config.stash.setdefault(_SERVERS, set()).update(told.get("servers", ()))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    used = sorted(config.stash.get(_SERVERS, set()))
    terminalreporter.write_line(f"real servers: {', '.join(used) or 'none was asked for'}")
