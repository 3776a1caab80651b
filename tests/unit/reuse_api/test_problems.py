"""Problems are RFC 9457 documents in two languages that name the field and the reasons."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import ValidationError

from reuse_api.answering import answer_errors
from reuse_api.language import LANGUAGES, Language
from reuse_api.problem_words import ROWS, TITLES
from reuse_api.problems import (
    of_code,
    of_credentials,
    of_field,
    of_refusal,
    of_validation,
    words,
)
from reuse_api.schemas import DossierBody, ReleasesBody
from signing.errors import (
    SealingFailed,
    SealKeyUnavailable,
    SealNameUnfit,
    SealNotValid,
    StatusFailed,
    TimestampFailed,
)
from vault.services import Refusal


@pytest.mark.parametrize("code", sorted(ROWS))
def test_every_row_has_a_title_for_its_status_and_words_in_both_languages(code: str) -> None:
    row = ROWS[code]
    assert row.status in TITLES
    assert row.vi.endswith(".")
    assert row.en.endswith(".")
    assert row.vi != row.en


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_field_is_named_with_words(language: Language) -> None:
    body = of_field("persons.0.identifier", "tax_code_check_digit").body(language)
    assert body["type"] == "/problems/tax_code_check_digit"
    assert body["status"] == 422
    assert body["title"] == TITLES[422].words(language)
    assert body["field"] == "persons.0.identifier"
    assert body["fields"][0]["code"] == "tax_code_check_digit"
    assert body["fields"][0]["words"] == body["detail"] == words("tax_code_check_digit", language)


def test_the_status_of_a_field_follows_its_code() -> None:
    assert of_field("file", "too_large").status == 413
    assert of_field("range", "range_outside_file").status == 416
    assert of_field("Idempotency-Key", "idempotency_key_missing").status == 400
    assert of_field("file", "empty").status == 422


def test_a_refusal_carries_every_reason_and_its_receipts() -> None:
    refusal = Refusal(("outside_territory", "procedure_not_registered"), ("rcp-1", "rcp-2"))
    problem = of_refusal(refusal)
    body = problem.body("en")
    assert (problem.status, body["type"]) == (403, "/problems/outside_territory")
    assert [one["code"] for one in body["reasons"]] == ["outside_territory", "procedure_not_registered"]
    assert all(one["words"] for one in body["reasons"])
    assert body["receipts"] == ["rcp-1", "rcp-2"]
    assert of_refusal(Refusal(("dossier_closed",), (), "ended")).status == 410


def test_a_token_problem_says_how_to_authenticate() -> None:
    missing = of_credentials("token_missing", "Bearer").headers["WWW-Authenticate"]
    expired = of_credentials("token_expired", "Bearer").headers["WWW-Authenticate"]
    assert missing == 'Bearer realm="kho"'
    assert expired == 'Bearer realm="kho", error="invalid_token", error_description="token_expired"'
    assert of_credentials("something_new", "Session").code == "not_authenticated"


def test_a_problem_without_field_reasons_or_receipts_has_no_empty_members() -> None:
    assert set(of_code("not_found").body("vi")) == {"type", "title", "status", "detail", "code"}


GOOD = {
    "procedure": "1.004222",
    "persons": [
        {
            "role": "applicant",
            "identifier": {"scheme": "personal_number", "value": "001307012347"},
            "name": "An",
        }
    ],
    "channel": "counter",
}


def faults(model: type, body: object) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)  # type: ignore[attr-defined]
    errors = [{**one, "loc": ("body", *one["loc"])} for one in caught.value.errors()]
    return [(one.field, one.code) for one in of_validation(errors).faults]


def person(**changes: object) -> dict[str, object]:
    return GOOD | {"persons": [GOOD["persons"][0] | changes]}  # type: ignore[index]


def test_the_good_body_is_good() -> None:
    assert DossierBody.model_validate(GOOD).value().persons[0].value == "001307012347"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (GOOD | {"agency": "H26.14.02"}, ("agency", "field_unknown")),
        ({**GOOD, "channel": "email"}, ("channel", "value_unknown")),
        ({"channel": "counter", "persons": []}, ("procedure", "field_missing")),
        (GOOD | {"procedure": 7}, ("procedure", "wrong_type")),
        (GOOD | {"procedure": "x" * 200}, ("procedure", "too_long")),
        (GOOD | {"procedure": ""}, ("procedure", "too_short")),
        (GOOD | {"persons": GOOD["persons"] * 51}, ("persons", "too_many")),
        (GOOD | {"evidence": "officer_check"}, ("evidence", "wrong_type")),
        (person(born_on="2007-02-30"), ("persons.0.born_on", "date_malformed")),
        (person(born_on="yesterday"), ("persons.0.born_on", "date_malformed")),
        (person(name="a\x00b"), ("persons.0.name", "value_malformed")),
        (person(identifier={"scheme": "tax_code"}), ("persons.0.identifier.value", "field_missing")),
    ],
)
def test_a_field_that_does_not_fit_is_named(body: object, expected: tuple[str, str]) -> None:
    assert expected in faults(DossierBody, body)


@pytest.mark.parametrize("body", [[], "text", 7, None])
def test_a_body_that_is_no_object_is_named(body: object) -> None:
    assert faults(ReleasesBody, body) == [("body", "body_not_json")]


def test_nothing_of_what_was_sent_is_repeated() -> None:
    secret = "001307012347-and-more" * 20
    errors = [{"type": "string_too_long", "loc": ("body", "name"), "input": secret, "msg": secret}]
    assert secret not in str(of_validation(errors).body("en"))


@pytest.mark.parametrize(
    "problem, retry, told",
    [
        (TimestampFailed("nobody"), "60", ["timestamp_failed", "seal_try_again"]),
        (StatusFailed("nobody"), "60", ["status_failed", "seal_try_again"]),
        (SealKeyUnavailable("nobody"), "60", ["seal_key_unavailable", "seal_try_again"]),
        (SealNotValid("NO_POE"), None, ["seal_not_valid", "seal_no_retry"]),
        (SealNameUnfit("too long"), None, ["seal_name_unfit", "seal_no_retry"]),
    ],
)
def test_a_failed_seal_names_the_service_and_says_whether_to_try_again(
    problem: SealingFailed, retry: str | None, told: list[str]
) -> None:
    app = FastAPI()
    answer_errors(app)

    @app.get("/")
    def seal() -> None:
        raise problem

    with TestClient(app) as client:
        texts = []
        for language in LANGUAGES:
            answer = client.get("/", headers={"Accept-Language": language})
            assert (answer.status_code, answer.headers.get("retry-after")) == (503, retry)
            body = answer.json()
            assert (body["code"], [one["code"] for one in body["reasons"]]) == ("sealing_failed", told)
            texts.append([one["words"] for one in body["reasons"]])
    assert all(vi != en and told[0] not in en for vi, en in zip(*texts, strict=True))
