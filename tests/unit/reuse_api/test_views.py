"""What the wallet's pages tell: words, dates and sizes in both languages, hostile text kept harmless."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from policies.book import shipped_book
from policies.facts import TrustClass, Validity
from reuse_api.pages.languages import Language, language
from reuse_api.pages.rendering import render
from reuse_api.pages.views import Narrator
from signing.leaf import Kind
from vault.finding import Me, MyAccess, MyRecord

AT = datetime(2026, 11, 24, 17, 5, 7, tzinfo=UTC)  # 00:05:07 of the 25th in Viet Nam
FRAME = {
    "room": "wallet",
    "home": "/wallet",
    "tabs": (),
    "signed_in": True,
    "form_token": "t",
    "here": "/wallet",
    "section": "records",
}
HOSTILE = '<script>alert("1")</script>{{ 7 * 7 }}{form_token}'

RECORD = MyRecord(
    id="rec-1",
    document_code="001305000017.GKS.1",
    type="GKS",
    title="Giấy khai sinh",
    issuer_name="UBND phường Ba Đình",
    number="12/2026",
    issued_on="2026-11-05",
    valid_until=None,
    trust="A",
    verdict="valid",
    verdict_reasons=(),
    validity="in_force",
    validity_reason=None,
    replaced_by=None,
    media_type="application/pdf",
    size=48_211,
    source="result",
    created_at=AT,
    damaged=False,
)
ACCESS = MyAccess(
    index=30,
    at=AT,
    kind=3,
    event="delivered",
    result="permitted",
    agency_vi="Công an phường",
    agency_en="Ward police",
    system="sys-1",
    officer="CB-0192",
    by_owner=False,
    acted_by=None,
    dossier="G01.12-261124-0001",
    procedure="1.004222",
    procedure_name="Đăng ký thường trú",
    component="KQ003606",
    consent=None,
    purpose=None,
    component_name="(một đoạn dài)",
    record="rec-1",
    record_title="Giấy khai sinh",
    basis="statute",
    reference="Luật 91/2025/QH15, Điều 19 khoản 1 điểm c; Luật Cư trú 68/2020/QH14, "
    "Điều 20 và Điều 21; Nghị định 45/2020/NĐ-CP",
    reasons=(),
    receipt="rcp-1",
)


def narrator(code: str) -> Narrator:
    return Narrator(_language(code), shipped_book())


def _language(code: str) -> Language:
    return language("vi" if code == "vi" else "en")


@pytest.mark.parametrize(
    ("code", "validity", "verdict", "trust", "issued", "stored", "file"),
    [
        (
            "vi",
            "Còn hiệu lực",
            "Chữ ký số hợp lệ",
            "Kết quả điện tử có chữ ký số",
            "05/11/2026",
            "00:05:07, 25/11/2026",
            "PDF, 48 kB",
        ),
        (
            "en",
            "In force",
            "Signature valid",
            "Signed electronic result",
            "5 Nov 2026",
            "00:05:07, 25 Nov 2026",
            "PDF, 48 kB",
        ),
    ],
)
def test_a_document_is_told_in_words(
    code: str, validity: str, verdict: str, trust: str, issued: str, stored: str, file: str
) -> None:
    told = narrator(code).record(RECORD)
    assert (told.validity.words, told.verdict.words, told.trust.words) == (validity, verdict, trust)
    assert told.issued_on is not None and told.issued_on.words == issued
    assert (told.stored.words, told.stored.iso) == (stored, "2026-11-25T00:05:07+07:00")
    assert told.file == file


@pytest.mark.parametrize("code", ["vi", "en"])
def test_only_a_valid_document_in_force_looks_good(code: str) -> None:
    tell = narrator(code).record
    tones = {value: tell(replace(RECORD, validity=value.value)).validity.tone for value in Validity}
    assert [value for value, tone in tones.items() if tone == "good"] == [Validity.IN_FORCE]
    verdicts = {
        one: tell(replace(RECORD, verdict=one)).verdict.tone for one in ("valid", "invalid", "undetermined")
    }
    assert verdicts == {"valid": "good", "invalid": "bad", "undetermined": "caution"}
    trusts = {one.value: tell(replace(RECORD, trust=one.value)).trust.tone for one in TrustClass}
    assert trusts == {"A": "good", "B": "good", "C": "good", "D": "plain", "E": "plain"}


@pytest.mark.parametrize("code", ["vi", "en"])
def test_an_upload_is_not_called_in_force_unless_it_states_its_end(code: str) -> None:
    tell = narrator(code).record
    upload = replace(RECORD, source="upload", issuer_name=None, trust="D")
    assert tell(upload).validity != tell(RECORD).validity
    assert tell(upload).validity.tone == "plain"
    assert tell(replace(upload, valid_until="2030-01-01")).validity == tell(RECORD).validity
    assert tell(replace(upload, validity="expired")).validity.tone == "bad"


@pytest.mark.parametrize("code", ["vi", "en"])
def test_every_kind_of_entry_has_a_sentence_that_names_the_document(code: str) -> None:
    tell = narrator(code).access
    whats = [tell(replace(ACCESS, kind=int(kind), event="not_yet_known")).what for kind in Kind]
    assert len(set(whats)) == len(whats) - 0 or code == "vi"
    assert all("{" not in what for what in whats)
    assert "Giấy khai sinh" in tell(ACCESS).what


def test_an_access_says_its_basis_with_the_law_and_short_names() -> None:
    told = narrator("en").access(ACCESS)
    assert told.basis == "Statute: Registration of residence under the Law on Residence"
    assert told.component == "Proof of kinship"
    assert told.agency == "Ward police"
    vietnamese = narrator("vi").access(ACCESS)
    assert vietnamese.basis == "Quy định pháp luật: Đăng ký thường trú theo Luật Cư trú"
    assert vietnamese.component == "Giấy tờ chứng minh quan hệ nhân thân"


def test_a_refusal_gives_reasons_and_never_a_bare_code() -> None:
    refused = replace(
        ACCESS, kind=2, event="release_refused", result="refused", basis=None, reference=None,
        reasons=("record_revoked", "dossier_closed"),
    )  # fmt: skip
    told = narrator("vi").access(refused)
    assert told.refused and told.basis is None
    assert len(told.reasons) == 2
    assert not any(code in words for code, words in zip(refused.reasons, told.reasons, strict=True))


def test_a_replaced_document_leads_to_the_one_that_took_its_place() -> None:
    replaced = replace(RECORD, validity="replaced", replaced_by="rec-2")
    told = narrator("vi").record(replaced)
    assert (told.replacement, told.validity_reason) == ("rec-2", None)
    shown = render("record.html", _language("vi"), FRAME | {"one": told})
    assert 'href="/wallet/records/rec-2"' in shown
    revoked = narrator("vi").record(replace(RECORD, validity="revoked", validity_reason="Luật: sai"))
    assert (revoked.replacement, revoked.validity_reason) == (None, "Luật: sai")


def test_accesses_are_grouped_by_dossier_latest_first() -> None:
    mine = replace(
        ACCESS, index=40, by_owner=True, dossier=None, agency_vi=None, basis="owner", reference=None
    )
    other = replace(ACCESS, index=35, dossier="H26.1-261124-0002", agency_vi="Phường khác")
    intruder = replace(
        ACCESS, index=33, result="refused", kind=2, agency_vi="Kẻ lạ", reasons=("dossier_closed",)
    )
    groups = narrator("vi").groups([mine, other, intruder, ACCESS])
    assert [(one.kind, one.code, len(one.accesses)) for one in groups] == [
        ("own", None, 1),
        ("dossier", "H26.1-261124-0002", 1),
        ("dossier", "G01.12-261124-0001", 2),
    ]
    assert groups[2].agency == "Công an phường"  # the one that opened it, not the one refused later
    assert groups[2].reference == ACCESS.reference
    assert [one.index for one in groups[2].accesses] == [33, 30]


def test_a_group_with_two_bases_leaves_each_entry_its_own() -> None:
    issued = replace(ACCESS, index=31, reference="Luật Hộ tịch 60/2014/QH13")
    (group,) = narrator("vi").groups([issued, ACCESS])
    assert group.basis is None and group.reference is None


@pytest.mark.parametrize(
    ("octets", "vi", "en"),
    [(0, "0 B", "0 B"), (999, "999 B", "999 B"), (1500, "1,5 kB", "1.5 kB"), (52_428_800, "52 MB", "52 MB")],
)
def test_sizes_are_written_as_the_language_does(octets: int, vi: str, en: str) -> None:
    assert (narrator("vi").size(octets), narrator("en").size(octets)) == (vi, en)


def test_the_types_to_choose_from_are_those_in_force_and_end_with_other() -> None:
    choices = narrator("vi").type_choices(AT)
    assert ("GKS", "Giấy khai sinh") in choices
    assert choices[-1][1] == "Giấy tờ khác"


def test_a_type_that_the_book_does_not_know_is_shown_as_it_is() -> None:
    assert narrator("vi").type_name("XYZ", AT + timedelta(days=1)) == "XYZ"


@pytest.mark.parametrize("code", ["vi", "en"])
@pytest.mark.parametrize(
    "template", ["records.html", "record.html", "accesses.html", "access.html", "upload.html"]
)
def test_hostile_text_is_shown_as_text(code: str, template: str) -> None:
    tell = narrator(code)
    record = tell.record(
        replace(
            RECORD, title=HOSTILE, issuer_name=HOSTILE, number=HOSTILE, validity_reason=HOSTILE,
            document_code=HOSTILE, media_type=HOSTILE, type=HOSTILE, validity="revoked",
        )
    )  # fmt: skip
    hostile = replace(
        ACCESS, record_title=HOSTILE, agency_vi=HOSTILE, agency_en=HOSTILE, officer=HOSTILE, system=HOSTILE,
        procedure_name=HOSTILE, component=HOSTILE, component_name=HOSTILE, reference=HOSTILE,
    )  # fmt: skip
    values: dict[str, Any] = {
        "me": Me(HOSTILE, HOSTILE),
        "records": [record],
        "added": False,
        "one": record if template == "record.html" else tell.access(hostile),
        "groups": tell.groups([hostile]),
        "older": None,
        "newest": True,
        "log_key": HOSTILE,
        "file_name": HOSTILE,
        "typed": {"title": HOSTILE, "type": HOSTILE},
        "types": [(HOSTILE, HOSTILE)],
        "errors": {"title": HOSTILE},
        "limit": HOSTILE,
        "title_limit": 200,
        "request_key": HOSTILE,
    }
    shown = render(template, _language(code), FRAME | values)
    assert "<script" not in shown.lower()
    assert "&lt;script&gt;" in shown
    assert "{{ 7 * 7 }}" in shown  # neither the template engine nor the catalogue reads it again
    assert "{form_token}" in shown
