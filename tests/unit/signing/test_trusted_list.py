"""A national list becomes anchors with their dates, and only if whoever is named signed it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signing.errors import TrustedListRefused
from signing.trust_folder import TrustFolder
from signing.trusted_list import TrustedList, read_trusted_list
from signing.trusted_list_import import import_trusted_list
from tests.servers.pki import Holder, Pki, der
from tests.servers.trusted_lists import CA, GRANTED, STAMPS, WITHDRAWN, Service, signed_list, trusted_list

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
T1, T2, T3 = (datetime(year, 1, 1, tzinfo=UTC) for year in (2017, 2020, 2022))


@dataclass(frozen=True)
class Scene:
    pki: Pki
    operator: Holder
    services: list[Service]

    def list(self, sequence: int = 7, services: list[Service] | None = None, **times: datetime) -> bytes:
        said = {"issued": NOW - timedelta(days=1), "following": NOW + timedelta(days=180)} | times
        return trusted_list(
            self.services if services is None else services,
            sequence=sequence,
            issued=said["issued"],
            following=said["following"],
        )

    def read(self, content: bytes) -> TrustedList:
        return read_trusted_list(content, self.operator.certificate)


@pytest.fixture(scope="module")
def scene() -> Scene:
    pki = Pki(NOW)
    return Scene(
        pki,
        pki.seal("Scheme operator"),
        [
            Service(pki.issuing, CA, "Chứng thực", [(T1, GRANTED)]),
            Service(pki.stamps, STAMPS, "Dấu thời gian", [(T1, GRANTED), (T2, WITHDRAWN), (T3, GRANTED)]),
            Service(pki.root, CA, "Đã thôi", [(T1, GRANTED), (T2, WITHDRAWN)]),
            Service(pki.root, CA, "Chưa từng", [(T1, WITHDRAWN)]),
            Service(pki.root, "http://uri.etsi.org/TrstSvc/Svctype/EDS/Q", "Giao nhận", [(T1, GRANTED)]),
            Service(pki.root, CA, "Hỏng", [(T1, GRANTED)], content="AAAA"),
        ],
    )


def test_services_become_anchors_for_the_time_of_their_approval(scene: Scene) -> None:
    found = scene.read(signed_list(scene.list(), scene.operator))
    assert (found.scheme, found.sequence, found.skipped, found.unreadable) == ("VN Test list", 7, 2, 1)
    told = {(one.purpose, one.label_vi, one.valid_from, one.valid_until) for one in found.anchors}
    assert told == {
        ("public", "Nhà cung cấp - Chứng thực", T1, None),
        ("timestamp", "Nhà cung cấp - Dấu thời gian", T1, T2),
        ("timestamp", "Nhà cung cấp - Dấu thời gian", T3, None),
        ("public", "Nhà cung cấp - Đã thôi", T1, T2),
    }
    assert {one.label_en for one in found.anchors if one.valid_until is None} == {
        "Provider - Chứng thực",
        "Provider - Dấu thời gian",
    }


def test_a_list_counts_only_if_the_named_operator_signed_all_of_it(scene: Scene) -> None:
    signed = signed_list(scene.list(), scene.operator)
    wrong = [
        scene.list(),
        signed_list(scene.list(), scene.pki.seal("Somebody else")),
        signed.replace(b"Nh\xc3\xa0 cung", b"Nh\xc3\xa0 Cung"),
        signed.replace(b"&#224; cung", b"&#224; Cung"),
        b"<other xmlns='http://uri.etsi.org/02231/v2#'>" + signed + b"</other>",
        b"<r><d:Signature xmlns:d='http://www.w3.org/2000/09/xmldsig#'><d:SignedInfo/></d:Signature></r>",
    ]
    for content in (one for one in wrong if one != signed):
        try:
            found = scene.read(content)
        except TrustedListRefused as refused:
            assert refused.code == "signature_wrong"
        else:
            assert content.startswith(b"<other"), "only the signed part of it was read"
            assert found == scene.read(signed)
    assert read_trusted_list(scene.list(), None).sequence == 7, "told to, it is taken as it is"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_xml"),
        (b"%PDF-1.7", "not_xml"),
        (b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>', "not_xml"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "not_xml"),
        (b"<a/>", "not_a_trusted_list"),
        (b'<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#"/>', "not_a_trusted_list"),
        (b" " * (20 * 2**20 + 1), "too_large"),
    ],
    ids=["empty", "pdf", "entities", "file", "other", "bare", "large"],
)
def test_what_is_no_list_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(TrustedListRefused) as refused:
        read_trusted_list(content, None)
    assert refused.value.code == code


def test_an_import_fills_the_folder_once(scene: Scene, tmp_path: Path) -> None:
    found = read_trusted_list(scene.list(), None)
    told = import_trusted_list(found, tmp_path, NOW)
    assert (len(told.added), told.changed, told.unchanged, told.ended) == (4, [], [], [])
    trusted = TrustFolder(tmp_path).current()
    assert trusted.faults == ()
    assert trusted.counts == {"public": 2, "government": 0, "timestamp": 2, "test": 0}
    told_by = [{(one.label_vi, one.valid_from) for one in each.anchors} for each in (trusted, found)]
    assert told_by[0] == told_by[1]
    again = import_trusted_list(found, tmp_path, NOW)
    assert (again.added, again.changed, len(again.unchanged)) == ([], [], 4)
    assert TrustFolder(tmp_path).current() == trusted


def test_a_later_list_ends_what_it_no_longer_names_and_an_earlier_one_is_refused(
    scene: Scene, tmp_path: Path
) -> None:
    import_trusted_list(read_trusted_list(scene.list(7), None), tmp_path, NOW)
    withdrawn = Service(scene.pki.stamps, STAMPS, "Dấu thời gian", [(T1, GRANTED), (T2, WITHDRAWN)])
    told = import_trusted_list(read_trusted_list(scene.list(8, [withdrawn]), None), tmp_path, NOW)
    assert (len(told.ended), len(told.unchanged)) == (2, 1), "the one that had ended before is left as it is"
    assert not any(one.covers(NOW) for one in TrustFolder(tmp_path).current().anchors)
    for content, code in (
        (scene.list(7), "list_older"),
        (scene.list(9, following=NOW - timedelta(seconds=1)), "list_expired"),
    ):
        with pytest.raises(TrustedListRefused) as refused:
            import_trusted_list(read_trusted_list(content, None), tmp_path, NOW)
        assert refused.value.code == code


def test_the_certificate_is_the_one_that_was_listed(scene: Scene) -> None:
    found = read_trusted_list(scene.list(), None)
    assert found.anchors[0].certificate == der(scene.pki.issuing.certificate)
