"""A bank asks over HTTP, the citizen answers in her wallet, the bank reads what was agreed to and no more."""

import os
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from reuse_api.demo import people
from signing.receipt import verify_receipt
from vault.clock import Clock
from vault.days import legal_day

PURPOSE = "loan_assessment"


def key() -> dict[str, str]:
    return {"Idempotency-Key": os.urandom(8).hex()}


def today() -> date:
    return legal_day(Clock().now())


def asking(**changes: Any) -> dict[str, Any]:
    return {
        "person": {
            "identifier": {"scheme": "personal_number", "value": people.DAUGHTER.number},
            "name": people.DAUGHTER.name,
        },
        "purposes": [{"purpose": PURPOSE, "reason": "Hồ sơ vay mua nhà số 2026/118"}],
        "types": ["GKS"],
        "valid_until": (today() + timedelta(days=29)).isoformat(),
        "max_reads": 3,
    } | changes


def ask(bank: httpx.Client, **changes: Any) -> httpx.Response:
    return bank.post("/v1/consent-requests", json=asking(**changes), headers=key())


def say(
    wallet: httpx.Client, consent: str, act: str, headers: dict[str, str] | None = None, **body: Any
) -> httpx.Response:
    if act == "answer":
        body = {"act": "give", "language": "en", "records": []} | body
    return wallet.post(f"/v1/me/consents/{consent}/{act}", json=body or None, headers=headers or key())


def fetch(bank: httpx.Client, consent: str, record: str, purpose: str = PURPOSE) -> httpx.Response:
    body = {"consent": consent, "purpose": purpose, "records": [record]}
    return bank.post("/v1/fetches", json=body, headers=key())


def codes(reply: httpx.Response) -> list[str]:
    return [reason["code"] for reason in reply.json()["reasons"]]


@pytest.fixture
def asked(bank: httpx.Client) -> Iterator[str]:
    """One consent that waits for the daughter's answer; taken back where it still does."""
    told = ask(bank).json()
    yield told["consents"][0]["consent"]
    bank.post(f"/v1/consent-requests/{told['request']}/lapse", headers=key())


@pytest.fixture
def given(daughter: httpx.Client, asked: str, certificate: Any) -> str:
    """One consent that the daughter gave for the certificate."""
    shown = daughter.get(f"/v1/me/consents/{asked}").json()
    reply = say(daughter, asked, "answer", text_hash=shown["text_hash"], records=[certificate.record])
    assert reply.status_code == 200, reply.text
    return asked


def test_a_bank_reads_what_the_citizen_agreed_to(
    kho: Any, bank: httpx.Client, daughter: httpx.Client, certificate: Any
) -> None:
    told = ask(bank)
    assert told.status_code == 201, told.text
    (line,) = told.json()["consents"]
    state = bank.get(f"/v1/consent-requests/{told.json()['request']}").json()
    assert state["consents"][0]["state"] == "requested"
    assert "records" not in state["consents"][0]

    waiting = daughter.get("/v1/me/consent-requests").json()["consents"]
    shown = next(one for one in waiting if one["id"] == line["consent"])
    assert people.BANK.name_en in shown["text"]
    assert shown["language"] == "en"
    assert certificate.record in [one["record"] for one in shown["offered"]]
    reply = say(daughter, shown["id"], "answer", text_hash=shown["text_hash"], records=[certificate.record])
    assert reply.json()["state"] == "given"
    proof = daughter.get(f"/v1/receipts/{reply.json()['receipt']}")
    parts = verify_receipt(proof.text, bank.get("/log/key").text.strip()).parts
    assert parts["event"]["type"] == "consent_given"
    assert parts["basis"]["facts"]["act"]["displayed"] == shown["text_hash"]

    state = bank.get(f"/v1/consent-requests/{told.json()['request']}").json()["consents"][0]
    assert (state["state"], state["records"][0]["record"]) == ("given", certificate.record)
    (item,) = fetch(bank, shown["id"], certificate.record).json()["items"]
    content = bank.get(f"/v1/releases/{item['release']}/content")
    assert content.status_code == 200
    assert len(content.content) == certificate.size

    mine = daughter.get(f"/v1/me/consents/{shown['id']}").json()
    assert mine["used"] == 1
    assert [use["document"]["record"] for use in mine["uses"]] == [certificate.record]
    assert mine["uses"][0]["index"] == item["index"]
    newest = daughter.get("/v1/me/accesses", params={"limit": 2}).json()["accesses"]
    assert [one["event"] for one in newest] == ["delivered", "released"]
    assert {(one["basis"], one["consent"], one["purpose"]) for one in newest} == {
        ("consent", shown["id"], PURPOSE)
    }
    assert daughter.get(f"/v1/me/accesses/{item['index']}/proof").status_code == 200


def test_a_withdrawal_is_one_step_and_holds_for_the_very_next_read(
    bank: httpx.Client, daughter: httpx.Client, given: str, certificate: Any
) -> None:
    (item,) = fetch(bank, given, certificate.record).json()["items"]
    assert bank.get(f"/v1/releases/{item['release']}/content").status_code == 200
    assert say(daughter, given, "withdrawal").json()["state"] == "withdrawn"
    refused = bank.get(f"/v1/releases/{item['release']}/content")
    assert (refused.status_code, codes(refused)) == (403, ["consent_withdrawn"])
    refused = fetch(bank, given, certificate.record)
    assert (refused.status_code, codes(refused)) == (403, ["consent_withdrawn"])
    assert "withdrawn" in refused.json()["detail"]


def test_a_pause_holds_until_it_is_resumed(
    bank: httpx.Client, daughter: httpx.Client, given: str, certificate: Any
) -> None:
    assert say(daughter, given, "pause").json()["state"] == "paused"
    assert codes(fetch(bank, given, certificate.record)) == ["consent_paused"]
    assert say(daughter, given, "resume").json()["state"] == "given"
    assert fetch(bank, given, certificate.record).status_code == 200


def test_what_was_not_agreed_to_is_refused_with_reasons(
    kho: Any, bank: httpx.Client, commune: httpx.Client, given: str, certificate: Any, reregistration: Any
) -> None:
    other = kho.issue(commune, reregistration)
    cases = [
        (fetch(bank, given, certificate.record, "account_opening"), ["consent_other_purpose"]),
        (fetch(bank, given, other.record), ["consent_record_not_named"]),
        (fetch(commune, given, certificate.record), ["consent_other_recipient"]),
        (fetch(bank, "cns-of-nobody", certificate.record), ["consent_other_recipient"]),
    ]
    for reply, expected in cases:
        assert (reply.status_code, codes(reply)) == (403, expected)


def test_the_last_read_ends_it(
    bank: httpx.Client, daughter: httpx.Client, given: str, certificate: Any
) -> None:
    replies = [fetch(bank, given, certificate.record) for _ in range(4)]
    assert [reply.status_code for reply in replies] == [200, 200, 200, 403]
    assert [reply.json()["reads_left"] for reply in replies[:3]] == [2, 1, 0]
    assert codes(replies[3]) == ["consent_exhausted"]
    release = replies[2].json()["items"][0]["release"]
    assert bank.get(f"/v1/releases/{release}/content").status_code == 200, "the last read is still one"
    mine = daughter.get(f"/v1/me/consents/{given}").json()
    assert (mine["state"], mine["steps"][-1]["event"]) == ("exhausted", "exhausted")


@pytest.mark.parametrize("shown", [None, "0" * 64], ids=["missing", "wrong"])
def test_no_yes_without_the_text_that_was_shown(
    daughter: httpx.Client, bank: httpx.Client, asked: str, certificate: Any, shown: str | None
) -> None:
    said = {} if shown is None else {"text_hash": shown}
    reply = say(daughter, asked, "answer", records=[certificate.record], **said)
    assert (reply.status_code, codes(reply)) == (403, ["consent_text_not_shown"])
    assert daughter.get(f"/v1/me/consents/{asked}").json()["state"] == "requested"
    assert codes(fetch(bank, asked, certificate.record)) == ["consent_not_given"]


def test_a_grant_replayed_answers_the_same(daughter: httpx.Client, asked: str, certificate: Any) -> None:
    shown = daughter.get(f"/v1/me/consents/{asked}").json()
    body = {"text_hash": shown["text_hash"], "records": [certificate.record]}
    once = key()
    first = say(daughter, asked, "answer", once, **body)
    assert say(daughter, asked, "answer", once, **body).json() == first.json()
    assert say(daughter, asked, "answer", **body).json() == first.json()
    say(daughter, asked, "withdrawal")
    replayed = say(daughter, asked, "answer", **body)
    assert (replayed.status_code, codes(replayed)) == (403, ["consent_already_answered"])
    assert daughter.get(f"/v1/me/consents/{asked}").json()["state"] == "withdrawn"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"valid_until": "2020-01-01"}, "valid_until", "dates_out_of_order"),
        ({"valid_from": "2020-01-01"}, "valid_from", "date_in_past"),
        ({"valid_until": "2099-01-01"}, "valid_until", "consent_too_long"),
        ({"valid_until": "01/02/2027"}, "valid_until", "date_malformed"),
        ({"max_reads": 0}, "max_reads", "number_out_of_range"),
        ({"max_reads": 101}, "max_reads", "consent_reads_number"),
        ({"max_reads": 2**70}, "max_reads", "number_out_of_range"),
        ({"max_reads": True}, "max_reads", "wrong_type"),
        ({"types": [], "records": []}, "types", "consent_nothing_asked"),
        ({"types": ["GKS", "GKS"]}, "types", "consent_document_twice"),
        ({"types": ["XYZ"]}, "types.0", "record_type_unknown"),
        ({"types": ["GKS"] * 11}, "types", "too_many"),
        ({"purposes": []}, "purposes", "too_few"),
        ({"purposes": [{"purpose": PURPOSE, "reason": "x" * 301}]}, "purposes.0.reason", "reason_length"),
        ({"purposes": [{"purpose": PURPOSE, "reason": "a\nb"}]}, "purposes.0.reason", "value_malformed"),
        ({"purposes": [{"purpose": PURPOSE, "reason": "a"}] * 2}, "purposes", "purpose_twice"),
        ({"agency": "H26.14.02"}, "agency", "field_unknown"),
    ],
)
def test_a_request_that_cannot_be_one_names_its_field(
    kho: Any, bank: httpx.Client, change: dict[str, Any], field: str, code: str
) -> None:
    size = kho.vault.signer.tree.size
    reply = ask(bank, **change)
    assert reply.status_code == 422, reply.text
    assert (reply.json()["field"], reply.json()["code"]) == (field, code)
    assert kho.vault.signer.tree.size == size


def test_who_is_not_registered_for_a_purpose_asks_nobody(
    bank: httpx.Client, police: httpx.Client, daughter: httpx.Client
) -> None:
    before = len(daughter.get("/v1/me/consents").json()["consents"])
    for reply in (
        ask(police),
        ask(bank, purposes=[{"purpose": "school_enrolment", "reason": "a"}]),
    ):
        assert (reply.status_code, codes(reply)) == (403, ["consent_purpose_not_registered"])
    reply = ask(bank, purposes=[{"purpose": "world_domination", "reason": "a"}], max_reads=1000)
    assert codes(reply) == ["consent_purpose_not_registered", "consent_purpose_not_in_force"]
    assert len(daughter.get("/v1/me/consents").json()["consents"]) == before


def test_strangers_get_nothing(
    bank: httpx.Client, commune: httpx.Client, stranger: httpx.Client, asked: str, given: str
) -> None:
    request = ask(bank).json()["request"]
    assert commune.get(f"/v1/consent-requests/{request}").status_code == 404
    assert commune.post(f"/v1/consent-requests/{request}/lapse", headers=key()).status_code == 404
    assert stranger.get(f"/v1/me/consents/{given}").status_code == 404
    assert given not in [one["id"] for one in stranger.get("/v1/me/consents").json()["consents"]]
    for act in ("pause", "resume", "withdrawal"):
        assert say(stranger, given, act).status_code == 404
    reply = say(stranger, asked, "answer", text_hash="0" * 64, records=["rec-1"])
    assert reply.status_code == 404
    assert bank.post(f"/v1/consent-requests/{request}/lapse", headers=key()).json()["consents"][0][
        "state"
    ] == ("lapsed")


def test_hostile_words_are_kept_as_words(bank: httpx.Client, daughter: httpx.Client) -> None:
    reason = "<script>alert(1)</script> {owner} %s"
    (line,) = ask(bank, purposes=[{"purpose": PURPOSE, "reason": reason}]).json()["consents"]
    shown = daughter.get(f"/v1/me/consents/{line['consent']}").json()
    assert shown["reason"] == reason
    assert reason in shown["text"]
