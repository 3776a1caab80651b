"""A bank that asks the daughter for her birth certificate, and the daughter who answers."""

import os
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from reuse_api.demo import people
from reuse_api.demo.people import Citizen
from signing.errors import TimestampFailed
from signing.timestamps import TimestampSource
from tests.conftest import House
from vault import asking, consenting, fetching, my_consents
from vault.callers import OwnerCaller, SystemCaller
from vault.consent_request import AskedPurpose, ConsentRequest
from vault.days import legal_day
from vault.fetched import Fetch
from vault.services import Answer, Refusal

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


def fresh() -> str:
    """Give an Idempotency-Key that was never used."""
    return os.urandom(8).hex()


@pytest.fixture
async def lending(house: House, bank: SystemCaller) -> Lending:
    return Lending(house, bank)


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
