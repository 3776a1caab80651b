"""Other people's judges agree on digitised copies as the vault makes them: of a scan, and of a photograph."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reuse_api.demo import people
from tests.outside.judges import pdfsig_says, qpdf_finds, verapdf
from tests.scans.making import as_jpeg, drawn, good_scan
from vault.callers import SystemCaller
from vault.scanned_paper import Scanned, marked

pytestmark = pytest.mark.anyio
MADE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a scan": ("application/pdf", good_scan),
    "a photograph": ("image/jpeg", lambda: as_jpeg(drawn())),
}


async def test_a_digitised_copy_is_what_it_claims_to_be(
    house: Any, police: SystemCaller, tmp_path: Path
) -> None:
    copies = {}
    for name, (kind, make) in MADE.items():
        (tmp_path / name).write_bytes(make())
        scanned = Scanned(
            tmp_path / name, kind, "G01.01.02-261126-0001", people.RESIDENCE, (), "Giấy khai sinh"
        )
        copies[name] = (await marked(house.vault, police, scanned, house.vault.clock.now())).file
    for copy in copies.values():
        assert "Signature is Valid" in pdfsig_says(copy)
        assert qpdf_finds(copy) == ""
    judged = verapdf(list(copies.values()))
    assert {name: judged[copy].broken for name, copy in copies.items() if not judged[copy].compliant} == {}
    assert {one.level for one in judged.values()} == {"2b"}
