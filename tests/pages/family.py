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
from vault import asking, consenting, fetching, my_consents, registering
from vault.callers import SystemCaller
from vault.consent_request import AskedPurpose, ConsentRequest
from vault.days import legal_day
from vault.fetched import Fetch
from vault.my_consents import MyConsent
from vault.services import Refusal

LOAN = AskedPurpose("loan_assessment", "Hồ sơ vay mua nhà số 2026/118")
ACCOUNT = AskedPurpose("account_opening", "Mở tài khoản thanh toán")


@dataclass(frozen=True)
class Family:
    """What is there beside the story that was told: `run` as there."""

    told: Any
    child: Wallet
    bank: SystemCaller

    def places(self, wallet: Wallet) -> list[str]:
        """Give an address of every page of consents and persons, with something on each to look at."""
        given = self.gives(wallet, self.asks(wallet.citizen))
        self.fetches(given.id, *self.documents(wallet, given.id))
        waiting = self.asks(wallet.citizen, LOAN, ACCOUNT)
        held = ("/wallet/consents", f"/wallet/consents/{given.id}", f"/wallet/requests/{waiting}")
        return [*held, "/wallet/people"]

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

    def gives(self, wallet: Wallet, request: str) -> MyConsent:
        """Have the owner agree to the first consent of a request, for the first document offered."""
        vault = self.told.vault
        one, *_ = self.consents(wallet, request)
        self.told.run(
            consenting.answer(
                vault,
                self.told.run(_caller(vault, wallet)),
                one.id,
                act="give",
                text_hash=one.text_hash.vi,
                language="vi",
                records=(one.offered[0].record,),
                key=os.urandom(8).hex(),
            )
        )
        return one

    def documents(self, wallet: Wallet, consent: str) -> list[str]:
        """Give the records that a consent names."""
        caller = self.told.run(_caller(self.told.vault, wallet))
        found = self.told.run(my_consents.my_consent(self.told.vault, caller, consent))
        return [one.record for one in found.documents]

    def fetches(self, consent: str, *records: str) -> list[str]:
        """Have the bank fetch; gives "released" for each record, or the first reason why not."""
        body = Fetch(consent, LOAN.purpose, records)
        told = self.told.run(fetching.fetch(self.told.vault, self.bank, body, key=os.urandom(8).hex()))
        if isinstance(told, Refusal):
            return [told.code]
        return [one["state"] if one["state"] == "released" else one["reasons"][0] for one in told["items"]]


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
