"""Other people's judges agree on what we compose, seal and digitise; where one is missing, it is named."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest

from reuse_api.demo import papers, people
from reuse_api.demo.pki import DemoAuthority
from signing.appearance import MARGIN, draw_seal
from signing.composing import compose, compose_result
from signing.renewal import Renewing, renew
from signing.round_seal import MILLIMETRES, draw_round_seal
from signing.seal_image import SealImage, redraw_seal_image
from signing.sealing import seal
from signing.template_fields import TEMPLATES
from signing.workers import WorkerPool
from tests.outside.judges import Judged, pdfsig_says, qpdf_finds, verapdf

AT = datetime(2026, 11, 20, 3, 4, 5, 600_000, tzinfo=UTC)
DAY = "2026-11-20"
# Every template that makes a whole document; marks and seals are parts of one.
FIELDS: Mapping[str, Mapping[str, object]] = {
    "birth_certificate": people.certificate("118/2026", DAY, birth_place="Hà Nội"),
    "marriage_certificate": papers.marriage("45/2026", DAY),
    "land_use_certificate": papers.land("AA 00123456", DAY),
    "business_registration": papers.enterprise(DAY),
    "civil_status_extract": papers.correction("12/TLCC-UBND", DAY, of="118/2026"),
    "general_result": {
        "title": "Giấy xác nhận",
        "body": "Ông Nguyễn Văn Ưởng cư trú tại phường Nghĩa Đô.\n\nXác nhận để làm thủ tục.",
        "issued_on": date(2026, 11, 20),
        "issuer_name": people.COMMUNE.name_vi,
        "issuer_title": "CHỦ TỊCH",
        "signer": "Vũ Đức Toàn",
    },
}


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("composed")
    made = {}
    for template, fields in FIELDS.items():
        made[template] = folder / f"{template}.pdf"
        made[template].write_bytes(compose(template, fields, at=AT))
    return made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("authority") / "pki", AT)


@pytest.fixture(scope="module")
def sealed(
    composed: dict[str, Path], authority: DemoAuthority, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sealed")
    key = authority.issue_seal_key(people.COMMUNE.name_vi, people.COMMUNE.code)

    image = round_seal()
    drawn = {template: None for template in composed} | {  # those of the second kind show a round seal
        f"{template} with a round seal": compose_result(
            template, FIELDS[template], at=AT, seal_height=image.height + MARGIN + 1
        )
        for template in composed
    }

    async def seal_all() -> None:
        for name, made in drawn.items():
            paper = composed[name] if made is None else folder / "composed.pdf"
            appearance = None
            if made is not None:
                paper.write_bytes(made.content)
                assert made.place is not None
                appearance = draw_seal(people.COMMUNE.name_vi, AT, made.place, image)
            await seal(
                paper,
                folder / f"{name}.pdf",
                appearance=appearance,
                key=key,
                timestamper=authority.timestamper(),
                revocation=authority.revocation(),
                roots=authority.roots(),
                at=AT,
                reason="Cấp kết quả",
                name=people.COMMUNE.name_vi,
            )

    asyncio.run(seal_all())
    return {name: folder / f"{name}.pdf" for name in drawn}


def round_seal() -> SealImage:
    """Give a picture of a round seal as it is kept."""
    given = BytesIO(draw_round_seal(people.COMMUNE.name_vi))
    told, made = redraw_seal_image(given, {"millimetres": MILLIMETRES})
    return SealImage(made, told["width"], told["height"])


@pytest.fixture(scope="module")
def renewed(
    sealed: dict[str, Path], authority: DemoAuthority, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A sealed file with a further archive time stamp, made years later."""
    target = tmp_path_factory.mktemp("renewed") / "renewed.pdf"
    above = authority.issue_seal_key("x", "H1").certificates[1:]
    at = AT + timedelta(days=4.8 * 365)
    order = Renewing(authority.timestamper(), authority.revocation(), authority.roots(), at, above)

    async def stamp() -> None:
        pool = WorkerPool(size=1)
        await pool.start()
        try:
            await renew(pool, sealed["birth_certificate"], target, order=order, max_bytes=2**25)
        finally:
            await pool.close()

    asyncio.run(stamp())
    return target


def test_every_template_is_tried() -> None:
    assert set(FIELDS) == set(TEMPLATES) - {"conversion_mark", "seal_appearance"}


@pytest.fixture(scope="module")
def lying(composed: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A file with a script that claims to be PDF/A-2b, and one that claims nothing."""
    folder = tmp_path_factory.mktemp("lying")
    made = BytesIO()
    with pikepdf.open(composed["general_result"]) as paper:
        script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        paper.Root.OpenAction = paper.make_indirect(script)
        paper.save(made)
    (folder / "lying.pdf").write_bytes(made.getvalue())
    with pikepdf.new() as blank:
        blank.add_blank_page()
        blank.save(folder / "plain.pdf")
    return [folder / "lying.pdf", folder / "plain.pdf"]


@pytest.fixture(scope="module")
def judged(
    composed: dict[str, Path], sealed: dict[str, Path], renewed: Path, lying: list[Path]
) -> dict[Path, Judged]:
    """Everything at once: a process of Java takes longer to start than to judge."""
    return verapdf([composed["general_result"], *sealed.values(), renewed, *lying])


def test_verapdf_finds_what_we_compose_seal_and_renew_to_be_pdf_a_2b(
    judged: dict[Path, Judged], composed: dict[str, Path], sealed: dict[str, Path], renewed: Path
) -> None:
    ours = [composed["general_result"], *sealed.values(), renewed]  # what is sealed holds what was composed
    told = {f"{path.parent.name}/{path.name}": judged[path] for path in ours}
    assert {name: one.broken for name, one in told.items() if not one.compliant} == {}
    assert {one.level for one in told.values()} == {"2b"}


def test_verapdf_tells_a_false_claim(judged: dict[Path, Judged], lying: list[Path]) -> None:
    """The judge can say no: without it, its yes would mean nothing."""
    false, plain = (judged[one] for one in lying)
    assert (false.level, false.compliant) == ("2b", False)
    assert false.broken.startswith("6.5.1")
    assert (plain.level, plain.compliant) == ("none", False)


@pytest.mark.parametrize("template", FIELDS)
def test_qpdf_finds_nothing_wrong(template: str, composed: dict[str, Path], sealed: dict[str, Path]) -> None:
    assert qpdf_finds(composed[template]) == ""
    assert qpdf_finds(sealed[template]) == ""
    assert qpdf_finds(sealed[f"{template} with a round seal"]) == ""


@pytest.mark.parametrize("template", [*FIELDS, "birth_certificate with a round seal"])
def test_pdfsig_finds_the_digest_right(template: str, sealed: dict[str, Path]) -> None:
    told = pdfsig_says(sealed[template])
    assert "Signature is Valid" in told
    assert "Digest Mismatch" not in told


def test_qpdf_and_pdfsig_agree_on_a_renewed_file(sealed: dict[str, Path], renewed: Path) -> None:
    assert renewed.read_bytes().startswith(sealed["birth_certificate"].read_bytes())
    assert qpdf_finds(renewed) == ""
    told = pdfsig_says(renewed)
    assert told.count("Signature is Valid") == 1, "it verifies no time stamp of the document"
    assert "Digest Mismatch" not in told


def test_qpdf_and_pdfsig_can_say_no(sealed: dict[str, Path], tmp_path: Path) -> None:
    content = bytearray(sealed["general_result"].read_bytes())
    content[content.index(b"/FontDescriptor")] = ord("#")
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(content)
    assert "Digest Mismatch" in pdfsig_says(changed)
    cut = tmp_path / "cut.pdf"
    cut.write_bytes(sealed["general_result"].read_bytes()[:-2000])
    assert qpdf_finds(cut)
