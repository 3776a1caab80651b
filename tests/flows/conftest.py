"""One vault served over loopback for all flows: its offices, its people, and callers who prove themselves.

Every test opens dossiers of its own, so that none depends on what another did.
"""

import asyncio
import itertools
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pikepdf
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from policies.packages import shipped_packages
from reuse_api.__main__ import run
from reuse_api.app import create_app
from reuse_api.callers import SESSION_COOKIE, STAFF_COOKIE
from reuse_api.demo import people
from reuse_api.demo.actors import register
from reuse_api.demo.people import Citizen, Office
from reuse_api.demo.pki import DemoAuthority
from reuse_api.serving import listen, server
from reuse_api.settings import Settings, variable
from reuse_api.tokens import CLIENT_ASSERTION_TYPE, JWT_BEARER
from reuse_api.wiring import AUTHORITY, open_vault
from signing.errors import TimestampFailed
from signing.keys_file import FileKey
from signing.service_state import ServiceState
from storage.keyring import load_or_create_master, load_or_create_secret
from storage.s3_address import StoreAccess
from tests.flows.kept_bytes import BucketBytes, FolderBytes, KeptBytes
from tests.flows.of_one_process import why_not
from tests.flows.plain_browser import TO_THE_ROOM, TO_THE_WALLET, enter
from tests.servers import postgres, search_nodes, seaweed
from tests.servers.demo_services import DemoServices
from tests.servers.realms import Realms
from tests.servers.sharing import Unobtainable
from tests.servers.three import Three
from vault import staff
from vault.appending import Appender
from vault.assertions import CLIENT_TYPE, OFFICER_TYPE, TokenKey, make_assertion, new_caller_key
from vault.authenticating import new_sign_in_code, redeem_code
from vault.callers import Role
from vault.clock import Clock
from vault.connecting import connect
from vault.days import legal_day
from vault.importing import import_procedure
from vault.officer_sign_ins import let_sign_in
from vault.readiness import searchable
from vault.registering import give_role, register_owner
from vault.rows_address import RowsAddress
from vault.seal_keys import SealKeys
from vault.services import Vault
from vault.session_marks import SessionMarks
from vault.tables import officer_role

AddKey = Callable[[str, FileKey], None]
GateBeside = Callable[[Mapping[str, Any]], Path]
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
OFFICES = (
    people.COMMUNE,
    people.POLICE,
    OTHER_COMMUNE,
    people.LAND_OFFICE,
    people.BUSINESS_OFFICE,
    people.BANK,
)
# Who has an account at the providers: everybody of the story, by personal number or officer's name.
PERSONS = {one.number: one for one in vars(people).values() if isinstance(one, Citizen)}
_OF_SERVING = ("listen", "demo_sign_in", "ocr")
STAFF = {one.officer for one in (*vars(people).values(), *OFFICES) if isinstance(one, Office)}


class NobodyAnswers:
    """A service of time stamps that is away."""

    issuers = ()
    state = ServiceState("none")

    async def answer(self, request: bytes, at: datetime) -> bytes:
        raise TimestampFailed("nobody answers")


@dataclass(frozen=True)
class Around:
    """What is around the process that serves: its bytes behind its back, and keys that others may hold.

    `marks` are made by the gate's key. `gate_beside` starts another gate, told of other providers, where the
    gate is a process. `services` are those of time stamps and certificate status, where they are asked over
    HTTP.
    """

    kept: KeptBytes
    token_key: TokenKey
    seal_keys: SealKeys
    seal_folder: Path
    marks: SessionMarks
    gate_beside: GateBeside | None = None
    services: DemoServices | None = None


@dataclass
class Kho:
    """The running service; `run` does something inside its event loop."""

    folder: Path
    vault: Vault  # as it is served
    registry: Vault  # the same, as whoever registers has it: by the owner of the tables
    settings: Settings
    loop: asyncio.AbstractEventLoop
    keys: dict[str, dict[str, Any]]
    app: FastAPI
    around: "Around"
    owners_rows: str  # their address for the owner of the tables
    serials: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def url(self) -> str:
        return self.settings.address

    @property
    def told(self) -> dict[str, str]:
        """Give the settings of the running service as a command of its operator is told them."""
        own = self.settings.model_dump(exclude_defaults=True) | {"database": self.owners_rows}
        return {variable(name): str(one) for name, one in own.items() if name not in _OF_SERVING}

    def run(self, doing: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(timeout=60)

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Accept-Language": "en"} | headers, timeout=60)

    def assertion(self, office: Office, typ: str, subject: str, **changes: Any) -> str:
        said = {
            "issuer": self.url,
            "client_id": office.system,
            "subject": subject,
            "typ": typ,
            "at": Clock().now(),
            "jti": os.urandom(16).hex(),
            "lifetime": timedelta(minutes=1),
        }
        return make_assertion(changes.pop("key", self.keys[office.system]), **(said | changes))

    def token_form(self, office: Office) -> dict[str, str]:
        return {
            "grant_type": JWT_BEARER,
            "client_assertion_type": CLIENT_ASSERTION_TYPE,
            "client_assertion": self.assertion(office, CLIENT_TYPE, office.system),
            "assertion": self.assertion(office, OFFICER_TYPE, office.officer),
        }

    def system(self, office: Office, *, officer: bool = True) -> httpx.Client:
        """A processing system with a fresh token that names its officer, or nobody."""
        form = self.token_form(office)
        if not officer:
            form = form | {"grant_type": "client_credentials"}
            del form["assertion"]
        with self.client() as asking:
            reply = asking.post("/oauth2/token", data=form)
        assert reply.status_code == 200, reply.text
        return self.client(Authorization=f"Bearer {reply.json()['access_token']}")

    def wallet(self, citizen: Citizen) -> httpx.Client:
        """A citizen, signed in; her store is opened when there is none yet."""
        owner = self.run(self._store(citizen))
        if self.settings.citizens_provider:
            secret = enter(self.url, TO_THE_WALLET, citizen.number, SESSION_COOKIE, acr="LoA2")
        else:
            secret = self.run(self._session(owner))
        return self.client(Cookie=f"{SESSION_COOKIE}={secret}")

    async def _store(self, citizen: Citizen) -> str:
        return await register_owner(
            self.vault,
            scheme="personal_number",
            value=citizen.number,
            name=citizen.name,
            born_on=None,
            checked_by=people.COMMUNE.code,
        )

    async def _session(self, owner: str) -> str | None:
        return await redeem_code(self.vault, await new_sign_in_code(self.vault, owner))

    def staff(self, office: Office, role: Role) -> httpx.Client:
        """An officer of an office, signed in for one role."""
        self.run(self._role(office, role))
        if self.settings.staff_provider:
            account = office.officer
            secret = enter(self.url, TO_THE_ROOM[role], account, STAFF_COOKIE, amr="pwd otp mfa")
        else:
            secret = self.run(self._staff_session(office, role))
        return self.client(Cookie=f"{STAFF_COOKIE}={secret}")

    async def _role(self, office: Office, role: Role) -> None:
        """Give the officer that role, and an account to sign in with where there is a provider."""
        who = {"agency": office.code, "officer": office.officer}
        async with self.vault.db.read() as db:
            known = (await db.execute(select(officer_role).filter_by(role=role, **who))).first()
        if known is None:
            await give_role(self.registry, role=role, **who)
        if provider := self.settings.staff_provider:
            await let_sign_in(self.registry, issuer=provider, subject=office.officer, **who)

    async def _staff_session(self, office: Office, role: Role) -> str:
        code = await staff.new_code(
            self.vault.db, self.vault.clock, agency_id=office.code, officer_id=office.officer, role=role
        )
        redeemed = await staff.redeem_code(self.vault.db, self.vault.gate, self.vault.clock, code)
        assert redeemed is not None
        return redeemed[0]

    @contextmanager
    def nobody_stamps(self) -> Iterator[None]:
        """Let no service of time stamps answer meanwhile."""
        if self.around.services is not None:
            self.around.services.stamps_server.stop()
            try:
                yield
            finally:
                self.around.services.stamps_server.start()
            return
        with pytest.MonkeyPatch.context() as down:
            down.setattr(self.vault.sealer, "_timestamper", NobodyAnswers())
            yield

    def new_code(self, office: Office) -> str:
        return f"{office.code}-{legal_day(Clock().now()):%y%m%d}-{next(self.serials):04d}"

    def issue(self, commune: httpx.Client, reregistration: dict[str, Any]) -> "Certificate":
        """Open a dossier of the commune's and hand in the certificate as fields."""
        code = self.new_code(people.COMMUNE)
        reply = commune.put(f"/v1/dossiers/{code}", json=reregistration)
        assert reply.status_code == 200, reply.text
        today = legal_day(Clock().now()).isoformat()
        result = {
            "type": people.RECORD_TYPE,
            "owner_roles": ["applicant"],
            "fields": people.certificate(f"{next(self.serials)}/2026", today, birth_place="Hà Nội"),
        }
        reply = commune.post(f"/v1/dossiers/{code}/results", json=result, headers={"Idempotency-Key": code})
        assert reply.status_code == 201, reply.text
        told = reply.json()
        return Certificate(told["record"], told["digest"], told["size"], told["receipt"], told["index"])


@dataclass(frozen=True)
class StoreAt:
    """Where bytes are kept: what the service is told, and how they are looked at behind its back."""

    told: dict[str, Any]
    kept: KeptBytes


@dataclass(frozen=True)
class Parts:
    """What a service is told, and what runs beside it."""

    settings: Settings
    gate_folder: Path
    seal_folder: Path
    seal_keys: SealKeys | None = None
    services: DemoServices | None = None
    gate_beside: GateBeside | None = None
    work: Callable[[Mapping[str, Any]], None] = lambda _: None  # starts `kho work`, where it is a process


class Service:
    """The service in a thread of its own, with an event loop of its own, as `kho serve` has."""

    def __init__(
        self,
        folder: Path,
        rows: str | None = None,
        store: StoreAt | None = None,
        search: str | None = None,
        *,
        several: bool = False,
    ) -> None:
        self._folder = folder
        self._several = several
        self._search = search or f"tantivy:{folder / 'index'}"
        blobs = folder / "blobs"
        self._store = store or StoreAt({"store": f"folder:{blobs}"}, FolderBytes(blobs))
        self._rows = rows or str(folder / "rows.db")
        self._ready = threading.Event()
        self._problem: BaseException | None = None
        self.kho: Kho | None = None
        self._ending: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="kho")

    @property
    def _embedded(self) -> bool:
        """Whether every address is on this very machine, as the demo's sign-in demands."""
        rows, store = "://" not in self._rows, self._store.told["store"].startswith("folder:")
        return rows and store and self._search.startswith("tantivy:") and not self._several

    def __enter__(self) -> Kho:
        self._thread.start()
        self._ready.wait()
        if isinstance(self._problem, Unobtainable):
            pytest.skip(str(self._problem))
        if self.kho is None:
            raise RuntimeError("the service did not start") from self._problem
        return self.kho

    def __exit__(self, *_: object) -> None:
        if self.kho is not None and self._ending is not None:
            self.kho.loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()
        if self._problem is not None:
            raise self._problem

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as problem:
            self._problem = problem
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._ending = asyncio.Event()
        with listen("127.0.0.1", 0) as socket:
            settings = Settings(
                database=self._rows,
                **self._store.told,
                keys=self._folder / "keys",
                log_folder=self._folder / "log",
                scratch=self._folder / "scratch",
                search=self._search,
                listen=f"127.0.0.1:{socket.getsockname()[1]}",
                demo_sign_in=self._embedded,
                ocr="off",
                webhook_hosts="127.0.0.1",
            )
            settings.keys.mkdir(mode=0o700)
            authority = DemoAuthority.create(settings.keys / AUTHORITY, Clock().now())
            async with (
                self._parts(settings, authority) as parts,
                open_vault(parts.settings, create=True) as vault,
                _registry(vault, settings.database, several=self._several) as registry,
            ):
                owners_rows, settings = settings.database, parts.settings
                keys = {office.system: new_caller_key() for office in OFFICES}
                if parts.seal_keys is None:
                    seal_keys, add = vault.sealer.keys, vault.sealer.add
                else:
                    seal_keys, add = parts.seal_keys, parts.seal_keys.add
                token_key = TokenKey(load_or_create_secret(parts.gate_folder, "token", create=False))
                master = load_or_create_master(parts.gate_folder, create=False)
                around = Around(
                    self._store.kept,
                    token_key,
                    seal_keys,
                    parts.seal_folder,
                    SessionMarks(master.derived(b"session")),
                    parts.gate_beside,
                    parts.services,
                )
                await _furnish(registry, authority, keys, add)
                app = create_app(vault, settings)
                serving = server(app)
                running = asyncio.create_task(serving.serve(sockets=[socket]))
                while not serving.started:
                    await asyncio.sleep(0.01)
                for _ in range(1000 if settings.search.startswith("tantivy:") else 0):
                    if (await searchable(vault))["state"] == "ok":  # built beside the doors
                        break
                    await asyncio.sleep(0.01)
                loop = asyncio.get_running_loop()
                self.kho = Kho(self._folder, vault, registry, settings, loop, keys, app, around, owners_rows)
                await asyncio.to_thread(parts.work, settings.model_dump(exclude_defaults=True))
                self._ready.set()
                await self._ending.wait()
                serving.should_exit = True
                await running

    @asynccontextmanager
    async def _parts(self, settings: Settings, authority: DemoAuthority) -> AsyncIterator[Parts]:
        """Give what the service is told, once all that it asks runs where that is other processes'."""
        if not self._several:
            yield Parts(settings, settings.keys, settings.keys / "seal")
            return
        at = {"issuer": settings.address, "authority": settings.keys / AUTHORITY}
        own = self._folder / "realms"
        realms = Realms(own, own, settings.address, citizens=PERSONS, officers=STAFF)
        with DemoServices(authority) as services, realms:
            asked = services.told(self._folder)
            async with Three(settings.database, **at, more=asked | realms.settings) as three:
                told = three.settings | {"log_folder": three.log_folder} | realms.settings | asked
                settings, folders = settings.model_copy(update=told), (three.gate_folder, three.seal_folder)
                yield Parts(settings, *folders, three.seal_keys, services, three.gate_beside, three.work)


@asynccontextmanager
async def _registry(vault: Vault, owners_rows: str, *, several: bool) -> AsyncIterator[Vault]:
    """Give the vault as the commands of whoever registers open it beside the one that is served."""
    if not several:
        yield vault
        return
    db = await connect(RowsAddress(owners_rows), hold="writing")
    appender = Appender(db, vault.signer)
    try:
        await appender.start()
        yield replace(vault, db=db, appender=appender)
    finally:
        await appender.close()
        await db.close()


async def _furnish(
    vault: Vault, authority: DemoAuthority, keys: dict[str, dict[str, Any]], add: AddKey
) -> None:
    for package in shipped_packages():
        await import_procedure(vault, package)
    for office in OFFICES:
        await register(vault, office, keys[office.system])
        add(office.code, authority.issue_seal_key(office.name_vi, office.code))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, by name and reason, what cannot be where the parts are several."""
    if config.getoption("--parts") == "several":
        for one in items:
            if (reason := why_not(one.nodeid)) is not None:
                one.add_marker(pytest.mark.skip(reason=reason))


def service_of(
    request: pytest.FixtureRequest,
    folder: Path,
    *,
    rows: str | None = None,
    store: StoreAt | None = None,
    search: str | None = None,
) -> Service:
    """Give a service that is set up as the run's options say, but for what is given here."""
    kind = getattr(request, "param", request.config.getoption("--rows"))
    if request.config.getoption("--parts") == "one":
        return Service(folder, rows or _fresh_rows(kind), store, search)
    rows, search = rows or postgres.fresh_database(), search or search_nodes.address("elasticsearch")
    return Service(folder, rows, store or _fresh_store(folder), search, several=True)


@pytest.fixture(scope="session")
def started() -> Iterator[tuple[ExitStack, dict[str, Kho]]]:
    """What `kho` has started, by database: files take turns at the databases, each has one service."""
    with ExitStack() as stack:
        yield stack, {}


@pytest.fixture(scope="session")
def kho(
    request: pytest.FixtureRequest,
    started: tuple[ExitStack, dict[str, Kho]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Kho:
    stack, running = started
    kind = getattr(request, "param", request.config.getoption("--rows"))
    if kind not in running:
        running[kind] = stack.enter_context(service_of(request, tmp_path_factory.mktemp("kho")))
    return running[kind]


@pytest.fixture
def kho_apart(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kho]:
    """A service of a test's own, for what others must not see."""
    with service_of(request, tmp_path) as running:
        yield running


@pytest.fixture
def kho_on_s3(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Kho, seaweed.PrivateSeaweed]]:
    """A service whose bytes are in a bucket, and the server of that bucket, which may be killed."""
    with _on_s3(request, tmp_path) as both:
        yield both


@pytest.fixture
def kho_before_s3(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Kho, seaweed.PrivateSeaweed]]:
    """The same, begun while that server does not run."""
    with _on_s3(request, tmp_path, killed=True) as both:
        yield both


@contextmanager
def _on_s3(
    request: pytest.FixtureRequest, folder: Path, *, killed: bool = False
) -> Iterator[tuple[Kho, seaweed.PrivateSeaweed]]:
    server = seaweed.PrivateSeaweed()
    try:
        offers = server.offers
        seaweed.client_of(offers["host"], offers["access"], offers["secret"]).make_bucket("kho")
        store = _store_at(f"s3+http://{server.host}/kho/here", seaweed.access_of(offers, folder))
        if killed:
            server.kill()
        with service_of(request, folder, store=store) as running:
            yield running, server
    finally:
        server.close()


def _fresh_rows(kind: str) -> str | None:
    return postgres.fresh_database() if kind == "postgresql" else None


def _fresh_store(folder: Path) -> StoreAt:
    return _store_at(*seaweed.fresh_store(folder, lock=True))


def _store_at(address: str, access: StoreAccess) -> StoreAt:
    keys = access.credentials.read_text().split()
    told = {"store": address, "store_credentials": access.credentials}
    return StoreAt(told, BucketBytes(address, *keys))


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def kho_command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run a command in this process: a new one needs seconds to start."""

    def command(*arguments: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> Done:
        monkeypatch.setenv("LC_ALL", "C.UTF-8")
        for name, value in (env or {}).items():
            monkeypatch.setenv(name, value)
        if cwd is not None:
            monkeypatch.chdir(cwd)
        capfd.readouterr()
        status = run(arguments)
        said = capfd.readouterr()
        return Done(int(status), said.out, said.err)

    return command


# Callers ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def commune(kho: Kho) -> Iterator[httpx.Client]:
    with kho.system(people.COMMUNE) as system:
        yield system


@pytest.fixture(scope="module")
def police(kho: Kho) -> Iterator[httpx.Client]:
    with kho.system(people.POLICE) as system:
        yield system


@pytest.fixture(scope="module")
def other_commune(kho: Kho) -> Iterator[httpx.Client]:
    with kho.system(OTHER_COMMUNE) as system:
        yield system


@pytest.fixture(scope="module")
def bank(kho: Kho) -> Iterator[httpx.Client]:
    with kho.system(people.BANK) as system:
        yield system


@pytest.fixture(scope="module")
def mother(kho: Kho) -> Iterator[httpx.Client]:
    with kho.wallet(people.MOTHER) as wallet:
        yield wallet


@pytest.fixture(scope="module")
def daughter(kho: Kho) -> Iterator[httpx.Client]:
    with kho.wallet(people.DAUGHTER) as wallet:
        yield wallet


@pytest.fixture(scope="module")
def stranger(kho: Kho) -> Iterator[httpx.Client]:
    with kho.wallet(people.STRANGER) as wallet:
        yield wallet


@pytest.fixture
def write_key() -> dict[str, str]:
    return {"Idempotency-Key": os.urandom(8).hex()}


# Dossiers --------------------------------------------------------------------------------------------


def evidence() -> dict[str, str]:
    return {"kind": "officer_check", "reference": "thẻ căn cước xem tại quầy"}


@pytest.fixture(scope="session")
def reregistration() -> dict[str, Any]:
    """The commune registers the daughter's birth again."""
    return {
        "procedure": people.REREGISTRATION,
        "channel": "counter",
        "evidence": evidence(),
        "persons": [people.DAUGHTER.named("applicant")],
    }


@pytest.fixture(scope="session")
def residence() -> dict[str, Any]:
    """The daughter moves to her mother's household."""
    return {
        "procedure": people.RESIDENCE,
        "case": people.CASE,
        "channel": "counter",
        "evidence": evidence(),
        "persons": [people.DAUGHTER.named("applicant"), people.MOTHER.named("householder")],
    }


@pytest.fixture(scope="module")
def plain_pdf() -> bytes:
    """A PDF of one blank page, without any signature, that no other module's tests have."""
    made = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.docinfo["/Title"] = os.urandom(8).hex()
        pdf.save(made)
    return made.getvalue()


@pytest.fixture(scope="session")
def changed() -> Any:
    """`changed(content, position)`: the same bytes with one bit of one byte changed."""

    def change(content: bytes, position: int) -> bytes:
        return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]

    return change


@dataclass(frozen=True)
class Certificate:
    """A sealed birth certificate of the daughter, in her store."""

    record: str
    digest: str
    size: int
    receipt: str
    index: int


@pytest.fixture(scope="module")
def certificate(kho: Kho, commune: httpx.Client, reregistration: dict[str, Any]) -> Certificate:
    """One that stays in force; a test that revokes one issues its own."""
    return kho.issue(commune, reregistration)
