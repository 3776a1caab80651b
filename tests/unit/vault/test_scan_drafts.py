"""Scans that wait for their officer: nobody's work pushes another's out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vault.scan_drafts import ScanDraft, ScanDrafts

AT = datetime(2026, 11, 26, tzinfo=UTC)


def draft(officer: str, number: int, folder: Path) -> ScanDraft:
    found: Any = None
    sealed = folder / f"{officer}-{number}"
    sealed.touch()
    at = AT + timedelta(seconds=number)
    return ScanDraft(sealed.name, ("G01", officer, "D"), "C", "x", "x", found, found, at, sealed, b"")


def test_one_officer_s_scans_give_way_to_their_own_and_to_nobody_else_s(tmp_path: Path) -> None:
    drafts = ScanDrafts()
    drafts.add(draft("quiet", 0, tmp_path))
    for number in range(60):
        drafts.add(draft("busy", number, tmp_path))
    kept = {one.name for one in tmp_path.iterdir()}
    assert kept == {"quiet-0", *(f"busy-{number}" for number in range(54, 60))}


def test_when_the_vault_is_full_whoever_holds_most_gives_way(tmp_path: Path) -> None:
    drafts = ScanDrafts()
    for number in range(6):
        drafts.add(draft("busy", number, tmp_path))
    for number in range(38):
        drafts.add(draft(f"officer{number}", 0, tmp_path))
    kept = {one.name for one in tmp_path.iterdir()}
    assert len(kept) == 40 and "officer37-0" in kept and "busy-5" in kept and "busy-0" not in kept
