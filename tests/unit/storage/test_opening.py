"""An address gives a store, or words that say which addresses do."""

from pathlib import Path

import pytest

from storage.errors import AddressUnsupported, StoreUnavailable
from storage.folder import FolderStore
from storage.opening import open_store


def test_a_folder_address_makes_the_folder(tmp_path: Path) -> None:
    assert isinstance(open_store(f"folder:{tmp_path / 'new' / 'store'}"), FolderStore)
    assert (tmp_path / "new" / "store").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("address", ["", "folder", "folder:", "s3://user:secret@host/bucket", "/var/kho"])
def test_other_addresses_are_refused_with_what_is_supported(address: str) -> None:
    with pytest.raises(AddressUnsupported, match="folder:PATH") as refused:
        open_store(address)
    assert "secret" not in str(refused.value)


def test_a_place_that_is_no_folder_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailable, match="file"):
        open_store(f"folder:{tmp_path / 'file'}")
