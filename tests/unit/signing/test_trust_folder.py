"""The operator's folder of trust: a file a certificate, read again when it changes, broken ones told."""

import json
import logging
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signing.anchors import Anchor, AnchorName, TrustSet, for_tests
from signing.trust_folder import TrustFolder
from tests.servers.pki import Pki, der, stamping

AT = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki(AT)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for purpose in ("public", "government", "timestamp", "test"):
        (tmp_path / purpose).mkdir()
    return tmp_path


def put(path: Path, certificate: x509.Certificate, **said: str) -> None:
    pem = path.suffix == ".pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM if pem else Encoding.DER))
    if said:
        path.with_suffix(".json").write_text(json.dumps(said))


def faults(folder: Path) -> dict[str, str]:
    return dict(TrustFolder(folder).current().faults)


def test_each_purpose_has_its_folder_and_each_file_is_one_anchor(folder: Path, pki: Pki) -> None:
    root = pki.root.certificate
    put(folder / "public" / "a.pem", root, label_vi="Gốc quốc gia", label_en="National root")
    put(folder / "government" / "b.der", root, valid_from="2020-01-01", valid_until="2027-06-30")
    put(folder / "timestamp" / "c.crt", pki.issue("Stamps", stamping()).certificate)
    found = TrustFolder(folder).current()
    assert found.faults == ()
    assert found.counts == {"public": 1, "government": 1, "timestamp": 1, "test": 0}
    public, government, stamp = found.anchors
    assert (public.label_vi, public.label_en) == ("Gốc quốc gia", "National root")
    assert (public.valid_from, public.valid_until) == (root.not_valid_before_utc, root.not_valid_after_utc)
    assert (government.label_vi, government.label_en) == ("Kho Test Root", "Kho Test Root")
    assert government.covers(datetime(2027, 6, 30, 23, 59, tzinfo=UTC))
    assert not government.covers(datetime(2027, 7, 1, tzinfo=UTC))
    assert not government.covers(datetime(2019, 12, 31, tzinfo=UTC))
    assert [(one.signs, one.stamps) for one in (public, stamp)] == [(True, False), (False, True)]
    assert [(one.signs, one.stamps) for one in for_tests([der(root)])] == [(True, True)]


def test_a_broken_file_is_named_and_the_others_count(
    folder: Path, pki: Pki, caplog: pytest.LogCaptureFixture
) -> None:
    root = pki.root.certificate
    put(folder / "public" / "good.pem", root)
    (folder / "public" / "bad.pem").write_text("-----BEGIN CERTIFICATE-----\nnonsense")
    (folder / "public" / "two.pem").write_bytes(2 * root.public_bytes(Encoding.PEM))
    (folder / "public" / "large.der").write_bytes(bytes(70_000))
    (folder / "public" / "notes.txt").write_text("who put this here")
    (folder / "public" / "alone.json").write_text("{}")
    (folder / "public" / ".hidden").write_text("an editor's")
    put(folder / "public" / "leaf.der", pki.seal().certificate)
    put(folder / "test" / "when.der", root, valid_until="soon")
    put(folder / "test" / "zone.der", root, valid_until="2026-01-01T00:00:00")
    put(folder / "test" / "more.der", root, label="a typing mistake")
    (folder / "goverment").mkdir()
    os.mkfifo(folder / "public" / "pipe.pem")  # nobody writes into it
    with caplog.at_level(logging.WARNING, logger="kho.trust"):
        found = TrustFolder(folder).current()
    assert len(found.anchors) == 1
    assert dict(found.faults) == {
        "public/bad.pem": "not_a_certificate",
        "public/two.pem": "not_a_certificate",
        "public/large.der": "too_large",
        "public/notes.txt": "kind_unknown",
        "public/pipe.pem": "kind_unknown",
        "public/alone.json": "kind_unknown",
        "public/leaf.der": "not_an_authority",
        "test/when.der": "description_wrong",
        "test/zone.der": "description_wrong",
        "test/more.der": "description_wrong",
        "goverment": "purpose_unknown",
    }
    told = [record for record in caplog.records if record.name == "kho.trust"]
    counted = Counter(dict(found.faults).values())  # a journal repeats no name of a file: /readyz says which
    assert {record.facts["code"]: record.facts["count"] for record in told} == counted  # type: ignore[attr-defined]


def test_the_folder_is_read_again_when_it_changed_and_not_before(folder: Path, pki: Pki) -> None:
    path = folder / "public" / "root.der"
    trust = TrustFolder(folder, look_every=0)
    assert trust.current().anchors == ()
    put(path, pki.root.certificate)
    first = trust.current()
    assert len(first.anchors) == 1
    assert trust.current() is first, "nothing changed"
    path.with_suffix(".json").write_text('{"label_vi": "Mới"}')
    assert trust.current().anchors[0].label_vi == "Mới"
    path.unlink()
    assert trust.current().anchors == ()
    lazy = TrustFolder(folder, look_every=3600)
    assert lazy.current().anchors == ()
    put(path, pki.root.certificate)
    assert lazy.current().anchors == (), "looked at a moment ago"


def test_a_folder_that_is_gone_counts_for_nothing(tmp_path: Path, pki: Pki) -> None:
    fixed = for_tests(pki.roots)
    found = TrustFolder(tmp_path / "gone", fixed).current()
    assert (found.anchors, found.faults) == (fixed, ((".", "folder_missing"),))
    assert TrustFolder().current() == TrustSet()


def test_anchors_survive_their_way_through_json(pki: Pki) -> None:
    anchor = Anchor(pki.roots[0], "public", "Gốc", "Root", AT, None)
    assert Anchor.from_json(json.loads(json.dumps(anchor.to_json()))) == anchor
    assert AnchorName.from_json(AnchorName.of(anchor).to_json()) == AnchorName.of(anchor)
    for wrong in ({"purpose": "everything"}, {"certificate": "?"}):
        with pytest.raises(ValueError, match=r"purpose|base64|Only|Incorrect|Non-"):
            Anchor.from_json({**anchor.to_json(), **wrong})


def test_equal_sets_have_one_name_whatever_the_order(pki: Pki) -> None:
    a, b = (Anchor(pki.roots[0], "public", label, label) for label in "ab")
    assert TrustSet((a, b)).digest == TrustSet((b, a)).digest
    assert TrustSet((a,)).digest != TrustSet((b,)).digest
