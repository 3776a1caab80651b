"""One contract for every kind of seal key: the same seal, the same verdict, the same words when it fails."""

import asyncio
import hashlib
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signing import anchors
from signing.csc_client import CscClient
from signing.errors import (
    SealAnswerLost,
    SealingFailed,
    SealKeyInvalid,
    SealKeyMissing,
    SealKeyRefused,
    SealKeyUnavailable,
    SealRequestConflict,
    StatusFailed,
    TimestampFailed,
)
from signing.exchange import Limits
from signing.keys import SealKey, verifies
from signing.keys_check import check_seal_key
from signing.keys_file import FileKey
from signing.keys_remote import RemoteKey
from signing.status_http import HttpStatus
from signing.timestamps import LocalTimestamper
from signing.timestamps_http import HttpTimestamper
from signing.trust_folder import TrustFolder
from signing.validation import validate
from signing.workers import WorkerPool
from tests.apart import SealingApart
from tests.contracts.kinds_of_keys import AGENCY, NAME, AtService, InToken, KindOfKey, made
from tests.servers import loopback, softhsm
from tests.servers.csc_server import CLIENT, SECRET, CscServer, Held
from tests.servers.ocsp_server import StatusServer
from tests.servers.pki import Pki, der, serving
from tests.servers.tsa_server import StampServer
from vault.remote_sealer import RemoteSealer
from vault.seal_keys import SealKeys
from vault.sealer import Sealer

pytestmark = pytest.mark.anyio
BOTH = pytest.mark.parametrize("parts_kind", ("here", "apart"), indirect=True)
KINDS = ("file-p256", "file-rsa", "token-p256", "token-rsa", "service-p256", "service-rsa")
EACH_PLACE = ("file-p256", "token-p256", "service-p256")
PLACE = (330, 770, 560, 820)  # of the seal on the page
QUICK = Limits(seconds=5, pause=0.01)


class Services:
    """A PKI and its services over HTTP; `apart`: sealers are behind sockets."""

    def __init__(self) -> None:
        self.apart: SealingApart | None = None
        self.status = StatusServer().start()
        self.pki = Pki(status_url=f"{self.status.url}/ocsp", crl_url=self.status.crl_url)
        self.status.pki = self.pki
        stamps = FileKey(self.pki.stamps.private, self.pki.stamps.chain)
        self.stamps = StampServer(LocalTimestamper(stamps)).start()

    async def sealer(self, held: KindOfKey) -> Sealer | RemoteSealer:
        stamper = HttpTimestamper(
            f"{self.stamps.url}/", lambda: self.pki.roots, [der(self.pki.issuing.certificate)], limits=QUICK
        )
        hosts = [f"127.0.0.1:{self.status.port}"]
        trust = TrustFolder(fixed=anchors.for_tests(self.pki.roots))
        revocation = HttpStatus(hosts=hosts, limits=QUICK)
        sealer = Sealer(held.folder / "seal", timestamper=stamper, revocation=revocation, trust=trust)
        sealer.keys = held.keys
        return sealer if self.apart is None else await self.apart.behind(sealer)

    def behave(self) -> None:
        for server in (self.status, self.stamps):
            server.fault = None
            server.lies.clear()
            server.asked.clear()
        self.status.revoked.clear()
        self.status.ahead = timedelta(0)


@pytest.fixture(scope="module")
def running() -> Iterator[Services]:
    services = Services()
    yield services
    services.status.stop()
    services.stamps.stop()


@pytest.fixture
async def services(running: Services, parts_kind: str, pool: WorkerPool) -> AsyncIterator[Services]:
    if parts_kind == "apart":
        running.apart = SealingApart(pool)
    yield running
    if running.apart is not None:
        await running.apart.end()
        running.apart = None
    running.behave()


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    content = BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page(page_size=(595, 842))
        document.save(content)
    path = tmp_path_factory.mktemp("paper") / "paper.pdf"
    path.write_bytes(content.getvalue())
    return path


@pytest.fixture
def held(request: pytest.FixtureRequest, tmp_path: Path, services: Services) -> Iterator[KindOfKey]:
    yield from made(request.param, tmp_path / "keys", services.pki)


def digest(text: str = "x") -> bytes:
    return hashlib.sha256(text.encode()).digest()


async def seal(sealer: Sealer | RemoteSealer, paper: Path, target: Path) -> None:
    await sealer.seal(AGENCY, paper, target, at=datetime.now(UTC), reason="Kết quả điện tử", name=NAME)


async def judged(path: Path, pki: Pki) -> tuple[str, str, str, str]:
    with path.open("rb") as file:
        report = await validate(file, anchors=anchors.for_tests(pki.roots), at=datetime.now(UTC))
    (found,) = report.signatures
    return report.verdict, report.sub_indication, found.level, found.signer


@pytest.mark.parametrize("held", KINDS, indirect=True)
async def test_it_seals_to_the_same_verdict(
    held: KindOfKey, services: Services, paper: Path, tmp_path: Path
) -> None:
    sealer = await services.sealer(held)
    await seal(sealer, paper, tmp_path / "sealed.pdf")
    assert await judged(tmp_path / "sealed.pdf", services.pki) == ("valid", "", "B-LTA", NAME)
    told = await sealer.told()
    assert [told["timestamps"]["last"], told["status"]["last"]] == ["ok", "ok"]
    assert list(told["keys"].values()) == [1]
    if isinstance(held, AtService):
        assert len(held.server.done.signatures) == 1, "how much room it takes is not found out by signing"


@pytest.mark.parametrize("held", KINDS, indirect=True)
async def test_the_same_request_has_the_same_signature(held: KindOfKey) -> None:
    key = held.keys.open(AGENCY)
    first = await key.sign(digest(), "r1")
    assert verifies(key.public, digest(), first)
    assert len(first) <= key.signature_size
    again = await asyncio.gather(*(key.sign(digest(), "r1") for _ in range(3)))
    assert set(again) == {first}
    with pytest.raises(SealRequestConflict):
        await key.sign(digest("y"), "r1")


@pytest.mark.parametrize("held", EACH_PLACE, indirect=True)
async def test_a_request_is_remembered_by_the_next_process(held: KindOfKey) -> None:
    first = await held.keys.open(AGENCY).sign(digest(), "r1")
    held.lose()
    held.keys = type(held.keys)(held.folder / "seal")
    if isinstance(held, InToken | AtService):
        assert await held.keys.open(AGENCY).sign(digest(), "r1") == first, (
            "without asking whoever holds the key"
        )
    else:
        with pytest.raises(SealKeyMissing):
            held.keys.open(AGENCY)


@pytest.mark.parametrize("held", KINDS, indirect=True)
async def test_ten_at_once_are_ten_signatures(held: KindOfKey) -> None:
    key = held.keys.open(AGENCY)
    digests = [digest(str(number)) for number in range(10)]
    signatures = await asyncio.gather(*(key.sign(one) for one in digests))
    assert all(verifies(key.public, *pair) for pair in zip(digests, signatures, strict=True))
    if isinstance(held, AtService):
        assert len(set(held.server.done.signatures)) == len(held.server.done.signatures) == 10


@BOTH
@pytest.mark.parametrize(
    "held",
    ["token-p256", *(pytest.param(kind, marks=pytest.mark.long) for kind in KINDS if kind != "token-p256")],
    indirect=True,
)
async def test_ten_at_once_are_ten_seals(
    held: KindOfKey, services: Services, paper: Path, tmp_path: Path
) -> None:
    sealer = await services.sealer(held)
    targets = [tmp_path / f"{number}.pdf" for number in range(10)]
    await asyncio.gather(*(seal(sealer, paper, target) for target in targets))
    assert {await judged(target, services.pki) for target in targets} == {("valid", "", "B-LTA", NAME)}
    assert len({target.read_bytes() for target in targets}) == 10
    if isinstance(held, AtService):
        assert len(held.server.done.signatures) == len(set(held.server.done.signatures)) == 10


@BOTH
@pytest.mark.parametrize("held", EACH_PLACE, indirect=True)
async def test_a_wrong_secret_seals_nothing(
    held: KindOfKey, services: Services, paper: Path, tmp_path: Path
) -> None:
    held.spoil_secret()
    for _ in range(2):
        with pytest.raises(SealKeyRefused) as caught:
            await seal(await services.sealer(held), paper, tmp_path / "sealed.pdf")
        assert (caught.value.code, caught.value.retryable) == ("seal_key_refused", False)
    assert not list(tmp_path.glob("*.pdf"))


@BOTH
@pytest.mark.parametrize("held", EACH_PLACE, indirect=True)
async def test_a_certificate_of_another_key_seals_nothing(
    held: KindOfKey, services: Services, paper: Path, tmp_path: Path
) -> None:
    held.swap(services.pki)
    with pytest.raises(SealKeyInvalid) as caught:
        await seal(await services.sealer(held), paper, tmp_path / "sealed.pdf")
    assert (caught.value.code, caught.value.retryable) == ("seal_key_invalid", False)
    assert not list(tmp_path.glob("*.pdf"))


@BOTH
@pytest.mark.parametrize("held", EACH_PLACE, indirect=True)
async def test_a_key_that_is_gone_in_the_middle_seals_nothing_more(
    held: KindOfKey, services: Services, paper: Path, tmp_path: Path
) -> None:
    sealer = await services.sealer(held)
    await seal(sealer, paper, tmp_path / "first.pdf")
    held.lose()
    with pytest.raises((SealKeyMissing, SealKeyRefused)) as caught:
        await seal(sealer, paper, tmp_path / "second.pdf")
    assert not caught.value.retryable
    assert [one.name for one in tmp_path.glob("*.pdf")] == ["first.pdf"]


@BOTH
@pytest.mark.parametrize("held", ["file-p256"], indirect=True)
@pytest.mark.parametrize("which", ["stamps", "status"])
async def test_no_file_claims_what_the_services_did_not_give(
    held: KindOfKey, services: Services, paper: Path, tmp_path: Path, which: str
) -> None:
    """With time stamps or status down neither way of sealing leaves anything behind; it works again after."""
    sealer, target = await services.sealer(held), tmp_path / "sealed.pdf"
    kind = TimestampFailed if which == "stamps" else StatusFailed
    getattr(services, which).fault = loopback.failing(503)
    with pytest.raises(kind) as caught:
        await seal(sealer, paper, target)
    assert (caught.value.retryable, caught.value.reason) == (True, "busy")
    said = {"place": PLACE, "at": datetime.now(UTC), "reason": "Số hóa", "name": NAME, "max_bytes": 2**20}
    with pytest.raises(kind) as caught:  # no worker is reached: evidence is collected first
        await sealer.seal_foreign(AGENCY, WorkerPool(), paper, target, **said)
    assert caught.value.retryable
    assert not [one for one in tmp_path.iterdir() if one.is_file()]
    services.behave()
    await seal(sealer, paper, target)
    assert (await judged(target, services.pki))[2] == "B-LTA"


@BOTH
@pytest.mark.parametrize("held", ["file-p256"], indirect=True)
async def test_stamps_that_end_between_seal_and_archive_leave_nothing(
    held: KindOfKey, services: Services, paper: Path, tmp_path: Path
) -> None:
    sealer = await services.sealer(held)
    good = [None, None]  # the look at the authority, the stamp of the seal; then it is down

    def later_down(asked: loopback.Asked) -> loopback.Answer | None:
        return good.pop() if good else loopback.failing(503)(asked)

    services.stamps.fault = later_down
    with pytest.raises(TimestampFailed):
        await seal(sealer, paper, tmp_path / "sealed.pdf")
    assert not good
    assert not list(tmp_path.glob("*.pdf")) and not list(tmp_path.glob(".*"))


@BOTH
@pytest.mark.parametrize("held", ["file-p256"], indirect=True)
async def test_a_revoked_key_is_refused_by_its_responder(
    held: KindOfKey, services: Services, paper: Path, tmp_path: Path
) -> None:
    certificate = x509.load_der_x509_certificate(held.keys.open(AGENCY).certificates[0])
    services.status.revoked[certificate.serial_number] = services.status.now()
    with pytest.raises(SealingFailed) as caught:
        await seal(await services.sealer(held), paper, tmp_path / "sealed.pdf")
    assert (caught.value.code, caught.value.retryable) == ("certificate_revoked", False)


@BOTH
@pytest.mark.parametrize("held", ["file-p256"], indirect=True)
async def test_a_responder_whose_clock_is_a_little_ahead_is_waited_for(
    held: KindOfKey, services: Services, paper: Path, tmp_path: Path
) -> None:
    services.status.ahead = timedelta(seconds=2)
    await seal(await services.sealer(held), paper, tmp_path / "sealed.pdf")
    assert (await judged(tmp_path / "sealed.pdf", services.pki))[0] == "valid"


@pytest.mark.parametrize("held", ["file-p256"], indirect=True)
async def test_a_slow_service_holds_up_nobody_but_who_seals(
    held: KindOfKey, services: Services, paper: Path, tmp_path: Path
) -> None:
    patient = replace(QUICK, seconds=60, tries=1)
    stamper = HttpTimestamper(f"{services.stamps.url}/", lambda: services.pki.roots, limits=patient)
    trust, status = TrustFolder(fixed=anchors.for_tests(services.pki.roots)), HttpStatus()
    sealer = Sealer(held.folder / "seal", timestamper=stamper, revocation=status, trust=trust)
    services.stamps.slow = 60
    many = min(32, (os.cpu_count() or 1) + 4) + 1  # than the threads that everybody shares
    seals = [asyncio.create_task(seal(sealer, paper, tmp_path / f"{number}.pdf")) for number in range(many)]
    try:
        while not services.stamps.asked:
            await asyncio.sleep(0.01)
        await asyncio.gather(*(asyncio.to_thread(int) for _ in range(many)))
        assert not any(one.done() for one in seals)
    finally:
        services.stamps.stop()
        ended = await asyncio.gather(*seals, return_exceptions=True)
        services.stamps.slow = 0.0
        services.stamps.start()
    assert {type(one) for one in ended} == {TimestampFailed}
    assert not list(tmp_path.glob("*.pdf"))


@pytest.fixture(scope="module")
async def pool(anyio_backend: str) -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(size=1)
    await pool.start()
    yield pool
    await pool.close()


@pytest.mark.parametrize("held", ["file-rsa", "token-p256", "service-rsa"], indirect=True)
async def test_a_file_from_outside_is_sealed_too(
    held: KindOfKey, services: Services, pool: WorkerPool, paper: Path, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    said = {"place": PLACE, "at": now, "reason": "Số hóa", "name": NAME, "max_bytes": 2**22}
    await (await services.sealer(held)).seal_foreign(AGENCY, pool, paper, tmp_path / "sealed.pdf", **said)
    assert await judged(tmp_path / "sealed.pdf", services.pki) == ("valid", "", "B-LTA", NAME)


@BOTH
@pytest.mark.parametrize("held", ["file-p256"], indirect=True)
@pytest.mark.parametrize("foreign", [False, True])
async def test_where_only_lists_are_to_be_had_they_are_the_proof(
    held: KindOfKey, services: Services, pool: WorkerPool, paper: Path, tmp_path: Path, foreign: bool
) -> None:
    services.status.fault = lambda asked: loopback.Answer(b"", status=404) if asked.method == "POST" else None
    sealer, target, now = await services.sealer(held), tmp_path / "sealed.pdf", datetime.now(UTC)
    if foreign:
        said = {"place": PLACE, "at": now, "reason": "Số hóa", "name": NAME, "max_bytes": 2**22}
        await sealer.seal_foreign(AGENCY, pool, paper, target, **said)
    else:
        await seal(sealer, paper, target)
    assert await judged(target, services.pki) == ("valid", "", "B-LTA", NAME)
    with pikepdf.open(target) as document:
        assert len(document.Root.DSS.CRLs) == 2, "of the root and of the issuing authority"
        assert "/OCSPs" not in document.Root.DSS


# What only one kind can do


@pytest.mark.parametrize("held", ["service-p256", "service-rsa"], indirect=True)
async def test_an_answer_that_was_lost_is_given_again_by_a_service_that_can(held: AtService) -> None:
    held.server.lose, held.server.replays = 1, True
    key = held.keys.open(AGENCY)
    first = await key.sign(digest(), "r1")
    assert await key.sign(digest(), "r1") == first
    assert len(held.server.done.signatures) == held.server.done.authorised == 1


@pytest.mark.parametrize("held", ["service-p256"], indirect=True)
async def test_an_answer_that_was_lost_is_never_signed_again(held: AtService) -> None:
    held.server.lose = 1
    with pytest.raises(SealAnswerLost) as caught:
        await held.keys.open(AGENCY).sign(digest(), "r1")
    assert (caught.value.code, caught.value.retryable) == ("seal_answer_lost", False)
    held.keys = type(held.keys)(held.folder / "seal")  # a new process knows
    for wanted in ("x", "y"):  # prepared anew, it is another digest of the same request
        with pytest.raises(SealAnswerLost):
            await held.keys.open(AGENCY).sign(digest(wanted), "r1")
    assert len(held.server.done.signatures) == held.server.done.authorised == 1
    await held.keys.open(AGENCY).sign(digest(), "r2")  # another request is another matter
    assert len(held.server.done.signatures) == 2


@pytest.mark.parametrize("held", ["service-p256"], indirect=True)
@pytest.mark.parametrize("fault", [loopback.failing(429), loopback.failing(503), loopback.dropped])
async def test_a_service_that_is_busy_for_a_moment_is_waited_for(held: AtService, fault: object) -> None:
    key = held.keys.open(AGENCY)
    await key.sign(digest("first"))
    held.server.fault = loopback.times(2, fault)  # type: ignore[arg-type]
    assert verifies(key.public, digest(), await key.sign(digest()))
    assert len(held.server.done.signatures) == 2


@pytest.mark.parametrize("held", ["service-p256"], indirect=True)
async def test_a_service_that_is_down_has_signed_nothing_and_may_be_asked_later(held: AtService) -> None:
    held.server.stop()
    key = held.keys.open(AGENCY)
    with pytest.raises(SealKeyUnavailable) as caught:
        await key.sign(digest(), "r1")
    assert (caught.value.code, caught.value.retryable) == ("seal_key_unavailable", True)
    held.server.start()
    assert verifies(key.public, digest(), await key.sign(digest(), "r1"))


async def test_a_service_shows_whose_it_is_before_it_hears_our_secret(
    services: Services, tmp_path: Path
) -> None:
    pki, server = services.pki, CscServer()
    server.tls = serving(tmp_path / "tls.pem", pki)
    holder = pki.seal(NAME)
    server.credentials["c1"] = Held(holder.private, holder.chain)
    (tmp_path / "root.pem").write_bytes(pki.root.certificate.public_bytes(Encoding.PEM))
    with server:
        for authorities, known in ((tmp_path / "root.pem", True), (None, False)):
            said = {"authorities": authorities, "limits": QUICK}
            client = CscClient(server.base, CLIENT, SECRET.encode, **said)
            key = RemoteKey(client, "c1", holder.chain)
            if known:
                assert verifies(key.public, digest(), await key.sign(digest()))
                continue
            heard = len(server.asked)
            with pytest.raises(SealKeyUnavailable, match="not_trusted"):
                await key.sign(digest())
            assert len(server.asked) == heard


@pytest.mark.parametrize("held", ["service-p256"], indirect=True)
async def test_a_token_that_ended_is_fetched_anew(held: AtService) -> None:
    key = held.keys.open(AGENCY)
    await key.sign(digest("first"))
    held.server.end_tokens()
    await key.sign(digest("second"))
    assert held.server.done.tokens == 2


@pytest.mark.parametrize("held", ["service-p256"], indirect=True)
async def test_a_signature_as_two_numbers_is_taken(held: AtService) -> None:
    held.server.plain = True
    key = held.keys.open(AGENCY)
    assert verifies(key.public, digest(), await key.sign(digest()))


@pytest.mark.parametrize("held", ["token-p256", "token-rsa"], indirect=True)
async def test_a_token_that_forgot_us_is_logged_into_again(held: InToken) -> None:
    key = held.keys.open(AGENCY)
    await key.sign(digest("first"))
    softhsm.lose_sessions(held.place)
    assert verifies(key.public, digest(), await key.sign(digest()))


@pytest.mark.parametrize("held", ["file-p256"], indirect=True)
async def test_what_is_kept_in_the_folder_is_ours_alone_and_no_key_in_the_clear(held: KindOfKey) -> None:
    await held.keys.open(AGENCY).sign(digest())
    folder = held.folder / "seal"
    assert {one.stat().st_mode & 0o777 for one in folder.iterdir()} == {0o600}
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in (folder / f"{AGENCY}.pem").read_bytes()
    with sqlite3.connect(folder / "signed.sqlite") as db:
        assert db.execute("SELECT count(*) FROM request").fetchone() == (1,)
    db.close()


async def test_only_a_key_that_can_seal_is_registered(services: Services) -> None:
    pki, now = services.pki, datetime.now(UTC)

    def key(**changes: object) -> SealKey:
        holder = pki.seal(NAME, **changes)  # type: ignore[arg-type]
        return FileKey(holder.private, holder.chain)

    await check_seal_key(key(), pki.roots, now)
    for bad, roots, word in (
        (key(usages=("digital_signature",)), pki.roots, "key usage"),
        (key(stop=pki.at), pki.roots, "not now"),
        (key(), Pki().roots, "anchor"),
    ):
        with pytest.raises(SealKeyInvalid, match=word):
            await check_seal_key(bad, roots, now)


def test_random_names_are_no_agencies(tmp_path: Path) -> None:
    for name in ("", "../x", "a/b", ".x", "x" * 65, os.sep):
        with pytest.raises(SealKeyInvalid):
            SealKeys(tmp_path / "seal").open(name)
