"""A bank that asks the daughter for her birth certificate, and the daughter who answers."""

import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from reuse_api.demo import people
from reuse_api.demo.people import Citizen
from signing.errors import TimestampFailed
from signing.timestamps import TimestampSource
from tests.conftest import House
from tests.hooks import Ahead, Hooking
from vault import asking, consenting, fetching, migrating, my_consents
from vault.callers import OwnerCaller, SystemCaller
from vault.clock import Clock
from vault.consent_request import AskedPurpose, ConsentRequest
from vault.days import legal_day
from vault.fetched import Fetch
from vault.services import Answer, Refusal

_VERSION = '''"""Of a later release."""
import sqlalchemy as sa
from alembic import op
revision, down_revision, phase = {n!r}, {before!r}, {phase!r}
branch_labels = depends_on = None
def upgrade():
    {change}
'''
_ADDS = 'op.add_column("owner", sa.Column("later", sa.Text(), nullable=True))'
_TAKES_AWAY = 'op.drop_column("owner", "later")'
LOAN = AskedPurpose("loan_assessment", "Hồ sơ vay mua nhà số 2026/118")
ACCOUNT = AskedPurpose("account_opening", "Mở tài khoản thanh toán")


@dataclass
class Lending:
    """The bank's dealings with consents, told in one word each."""

    house: House
    bank: SystemCaller

    def asks(self, citizen: Citizen = people.DAUGHTER, **changes: Any) -> ConsentRequest:
        """Give a request for a birth certificate, for one loan, ten reads in thirty days."""
        body = ConsentRequest(
            scheme="personal_number",
            value=citizen.number,
            name=citizen.name,
            purposes=(LOAN,),
            types=("GKS",),
            records=(),
            valid_from=None,
            valid_until=legal_day(self.house.vault.clock.now()) + timedelta(days=29),
            max_reads=10,
        )
        return replace(body, **changes)

    async def asked(self, citizen: Citizen = people.DAUGHTER, **changes: Any) -> str:
        """Ask, and give the id of the one consent."""
        told = await self.request(self.asks(citizen, **changes))
        assert isinstance(told, dict), told
        (line,) = told["consents"]
        return str(line["consent"])

    async def request(
        self, body: ConsentRequest, *, caller: SystemCaller | None = None, key: str = ""
    ) -> Answer | Refusal:
        return await asking.request(self.house.vault, caller or self.bank, body, key=key or fresh())

    async def gives(
        self, caller: OwnerCaller, consent: str, *records: str, language: Any = "vi", **changes: Any
    ) -> Answer | Refusal:
        """Answer yes by the text as the wallet shows it."""
        found = await my_consents.my_consent(self.house.vault, caller, consent)
        shown = found.text_hash.vi if language == "vi" else found.text_hash.en
        said = {"act": "give", "text_hash": shown, "language": language, "key": fresh()}
        said |= {"records": records or tuple(one.record for one in found.offered)}
        return await consenting.answer(self.house.vault, caller, consent, **(said | changes))

    async def given(self, caller: OwnerCaller, citizen: Citizen = people.DAUGHTER, **changes: Any) -> str:
        """Ask, be given it, and give the consent's id."""
        consent = await self.asked(citizen, **changes)
        told = await self.gives(caller, consent)
        assert isinstance(told, dict), told
        return consent

    async def fetches(
        self,
        consent: str,
        *records: str,
        purpose: str = LOAN.purpose,
        caller: SystemCaller | None = None,
        key: str = "",
    ) -> Answer | Refusal:
        wanted = records or (self.house.daughters,)
        body = Fetch(consent, purpose, wanted)
        return await fetching.fetch(self.house.vault, caller or self.bank, body, key=key or fresh())


def at_ten() -> datetime:
    """Ten in the morning in Viet Nam, today: the vaults of tests are made today, whenever that is."""
    return datetime.combine(legal_day(Clock().now()), time(3), UTC)


def fresh() -> str:
    """Give an Idempotency-Key that was never used."""
    return os.urandom(8).hex()


@pytest.fixture
async def lending(house: House, bank: SystemCaller) -> Lending:
    return Lending(house, bank)


@pytest.fixture
async def hooking_house(open_house: Any) -> AsyncIterator[Hooking]:
    """A vault whose clock can be set ahead, with a system that may register web hooks."""
    clock = Ahead()
    async with open_house(clock) as house:
        made = Hooking(house, await house.system(people.POLICE), await house.system(people.COMMUNE), clock)
        yield made
        await made.post.idle()
        await made.house.vault.hook_sender.close()


class Interrupted:
    """The authority of the tests, and a switch on its line."""

    def __init__(self, source: TimestampSource) -> None:
        self.issuers, self.state = source.issuers, source.state
        self._source = source
        self.down = True
        self.asked = 0

    async def answer(self, request: bytes, at: datetime) -> bytes:
        self.asked += 1
        if self.down:
            raise TimestampFailed("nobody answers")
        return await self._source.answer(request, at)


@pytest.fixture
def line(house: Any, monkeypatch: pytest.MonkeyPatch) -> Interrupted:
    made = Interrupted(house.authority.timestamper())
    monkeypatch.setattr(house.vault.sealer, "_timestamper", made)
    return made


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Be a later program: one version that adds, one that takes away; `later()` is today's again."""
    scripts = tmp_path / "migrations"
    shutil.copytree(migrating._SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    newest = migrating._scripts().get_current_head()
    said = (("9001", newest, "pre", _ADDS), ("9002", "9001", "post", _TAKES_AWAY))
    for n, before, phase, change in said:
        version = _VERSION.format(n=n, before=before, phase=phase, change=change)
        (scripts / "versions" / f"{n}.py").write_text(version)
    with monkeypatch.context() as changed:
        changed.setattr(migrating, "_SCRIPTS", scripts)
        migrating._scripts.cache_clear()

        def today() -> None:
            changed.undo()
            migrating._scripts.cache_clear()

        yield today
    migrating._scripts.cache_clear()
