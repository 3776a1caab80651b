"""Steps 10 to 14 of the story: two owners, an enterprise, a noted change, a bank's consent, an auditor."""

from datetime import timedelta
from typing import Any

from reuse_api.callers import STAFF_COOKIE, cookie_at
from reuse_api.demo import papers, people
from reuse_api.demo.actors import ByCode, Clerk, expect
from reuse_api.demo.acts import Stage, dossier_body, open_residence
from reuse_api.demo.door import Door, Reply
from reuse_api.demo.refusals import tell_refusal
from vault.days import legal_day

_LOAN = "loan_assessment"
_GROUND = "Kiểm tra định kỳ theo Luật 91/2025/QH15, Điều 19 khoản 2"


async def tell(stage: Stage, land: Clerk, business: Clerk, bank: Clerk, door: Door) -> None:
    """Tell the later steps.

    Raises:
        StoryBroken: a door did not answer as it should.
    """
    certificate = await own_together(stage, land)
    await represent(stage, business)
    await note_a_change(stage)
    await lend(stage, bank, certificate)
    await audit(stage, door)


async def own_together(stage: Stage, land: Clerk) -> str:
    """10 The land office stores one certificate for wife and husband: each has it, without any dossier."""
    stage.teller.say("step_10")
    owners = [people.MOTHER.named("wife"), people.FATHER.named("husband")]
    answer = await _record(stage, land, "GCNQSDD", owners, papers.land(f"AA {_number(stage)}", _today(stage)))
    codes = ", ".join(answer["document_codes"].values())
    stage.teller.say("joint", codes=codes, trust=answer["trust"])
    return str(answer["record"])


async def represent(stage: Stage, business: Clerk) -> None:
    """11 An enterprise gets its registration certificate; it names the mother, so she may act for it."""
    teller = stage.teller
    teller.say("step_11")
    owners = [people.WORKSHOP.named("enterprise")]
    answer = await _record(stage, business, "GCNDKDN", owners, papers.enterprise(_today(stage)))
    teller.say("enterprise", name=people.WORKSHOP.name, code=answer["document_codes"]["enterprise"])
    claim = {
        "kind": "legal_representative",
        "identifier": {"scheme": "tax_code", "value": people.WORKSHOP.tax_code},
    }
    wallet = stage.mother.door
    claimed = expect(await wallet.ask("POST", "/v1/me/delegations", claim), 200, 201, what="claim").json
    acting = {"delegation": claimed["delegation"]}
    expect(await wallet.ask("POST", "/v1/me/acting", acting), 200, what="act for the enterprise")
    held = expect(await wallet.ask("GET", "/v1/me/records"), 200, what="the enterprise's records").json
    expect(await wallet.ask("POST", "/v1/me/acting", {"delegation": None}), 200, what="act for herself")
    teller.say("acted", name=people.MOTHER.name, count=len(held["records"]))
    stranger = await stage.stranger.door.proven({"Accept-Language": teller.lang}).ask(
        "POST", "/v1/me/delegations", claim
    )
    tell_refusal(stage, "not_the_representative", stranger, "citizen")


async def note_a_change(stage: Stage) -> None:
    """12 The commune notes a change; an open dossier that used the old certificate hears of it."""
    teller, police = stage.teller, stage.police
    teller.say("step_12")
    using = await police.new_code()
    persons = [people.DAUGHTER.named("applicant"), people.MOTHER.named("householder")]
    await open_residence(stage, using, persons)
    wanted = {"components": [{"component": people.KINSHIP}]}
    expect(await police.door.ask("POST", f"/v1/dossiers/{using}/releases", wanted), 200, what="release")
    code = await stage.commune.new_code()
    body = dossier_body(people.CIVIL_STATUS_CHANGE, None, [people.DAUGHTER.named("applicant")])
    expect(await stage.commune.open(code, body, teller.lang), 200, what="open the correction")
    number, today = _number(stage), _today(stage)
    for kind, fields, replaces in (
        ("TLTDCC", papers.correction(f"{number}/TLCC", today, of="118/2026"), []),
        ("GKS", papers.noted(f"{number}/2026", today, extract=f"{number}/TLCC"), [stage.certificate]),
    ):
        result = {"type": kind, "owner_roles": ["applicant"], "fields": fields, "replaces": replaces}
        async with teller.busy("issue"):
            reply = await stage.commune.door.ask("POST", f"/v1/dossiers/{code}/results", result)
        issued = expect(reply, 201, what="issue").json
        teller.say("corrected", code=issued["document_codes"]["applicant"])
    notices = expect(await police.door.ask("GET", "/v1/notices?unseen=true"), 200, what="notices").json
    heard = [one for one in notices["notices"] if one["dossier"] == using]
    if not heard:
        expect(Reply(500, {}, b"nobody heard of it"), 200, what="notice")
    teller.say("heard", dossier=using, event=teller.named("validity", heard[-1]["event"]))
    stage.certificate = issued["record"]


async def lend(stage: Stage, bank: Clerk, certificate: str) -> None:
    """13 A bank asks; the mother reads the exact text and agrees; it reads once; she withdraws."""
    teller, wallet = stage.teller, stage.mother.door.proven({"Accept-Language": stage.teller.lang})
    teller.say("step_13")
    asked = expect(await bank.door.ask("POST", "/v1/consent-requests", _asking(stage)), 201, what="ask").json
    consent = asked["consents"][0]["consent"]
    shown = expect(await wallet.ask("GET", f"/v1/me/consents/{consent}"), 200, what="the text").json
    teller.say("asked_text", text=shown["text"].replace("\n", "\n      "))
    given = {
        "act": "give",
        "text_hash": shown["text_hash"],
        "language": teller.lang,
        "records": [certificate],
    }
    told = expect(await wallet.ask("POST", f"/v1/me/consents/{consent}/answer", given), 200, what="give").json
    teller.say("given", receipt=told["receipt"])
    fetch = {"consent": consent, "purpose": _LOAN, "records": [certificate]}
    fetched = expect(await bank.door.ask("POST", "/v1/fetches", fetch), 200, what="fetch").json["items"][0]
    path = f"/v1/releases/{fetched['release']}/content"
    content = expect(await bank.door.ask("GET", path), 200, what="content")
    teller.say("bank_read", size=len(content.body))
    expect(await wallet.ask("POST", f"/v1/me/consents/{consent}/withdrawal"), 200, what="withdraw")
    door = bank.door.proven({"Accept-Language": teller.lang})
    tell_refusal(stage, "withdrawn_then", await door.ask("GET", path))
    tell_refusal(stage, "withdrawn_fetch", await door.ask("POST", "/v1/fetches", fetch))


def _asking(stage: Stage) -> dict[str, Any]:
    until = legal_day(stage.vault.clock.now()) + timedelta(days=30)
    return {
        "person": {
            "identifier": {"scheme": "personal_number", "value": people.MOTHER.number},
            "name": people.MOTHER.name,
        },
        "purposes": [{"purpose": _LOAN, "reason": "Hồ sơ vay mua máy may số 2026/118"}],
        "types": ["GCNQSDD"],
        "valid_until": until.isoformat(),
        "max_reads": 3,
    }


async def audit(stage: Stage, door: Door) -> None:
    """14 The auditor finds an entry, opens it on a ground, and has its decision made again."""
    teller = stage.teller
    teller.say("step_14")
    auditor = next(one for one in people.STAFF if one.role == "auditor")
    secret = await (stage.entrance or ByCode(stage.vault)).officer(auditor.office, "auditor")
    named = cookie_at(stage.vault.gate.issuer, STAFF_COOKIE)
    eyes = door.proven({"Cookie": f"{named}={secret}", "Accept-Language": teller.lang})
    query = f"/v1/audit/entries?dossier={stage.residence_dossier}&event=released"
    found = expect(await eyes.ask("GET", query), 200, what="entries").json["entries"]
    asked = {"index": found[0]["index"], "ground": _GROUND}
    told = expect(await eyes.ask("POST", "/v1/audit/replays", asked), 200, 201, what="replay").json
    teller.say("replayed", index=found[0]["index"], words=told["replay"]["words"])
    content = await eyes.ask("GET", f"/v1/releases/{stage.release}/content")
    expect(content, 401, what="content for an auditor")
    teller.say("no_content", status=content.status)


async def _record(
    stage: Stage,
    clerk: Clerk,
    kind: str,
    owners: list[dict[str, Any]],
    fields: dict[str, Any],
) -> dict[str, Any]:
    """Store a record outside a dossier, in the place of what an earlier run of the story has stored."""
    issued = expect(
        await clerk.door.ask("GET", f"/v1/records?type={kind}&state=in_force"), 200, what="issued"
    ).json["records"]
    replaces = [one["record"] for one in issued]
    body = {"type": kind, "owners": owners, "fields": fields, "replaces": replaces}
    async with stage.teller.busy("issue"):
        reply = await clerk.door.ask("POST", "/v1/records", body)
    answer: dict[str, Any] = expect(reply, 201, what="store a record").json
    return answer


def _number(stage: Stage) -> str:
    """Give a number that no earlier run has used."""
    return f"{stage.vault.clock.now():%y%m%d%H%M%S}"


def _today(stage: Stage) -> str:
    return legal_day(stage.vault.clock.now()).isoformat()
