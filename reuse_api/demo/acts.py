"""Steps 1 to 6 of the story. Each knocks at the real doors; none goes on from a wrong answer."""

from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from policies.packages import shipped_packages
from reuse_api.demo import people
from reuse_api.demo.actors import Clerk, Entrance, Wallet, expect
from reuse_api.demo.door import Reply
from reuse_api.demo.teller import Teller
from signing.composing import compose
from signing.receipt import verify_receipt
from signing.report import Examination
from vault.days import legal_day
from vault.importing import import_procedure
from vault.services import MAX_UPLOAD, Vault


@dataclass
class Stage:
    """Everything the story plays with, and what it has come to so far."""

    vault: Vault
    teller: Teller
    commune: Clerk
    police: Clerk
    daughter: Wallet
    mother: Wallet
    stranger: Wallet
    outbox: Path  # where the demo leaves the files that it received, for the reader to look at
    entrance: Entrance | None = None  # how people come in; None: by codes of the demo
    first_dossier: str = ""
    residence_dossier: str = ""
    certificate: str = ""
    strangers_record: str = ""
    release: str = ""


async def tell(stage: Stage) -> None:
    """Tell these steps.

    Raises:
        StoryBroken: a door did not answer as it should.
    """
    await issue_certificates(stage)
    await upload_papers(stage)
    await ask(stage)
    await reuse(stage)


async def import_catalogue(vault: Vault, teller: Teller) -> None:
    """1 The catalogue: two real procedures, read as a clerk would."""
    teller.say("step_1")
    for row in shipped_packages():
        imported = await import_procedure(vault, row)
        same = imported.state == "unchanged"
        news = teller.words("unchanged") if same else teller.words("version", n=imported.version)
        procedure = imported.procedure
        teller.say("imported", code=procedure.code, name=procedure.name, news=news)
        for one in procedure.all_components():
            if one.source == "ours":
                teller.say("ours", label=teller.of(one.label))


async def issue_certificates(stage: Stage) -> None:
    """3 The commune registers the daughter's birth again, and the mother's, and hands in both results."""
    stage.teller.say("step_3")
    day = legal_day(stage.vault.clock.now()).isoformat()
    fields = people.certificate("118/2026", day, birth_place="Bệnh viện Phụ sản Hà Nội")
    stage.certificate = await register_birth(stage, stage.daughter, fields)
    await register_birth(stage, stage.mother, people.mothers_certificate("119/2026", day))


async def register_birth(stage: Stage, wallet: Wallet, fields: dict[str, Any]) -> str:
    """Have the commune open a dossier and hand in a certificate; gives its record.

    Raises:
        StoryBroken: a door did not answer as it should.
    """
    code = await stage.commune.new_code()
    body = dossier_body(people.REREGISTRATION, None, [wallet.citizen.named("applicant")])
    expect(await stage.commune.open(code, body, stage.teller.lang), 200, 201, what="open")
    stage.first_dossier = code
    stage.teller.say("opened", dossier=code, procedure=people.REREGISTRATION)
    result = {
        "type": people.RECORD_TYPE,
        "owner_roles": ["applicant"],
        "fields": fields,
        "replaces": await _still_in_force(wallet),
    }
    async with stage.teller.busy("issue"):
        reply = await stage.commune.door.ask("POST", f"/v1/dossiers/{code}/results", result)
    issued = expect(reply, 200, 201, what="issue").json
    stage.teller.say(
        "issued",
        code=issued["document_codes"]["applicant"],
        size=issued["size"],
        trust=issued["trust"],
        verdict=stage.teller.verdict(issued["verdict"]),
        receipt=issued["receipt"],
    )
    return str(issued["record"])


async def _still_in_force(wallet: Wallet) -> list[str]:
    """Give the certificates of earlier runs on a kept vault: the new one takes their place."""
    held = expect(await wallet.door.ask("GET", "/v1/me/records"), 200, what="records").json["records"]
    return [
        one["id"]
        for one in held
        if (one["type"], one["source"], one["validity"]) == (people.RECORD_TYPE, "result", "in_force")
    ]


async def upload_papers(stage: Stage) -> None:
    """4 She uploads a paper of hers, and a real government-signed file; a stranger uploads a certificate."""
    teller = stage.teller
    teller.say("step_4")
    plain = compose("general_result", _notes(stage), at=stage.vault.clock.now())
    signed = files("reuse_api.demo").joinpath("samples", "government-signed.pdf").read_bytes()
    for title, content in (("Giấy hẹn cũ", plain), ("Văn bản có chữ ký của cơ quan nhà nước", signed)):
        async with teller.busy("upload"):
            answer = await stage.daughter.upload(title, "OTHER", content, teller.lang)
        _tell_upload(stage, title, answer)


def _notes(stage: Stage) -> dict[str, object]:
    return {
        "title": "Giấy hẹn trả kết quả",
        "issuer_name": people.COMMUNE.name_vi,
        "issuer_title": "CÔNG CHỨC TIẾP NHẬN",
        "signer": people.COMMUNE.officer_name,
        "issued_on": legal_day(stage.vault.clock.now()).isoformat(),
        "body": f"Bản tự giữ, {stage.vault.clock.now().isoformat()}",
    }


def _tell_upload(stage: Stage, title: str, answer: dict[str, Any]) -> None:
    if answer["already_stored"]:
        stage.teller.say("already", title=title)
        return
    stage.teller.say(
        "uploaded",
        title=title,
        trust=answer["trust"],
        verdict=stage.teller.verdict(answer["verdict"]),
        reasons=stage.teller.reasons(codes(answer["reasons"]), "citizen"),
    )


async def ask(stage: Stage) -> None:
    """5 She moves to her mother's household: one question; then a family whose only paper is an upload."""
    stage.teller.say("step_5")
    code = await stage.police.new_code()
    persons = [people.DAUGHTER.named("applicant"), people.MOTHER.named("householder")]
    plan = await open_residence(stage, code, persons)
    stage.residence_dossier = code
    tell_plan(stage, plan)
    stage.teller.say("other_family")
    upload = compose(
        "general_result", _notes(stage) | {"title": "Giấy khai sinh"}, at=stage.vault.clock.now()
    )
    answer = await stage.stranger.upload("Ảnh chụp giấy khai sinh", people.RECORD_TYPE, upload, "vi")
    stage.strangers_record = answer["record"]
    other = [people.STRANGER.named("applicant"), people.STRANGERS_MOTHER.named("householder")]
    tell_plan(stage, await open_residence(stage, await stage.police.new_code(), other))


async def open_residence(stage: Stage, code: str, persons: list[dict[str, Any]]) -> dict[str, Any]:
    """Have the police open a registration of residence, and give its plan."""
    body = dossier_body(people.RESIDENCE, people.CASE, persons)
    reply = expect(await stage.police.open(code, body, stage.teller.lang), 200, 201, what="open")
    stage.teller.say("opened", dossier=code, procedure=people.RESIDENCE)
    plan: dict[str, Any] = reply.json
    return plan


def tell_plan(stage: Stage, plan: dict[str, Any]) -> None:
    """Tell what each component of a plan has for an answer, and why."""
    teller = stage.teller
    for one in plan["components"]:
        label = one["label"]
        reasons = teller.reasons(codes(one["reasons"]), "officer")
        teller.say(
            "answer",
            label=label,
            component=one["component"],
            state=teller.named("plan_state", one["state"]),
            reasons=reasons,
        )
        for record in one["refused"]:
            reasons = teller.reasons(codes(record["reasons"]), "officer")
            teller.say("not_this", title=_named(record), reasons=reasons)
        for record in one["candidates"]:
            reasons = teller.reasons(codes(record["reasons"]), "officer")
            teller.say("not_more", title=_named(record), reasons=reasons)
        if "data_source" in one:
            teller.say("hint", source=one["data_source"]["name"])


def _named(record: dict[str, Any]) -> str:
    return f"{record['title']} {', '.join(record['document_codes'])}"


async def reuse(stage: Stage) -> None:
    """6 The certificate in place of paper: release, content, digest, receipt, and both checked offline."""
    teller, door = stage.teller, stage.police.door
    teller.say("step_6")
    path = f"/v1/dossiers/{stage.residence_dossier}/releases"
    reply = await door.ask("POST", path, {"components": [{"component": people.KINSHIP}]})
    item = expect(reply, 200, 201, what="release").json["items"][0]
    if item["state"] != "released":
        expect(Reply(500, {}, repr(item).encode()), 200, what="release")
    stage.release = item["release"]
    content = expect(await read_release(stage), 200, what="content")
    if sha256(content.body).hexdigest() != item["digest"]:
        expect(Reply(500, {}, b"the digest differs"), 200, what="digest")
    teller.say(
        "read",
        size=len(content.body),
        verdict=teller.verdict(item["verdict"]),
        validity=teller.named("validity", item["validity"]),
    )
    receipt = await door.ask("GET", f"/v1/receipts/{content.headers['kho-receipt']}")
    text = expect(receipt, 200, what="receipt").body.decode()
    stage.outbox.mkdir(parents=True, exist_ok=True)
    (stage.outbox / "certificate.pdf").write_bytes(content.body)
    (stage.outbox / "receipt.tlog-proof").write_text(text)
    _tell_proof(stage, text)
    async with teller.busy("check"):
        checked = await _examined(stage, stage.outbox / "certificate.pdf")
    teller.say("document", outcome=teller.verdict(checked.report.verdict))


async def read_release(stage: Stage) -> Reply:
    """Ask for the content of the release that the story has come to."""
    return await stage.police.door.ask("GET", f"/v1/releases/{stage.release}/content")


async def _examined(stage: Stage, path: Path) -> Examination:
    return await stage.vault.workers.examine(
        path, anchors=stage.vault.trust.current().anchors, at=stage.vault.clock.now(), max_bytes=MAX_UPLOAD
    )


def _tell_proof(stage: Stage, text: str) -> None:
    teller = stage.teller
    checked = verify_receipt(text, stage.vault.signer.verifier_line)
    teller.say("proof", outcome=teller.words(checked.outcome))
    for step in checked.steps:
        outcome = teller.words("valid" if step.passed else "invalid")
        teller.say("proof_step", number=step.number, name=step.name, outcome=outcome)
    middle = len(text) // 3
    bit = chr(ord(text[middle]) ^ 1)
    changed = verify_receipt(text[:middle] + bit + text[middle + 1 :], stage.vault.signer.verifier_line)
    failed = next(step for step in changed.steps if step.passed is False)
    teller.say("flipped", outcome=teller.words(changed.outcome), step=f"{failed.number} ({failed.name})")


def dossier_body(procedure: str, case: str | None, persons: list[dict[str, Any]]) -> dict[str, Any]:
    """Compose what a system says when it opens a dossier at the counter."""
    return {
        "procedure": procedure,
        **({"case": case} if case else {}),
        "persons": persons,
        "evidence": {"kind": "officer_check", "reference": "Đối chiếu căn cước tại quầy"},
        "channel": "counter",
    }


def codes(reasons: list[Any]) -> list[str]:
    """Give the codes of reasons as they stand in an answer."""
    return [one["code"] if isinstance(one, dict) else str(one) for one in reasons]
