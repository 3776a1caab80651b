"""More people for the wallet's pages: a small brother whom the mother acts for, and a bank that asks."""

import asyncio
import os
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reuse_api.demo import people
from reuse_api.demo.actors import Clerk, Wallet, caller_key, expect, register
from reuse_api.demo.door import Door
from reuse_api.demo.people import Citizen
from vault import asking, my_consents, registering
from vault.callers import SystemCaller
from vault.consent_request import AskedPurpose, ConsentRequest
from vault.days import legal_day
from vault.my_consents import MyConsent

LOAN = AskedPurpose("loan_assessment", "Hồ sơ vay mua nhà số 2026/118")
ACCOUNT = AskedPurpose("account_opening", "Mở tài khoản thanh toán")


@dataclass(frozen=True)
class Family:
    """What is there beside the story that was told: `run` as there."""

    told: Any
    child: Wallet
    bank: SystemCaller

    def asks(
        self, citizen: Citizen, *purposes: AskedPurpose, reads: int = 10, types: tuple[str, ...] = ("GKS",)
    ) -> str:
        """Have the bank ask for a person's birth certificate; gives the id of the request."""
        until = legal_day(self.told.vault.clock.now()) + timedelta(days=29)
        body = ConsentRequest(
            "personal_number",
            citizen.number,
            citizen.name,
            purposes or (LOAN,),
            types,
            (),
            None,
            until,
            reads,
        )
        told = self.told.run(asking.request(self.told.vault, self.bank, body, key=os.urandom(8).hex()))
        assert isinstance(told, dict), told
        return str(told["request"])

    def consents(self, wallet: Wallet, request: str) -> list[MyConsent]:
        """Give the consents of one request as its owner sees them."""
        caller = self.told.run(_caller(self.told.vault, wallet))
        held = self.told.run(my_consents.my_consents(self.told.vault, caller))
        return [one for one in held if one.bundle == request]


async def _caller(vault: Any, wallet: Wallet) -> Any:
    cookie = wallet.door.headers["Cookie"]
    return await vault.gate.check_session(cookie.partition("=")[2])


async def gather(told: Any, folder: Path) -> Family:
    """Register the bank, and the child with a birth certificate that names the mother."""
    vault, stage = told.vault, told.stage
    at = urlsplit(told.url)
    door = Door(at.hostname, at.port)
    key = await asyncio.to_thread(caller_key, folder, people.BANK, vault.gate.issuer)
    await register(vault, people.BANK, key)
    bank = Clerk(vault, door, people.BANK, key)
    await bank.sign_in()
    child = Wallet(vault, door, people.CHILD)
    await registering.register_owner(
        vault,
        scheme="personal_number",
        value=people.CHILD.number,
        name=people.CHILD.name,
        born_on=date.fromisoformat(people.CHILD.born_on),
        checked_by=people.COMMUNE.code,
    )
    await child.open(people.COMMUNE.code)
    code = await stage.commune.new_code()
    body = {
        "procedure": people.REREGISTRATION,
        "channel": "counter",
        "evidence": {"kind": "officer_check", "reference": "CCCD"},
        "persons": [people.CHILD.named("applicant")],
    }
    expect(await stage.commune.open(code, body, "vi"), 200, 201, what="open")
    fields = people.childs_certificate("121/2026", legal_day(vault.clock.now()).isoformat())
    result = {"type": people.RECORD_TYPE, "owner_roles": ["applicant"], "fields": fields}
    expect(
        await stage.commune.door.ask("POST", f"/v1/dossiers/{code}/results", result), 200, 201, what="issue"
    )
    token = bank.door.headers["Authorization"].partition(" ")[2]
    return Family(told, child, vault.gate.check_token(token))
