"""A small authority, a composed certificate and its sealed form, made once for the tests of signing."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reuse_api.demo.pki import DemoAuthority
from signing.anchors import Anchor
from signing.composing import compose
from signing.keys_file import FileKey
from signing.sealing import seal

# What the library says of each hostile file, with a traceback, takes longer than judging it.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)

AT = datetime(2026, 11, 20, 3, 4, 5, 600_000, tzinfo=UTC)

CERTIFICATE: dict[str, object] = {
    "number": "57/2026",
    "full_name": "Nguyễn Thị Thúy Hằng",
    "birth_date": "2007-03-14",
    "birth_date_words": "Ngày mười bốn tháng ba năm hai nghìn không trăm linh bảy",
    "sex": "Nữ",
    "ethnicity": "Kinh",
    "nationality": "Việt Nam",
    "birth_place": "Bệnh viện đa khoa Đồng Nai, phường Trấn Biên, tỉnh Đồng Nai",
    "home_town": "Xã Quảng Điền, thành phố Huế",
    "personal_number": "075307001234",
    "mother_name": "Phạm Thị Mỹ Lệ",
    "mother_birth_year": "1980",
    "mother_ethnicity": "Kinh",
    "mother_nationality": "Việt Nam",
    "mother_residence": "Phường Trấn Biên, tỉnh Đồng Nai",
    "mother_personal_number": "075180004321",
    "registered_at": "Ủy ban nhân dân phường Trấn Biên, tỉnh Đồng Nai",
    "registered_on": "2026-11-20",
    "reregistered": True,
    "issuer_name": "Ủy ban nhân dân phường Trấn Biên",
    "issuer_title": "Chủ tịch",
    "signer": "Trần Quốc Ẩn",
}


@dataclass(frozen=True)
class Sealed:
    """What the tests of signing start from."""

    authority: DemoAuthority
    key: FileKey
    composed: Path
    sealed: Path
    at: datetime

    @property
    def roots(self) -> list[bytes]:
        return self.authority.roots()

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        return self.authority.anchors()

    async def seal(self, content: Path, target: Path, at: datetime | None = None) -> None:
        await seal(
            content,
            target,
            key=self.key,
            timestamper=self.authority.timestamper(),
            revocation=self.authority.revocation(),
            roots=self.authority.roots(),
            at=at or self.at,
            reason="Cấp giấy khai sinh",
            name="Ủy ban nhân dân phường Trấn Biên",
        )


@pytest.fixture(scope="session")
def certificate_fields() -> dict[str, object]:
    return dict(CERTIFICATE)


@pytest.fixture(scope="session")
def sealed_certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    folder = tmp_path_factory.mktemp("sealed")
    authority = DemoAuthority.create(folder / "pki", AT)
    key = authority.issue_seal_key("Ủy ban nhân dân phường Trấn Biên", "H19.25")
    composed = folder / "composed.pdf"
    composed.write_bytes(compose("birth_certificate", CERTIFICATE, at=AT))
    made = Sealed(authority, key, composed, folder / "sealed.pdf", AT)
    asyncio.run(made.seal(composed, made.sealed))
    yield made
