"""What the wallet's pages tell: words, dates and sizes in both languages, hostile text kept harmless."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from policies.book import shipped_book
from policies.facts import TrustClass, Validity
from reuse_api.pages import dates
from reuse_api.pages.access_views import tell_access, tell_groups
from reuse_api.pages.desk_views import Clerk
from reuse_api.pages.document_views import tell_document
from reuse_api.pages.languages import Language, language
from reuse_api.pages.quarantine_views import tell_shut
from reuse_api.pages.rendering import render
from reuse_api.pages.search_views import FacetView
from reuse_api.pages.views import Narrator
from signing.leaf import Kind
from signing.report import SignatureDetail, SignatureReport
from vault.finding import Me, MyAccess, MyRecord
from vault.looking import Neighbour, ValidityChange, WholeRecord
from vault.quarantine_ending import Quarantined
from vault.searching import Found
from vault.versions import Version

AT = datetime(2026, 11, 24, 17, 5, 7, tzinfo=UTC)  # 00:05:07 of the 25th in Viet Nam
FRAME = {
    "room": "wallet",
    "home": "/wallet",
    "tabs": (),
    "signed_in": True,
    "form_token": "t",
    "here": "/wallet",
    "section": "records",
    "acting": None,
}
HOSTILE = '<script>alert("1")</script>{{ 7 * 7 }}{form_token}\u202efdp.\x1b[2J'

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
    trust_reasons=("class_by_issuing_agency",),
    verdict="valid",
    verdict_reasons=(),
    validity="in_force",
    validity_reason=None,
    replaced_by=None,
    media_type="application/pdf",
    size=48_211,
    pages=2,
    source="result",
    created_at=AT,
    damaged=False,
)
SHUT = Quarantined(
    id=HOSTILE,
    holder_kind="owner",
    holder=HOSTILE,
    agency=HOSTILE,
    officer=HOSTILE,
    sha256=HOSTILE,
    size=1,
    code="malware",
    found=("malware", HOSTILE),
    malware=HOSTILE,
    at=AT,
    until=AT + timedelta(days=30),
    ended_at=None,
    ended_by=None,
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
    page=None,
    basis="statute",
    reference="Luật 91/2025/QH15, Điều 19 khoản 1 điểm c; Luật Cư trú 68/2020/QH14, "
    "Điều 20 và Điều 21; Nghị định 45/2020/NĐ-CP",
    reasons=(),
    receipt="rcp-1",
)


WHOLE = WholeRecord(
    record=RECORD,
    sha256=b"\xab" * 32,
    report=SignatureReport(
        "valid", "", (), (SignatureDetail("Seal", "UBND phường Ba Đình", AT, "B-LTA", "valid", "", True, ""),)
    ),
    judged_at=AT,
    history=(),
    replaced_by=None,
    replaces=(),
    owners=1,
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


@pytest.mark.parametrize(
    ("reason", "vi", "tone"),
    [
        ("no_signature", "Không có chữ ký số", "plain"),
        ("changed_after_signing", "Bị thay đổi sau khi ký", "bad"),
        ("looks_changed", "Bị thay đổi sau khi ký", "bad"),
        ("signer_not_trusted", "Chưa xác định được chữ ký số", "caution"),
    ],
)
def test_what_nobody_signed_and_what_was_changed_have_badges_of_their_own(
    reason: str, vi: str, tone: str
) -> None:
    one = replace(RECORD, verdict="undetermined", verdict_reasons=(reason,))
    told = narrator("vi").record(one).verdict
    assert (told.words, told.tone) == (vi, tone)
    assert narrator("en").record(one).verdict.words != vi


def test_of_a_digitised_paper_it_is_said_who_scanned_it_and_that_nobody_proved_its_issuer() -> None:
    scanned = replace(RECORD, source="digitised", issuer_name=None)
    whole = replace(WHOLE, record=scanned, digitised_by=("UBND xã Tân Hòa", None))
    assert tell_document(narrator("vi"), whole).issuer == (
        "Chưa ghi nhận; UBND xã Tân Hòa số hóa từ bản giấy"
    )
    read = replace(whole, record=replace(scanned, issuer_name="Sở Tư pháp"))
    assert tell_document(narrator("en"), read).issuer == (
        "Sở Tư pháp, as the paper says; digitised by UBND xã Tân Hòa"
    )
    uploaded = replace(whole, record=replace(scanned, source="upload"))
    assert tell_document(narrator("vi"), uploaded).issuer == "Không có: bạn tự tải lên"


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
    tell = narrator(code)
    whats = [tell_access(tell, replace(ACCESS, kind=int(kind), event="not_yet_known")).what for kind in Kind]
    assert len(set(whats)) == len(whats) - 0 or code == "vi"
    assert all("{" not in what for what in whats)
    assert "Giấy khai sinh" in tell_access(tell, ACCESS).what
    shown = tell_access(tell, replace(ACCESS, by_owner=True, event="page_delivered", page=2)).what
    assert "2" in shown and "Giấy khai sinh" in shown


def test_an_access_says_its_basis_with_the_law_and_short_names() -> None:
    told = tell_access(narrator("en"), ACCESS)
    assert told.basis == "Statute: Registration of residence under the Law on Residence"
    assert told.component == "Proof of kinship"
    assert told.agency == "Ward police"
    vietnamese = tell_access(narrator("vi"), ACCESS)
    assert vietnamese.basis == "Quy định pháp luật: Đăng ký thường trú theo Luật Cư trú"
    assert vietnamese.component == "Giấy tờ chứng minh quan hệ nhân thân"


def test_two_bases_on_one_law_keep_their_names() -> None:
    tell = narrator("en")
    shared: dict[str, dict[str, str]] = {}
    for rule in tell.book.rules:
        shared.setdefault(rule.legal_reference, {})[rule.basis] = rule.name.en
    reference, names = next((law, names) for law, names in shared.items() if len(names) > 1)
    told = {
        basis: tell_access(tell, replace(ACCESS, basis=basis, reference=reference)).basis for basis in names
    }
    assert all((words or "").endswith(f": {names[basis]}") for basis, words in told.items())


def test_a_refusal_gives_reasons_and_never_a_bare_code() -> None:
    refused = replace(
        ACCESS, kind=2, event="release_refused", result="refused", basis=None, reference=None,
        reasons=("record_revoked", "dossier_closed"),
    )  # fmt: skip
    told = tell_access(narrator("vi"), refused)
    assert told.refused and told.basis is None
    assert len(told.reasons) == 2
    assert not any(code in words for code, words in zip(refused.reasons, told.reasons, strict=True))


def test_a_replaced_document_leads_to_the_one_that_took_its_place() -> None:
    change = ValidityChange("replaced", AT, "", "", "UBND phường", "Commune", 31)
    newer = Neighbour("rec-2", "Giấy khai sinh", "13/2026", mine=True)
    replaced = replace(
        WHOLE, record=replace(RECORD, validity="replaced"), history=(change,), replaced_by=newer
    )
    told = tell_document(narrator("en"), replaced)
    assert told.replaced_by is not None
    assert (told.replaced_by.words, told.replaced_by.place) == (
        "Giấy khai sinh, number 13/2026",
        "/wallet/records/rec-2",
    )
    assert (told.history[0].ground, told.history[0].agency) == (None, "Commune")
    shown = render("record.html", _language("en"), FRAME | {"one": told})
    assert 'href="/wallet/records/rec-2"' in shown and 'href="/wallet/accesses/31"' in shown


def test_every_file_of_a_document_is_shown_with_its_digest_and_the_way_to_it() -> None:
    first = Version("1", "stored", "ab" * 32, 1500, "application/pdf", AT, newest=False)
    newest = Version("2", "renewed", "cd" * 32, 2500, "application/pdf", AT, newest=True)
    told = tell_document(narrator("en"), WHOLE, (first, newest))
    shown = render("record.html", _language("en"), FRAME | {"one": told})
    for one in (first, newest):
        assert one.sha256 in shown
        assert f'href="/wallet/records/{RECORD.id}/versions/{one.sha256}/content"' in shown
    assert tell_document(narrator("en"), WHOLE, (newest,)).versions == (), "one file needs no list"


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        ("application/pkcs7-signature", ".p7s"),
        ("application/x-pem-file", ".pem"),
        ("application/xml", ".xml"),
    ],
)
def test_the_command_names_the_signature_by_the_ending_of_what_it_is(kind: str, ending: str) -> None:
    signed = replace(RECORD, media_type="application/xml", signature="ab" * 32, signature_type=kind)
    told = tell_document(narrator("en"), replace(WHOLE, record=signed))
    shown = render("record.html", _language("en"), FRAME | {"one": told})
    code = RECORD.document_code
    assert f"kho verify document *{code}.xml --signature *{code}{ending} --trust" in shown
    plain = tell_document(narrator("en"), WHOLE)
    shown = render("record.html", _language("en"), FRAME | {"one": plain})
    assert f"kho verify document *{code}.pdf --trust" in shown


def test_of_a_document_of_another_nothing_is_told_but_that_it_is_there() -> None:
    told = tell_document(
        narrator("en"), replace(WHOLE, replaces=(Neighbour("rec-9", None, None, mine=False),))
    )
    assert [(one.words, one.place) for one in told.replaces] == [
        ("a document that is not of this store", None)
    ]
    assert "rec-9" not in render("record.html", _language("en"), FRAME | {"one": told})


def test_the_history_is_told_newest_first_with_ground_reason_and_proof() -> None:
    suspended = ValidityChange("suspended", AT, "Điều 1", "đang xác minh", "UBND phường", "Commune", 31)
    again = replace(suspended, state="in_force", index=35)
    revoked = ValidityChange("revoked", AT + timedelta(days=1), "Điều 2", "sai", None, None, 40)
    told = tell_document(narrator("vi"), replace(WHOLE, history=(suspended, again, revoked))).history
    assert [one.state.tone for one in told] == ["bad", "good", "caution", "plain"]
    assert told[1].state.words == "Có hiệu lực trở lại"
    assert (told[0].ground, told[0].reason, told[0].proof) == ("Điều 2", "sai", "/wallet/accesses/40")
    assert (told[3].agency, told[3].proof) == (RECORD.issuer_name, None)


@pytest.mark.parametrize(
    ("code", "alone", "two"),
    [
        ("vi", "Chỉ một chủ: kho này", "Kho này và 1 chủ khác."),
        ("en", "One alone", "This store and 1 other owner."),
    ],
)
def test_other_owners_are_counted_and_not_named(code: str, alone: str, two: str) -> None:
    assert tell_document(narrator(code), WHOLE).owners.startswith(alone)
    assert tell_document(narrator(code), replace(WHOLE, owners=2)).owners.startswith(two)


def test_the_check_is_told_in_the_steps_of_the_command() -> None:
    steps = tell_document(narrator("en"), WHOLE).steps
    assert [one.outcome.words for one in steps] == ["Passed"] * 6
    assert steps[-1].name.startswith("What the document is worth: A, ")
    assert steps[0].details == (f"PDF, 48 kB, SHA-256 {'ab' * 32}",)
    assert steps[3].details[0] == "Time: 00:05:07, 25 Nov 2026"


def test_accesses_are_grouped_by_dossier_latest_first() -> None:
    mine = replace(
        ACCESS, index=40, by_owner=True, dossier=None, agency_vi=None, basis="owner", reference=None
    )
    other = replace(ACCESS, index=35, dossier="H26.1-261124-0002", agency_vi="Phường khác")
    intruder = replace(
        ACCESS, index=33, result="refused", kind=2, agency_vi="Kẻ lạ", reasons=("dossier_closed",)
    )
    groups = tell_groups(narrator("vi"), [mine, other, intruder, ACCESS])
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
    (group,) = tell_groups(narrator("vi"), [issued, ACCESS])
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
    "template", ["records.html", "record.html", "view.html", "accesses.html", "access.html", "upload.html"]
)
def test_hostile_text_is_shown_as_text(code: str, template: str) -> None:
    tell = narrator(code)
    record = replace(
        RECORD, title=HOSTILE, issuer_name=HOSTILE, number=HOSTILE, document_code=HOSTILE,
        media_type=HOSTILE, type=HOSTILE, validity="revoked",
    )  # fmt: skip
    signed = SignatureDetail(HOSTILE, HOSTILE, None, "", "undetermined", HOSTILE, False, HOSTILE)
    whole = replace(
        WHOLE,
        record=record,
        report=SignatureReport("undetermined", HOSTILE, (HOSTILE,), (signed,)),
        history=(ValidityChange("revoked", AT, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1),),
        replaced_by=Neighbour("rec-2", HOSTILE, HOSTILE, mine=True),
        replaces=(Neighbour("rec-3", HOSTILE, HOSTILE, mine=True),),
    )
    hostile = replace(
        ACCESS, record_title=HOSTILE, agency_vi=HOSTILE, agency_en=HOSTILE, officer=HOSTILE, system=HOSTILE,
        procedure_name=HOSTILE, component=HOSTILE, component_name=HOSTILE, reference=HOSTILE,
    )  # fmt: skip
    november = dates.month(AT.date(), tell.language.code)
    one: dict[str, Any] = {"record.html": tell_document(tell, whole), "view.html": tell.record(record)}
    shut: dict[str, Any] = {"records.html": [tell_shut(tell.language, SHUT)], "upload.html": HOSTILE}
    values: dict[str, Any] = {
        "me": Me(HOSTILE, HOSTILE),
        "records": [tell.record(record)],
        "waiting": [],
        "added": False,
        "known": False,
        "shut": shut.get(template),
        "one": one.get(template, tell_access(tell, hostile)),
        "number": 1,
        "pages": 2,
        "months": [("2026-11", november, 1)],
        "month": november,
        "groups": tell_groups(tell, [hostile]),
        "older": None,
        "newest": True,
        "log_key": HOSTILE,
        "file_name": HOSTILE,
        "typed": {"title": HOSTILE, "type": HOSTILE},
        "types": [(HOSTILE, HOSTILE)],
        "errors": {"title": HOSTILE},
        "limit": HOSTILE,
        "title_limit": 200,
        "signature_limit": HOSTILE,
        "request_key": HOSTILE,
        "sought": HOSTILE,
        "found": Found((), 1, {}, {}, None, True),
        "found_in": lambda text: ((text or "", True),),
        "facets": (FacetView("type", HOSTILE, ((HOSTILE, HOSTILE),)),),
        "onward": {"q": HOSTILE},
        "first": False,
        "fault": HOSTILE,
    }
    shown = render(template, _language(code), FRAME | values)
    assert "<script" not in shown.lower()
    assert "&lt;script&gt;" in shown
    assert "{{ 7 * 7 }}" in shown  # neither the template engine nor the catalogue reads it again
    assert "{form_token}" in shown
    assert "\u202e" not in shown and "\x1b" not in shown, "no text turns the page around"


def test_the_opening_of_a_store_is_named_and_the_vault_is_not_named_as_a_system() -> None:
    own = replace(ACCESS, kind=13, event="store_opened", agency_vi=None, agency_en=None, system="vault")
    for code, words in (("vi", "Mở kho giấy tờ của bạn"), ("en", "Your store was opened")):
        told = tell_access(narrator(code), own)
        assert told.what.startswith(words)
        assert told.system is None


@pytest.mark.parametrize(
    ("code", "unstated", "stated"),
    [
        ("vi", "Không ghi thời hạn hiệu lực", "Còn hiệu lực"),
        ("en", "No term of validity stated", "In force"),
    ],
)
def test_an_upload_without_an_end_is_called_in_force_nowhere(code: str, unstated: str, stated: str) -> None:
    upload = replace(RECORD, source="upload")
    line = {"record": "rec-1", "title": "Giấy khai sinh", "type": "GKS", "trust": "D"}
    line |= {"verdict": "undetermined", "validity": "in_force", "source": "upload"}
    ends = {"valid_until": "2030-01-01"}
    clerk = Clerk(_language(code), shipped_book())
    shown = [narrator(code).record(upload).validity, clerk.paper(line).marks[0]]
    assert {(one.words, one.tone) for one in shown} == {(unstated, "plain")}
    shown = [narrator(code).record(replace(upload, **ends)).validity, clerk.paper(line | ends).marks[0]]
    assert {(one.words, one.tone) for one in shown} == {(stated, "good")}
    assert clerk.paper(line | {"source": "result"}).marks[0].words == stated
