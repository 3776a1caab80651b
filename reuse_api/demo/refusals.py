"""Steps 7 to 9 of the story: who is refused, what is revoked, and what the daughter sees of it all."""

from typing import Literal

from reuse_api.demo import people
from reuse_api.demo.actors import expect
from reuse_api.demo.acts import Stage, codes, dossier_body, read_release, register_birth, tell_plan
from reuse_api.demo.door import Reply
from vault.days import legal_day

GROUND = "Luật Hộ tịch 2014, Điều 70; Quyết định số 15/QĐ-UBND"


async def tell(stage: Stage) -> None:
    """Tell these steps.

    Raises:
        StoryBroken: a door did not answer as it should.
    """
    await be_refused(stage)
    await revoke(stage)
    await see(stage)


async def be_refused(stage: Stage) -> None:
    """7 Each refused, with reasons, each an entry."""
    police, lang = stage.police, stage.teller.lang
    stage.teller.say("step_7")
    stranger = [people.STRANGER.named("applicant")]
    bare = dossier_body(people.RESIDENCE, people.CASE, stranger)
    del bare["evidence"]
    tell_refusal(stage, "no_evidence", await police.open(await police.new_code(), bare, lang))
    body = dossier_body(people.RESIDENCE, people.CASE, stranger)
    tell_refusal(stage, "no_territory", await police.open(await police.new_code("G01.79.01"), body, lang))
    other = dossier_body(people.REREGISTRATION, None, stranger)
    tell_refusal(stage, "no_procedure", await police.open(await police.new_code(), other, lang))
    door = police.door.proven({"Accept-Language": lang})
    tell_refusal(stage, "not_theirs", await door.ask("GET", f"/v1/dossiers/{stage.first_dossier}/plan"))
    path = f"/v1/dossiers/{stage.residence_dossier}"
    wanted = {"components": [{"component": "KQ003607"}]}
    _tell_item(stage, "not_asked", await door.ask("POST", f"{path}/releases", wanted))
    wanted = {"components": [{"component": people.KINSHIP, "record": stage.strangers_record}]}
    _tell_item(stage, "not_named", await door.ask("POST", f"{path}/releases", wanted))
    result = {"type": people.RECORD_TYPE, "owner_roles": ["applicant"], "fields": {}}
    tell_refusal(stage, "not_to_issue", await door.ask("POST", f"{path}/results", result))


def tell_refusal(
    stage: Stage, what: str, reply: Reply, audience: Literal["citizen", "officer"] = "officer"
) -> None:
    """Tell a refusal with its reasons in words.

    Raises:
        StoryBroken: it was none.
    """
    expect(reply, 403, 404, 410, what=what)
    problem = reply.json
    reasons = stage.teller.reasons(codes(problem.get("reasons", [])), audience) or problem["detail"]
    stage.teller.say("refused", what=stage.teller.words(what), status=reply.status, reasons=reasons)


def _tell_item(stage: Stage, what: str, reply: Reply) -> None:
    item = expect(reply, 200, 201, what=what).json["items"][0]
    if item["state"] != "refused":
        expect(Reply(500, {}, b"it was released"), 200, what=what)
    reasons = stage.teller.reasons(codes(item["reasons"]), "officer")
    stage.teller.say("refused", what=stage.teller.words(what), status=item["state"], reasons=reasons)


async def revoke(stage: Stage) -> None:
    """8 The certificate is revoked: its release reads nothing more, and the next plan says why."""
    teller = stage.teller
    teller.say("step_8")
    commune, police = stage.commune.door, stage.police.door.proven({"Accept-Language": teller.lang})
    body = {"ground": GROUND, "reason": "Ghi sai nơi sinh"}
    reply = await commune.ask("POST", f"/v1/records/{stage.certificate}/revocation", body)
    expect(reply, 200, 201, what="revoke")
    teller.say("revoked", ground=GROUND)
    ended = expect(await read_release(stage), 403, 410, what="read after revocation")
    reasons = teller.reasons(codes(ended.json["reasons"]), "officer")
    teller.say("no_more", status=ended.status, reasons=reasons)
    teller.say("again")
    path = f"/v1/dossiers/{stage.residence_dossier}"
    tell_plan(stage, expect(await police.ask("GET", f"{path}/plan"), 200, what="plan").json)
    wanted = {"components": [{"component": people.KINSHIP, "record": stage.certificate}]}
    _tell_item(stage, "was_revoked", await police.ask("POST", f"{path}/releases", wanted))
    day = legal_day(stage.vault.clock.now()).isoformat()
    fields = people.certificate("120/2026", day, birth_place="Bệnh viện Bạch Mai, thành phố Hà Nội")
    stage.certificate = await register_birth(stage, stage.daughter, fields)
    reply = await police.ask("POST", f"{path}/releases", {"components": [{"component": people.KINSHIP}]})
    stage.release = expect(reply, 200, 201, what="release").json["items"][0]["release"]
    expect(await read_release(stage), 200, what="content")
    expect(await police.ask("PATCH", path, {"state": "closed"}), 200, what="close")
    ended = expect(await read_release(stage), 410, what="read after closing")
    teller.say("closed_now", status=410, reasons=teller.reasons(codes(ended.json["reasons"]), "officer"))
    tell_refusal(stage, "closed", await police.ask("GET", f"{path}/plan"))


async def see(stage: Stage) -> None:
    """9 What she sees: her documents, and everything that was done about her."""
    stage.teller.say("step_9")
    door = stage.daughter.door
    records = expect(await door.ask("GET", "/v1/me/records"), 200, what="records").json["records"]
    accesses = expect(await door.ask("GET", "/v1/me/accesses?limit=100"), 200, what="accesses").json[
        "accesses"
    ]
    stage.teller.say("seen", name=people.DAUGHTER.name, records=len(records), accesses=len(accesses))
