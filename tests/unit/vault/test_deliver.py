"""A reading that is not wanted any more is over at once: no file stays open behind it."""

import os
from pathlib import Path
from typing import Any

import pytest

from vault import deliver
from vault.callers import OwnerCaller

pytestmark = pytest.mark.anyio


def open_blobs(house: Any) -> list[str]:
    links = []
    for one in Path("/proc/self/fd").iterdir():
        try:
            links.append(os.readlink(one))
        except OSError:
            continue
    blobs = str(house.places.log.parent / "blobs")
    return [link for link in links if link.startswith(blobs)]


async def test_closing_a_delivery_closes_its_file(house: Any, daughter: OwnerCaller) -> None:
    delivery = await deliver.read_own(house.vault, daughter, house.daughters)
    assert isinstance(delivery, deliver.Delivery)
    assert len(open_blobs(house)) == 1, "its first chunk was read and authenticated"
    await anext(delivery.chunks)
    await delivery.chunks.aclose()
    assert open_blobs(house) == []


async def test_a_delivery_that_nobody_begins_to_read_can_be_closed(house: Any, daughter: OwnerCaller) -> None:
    delivery = await deliver.read_own(house.vault, daughter, house.daughters)
    assert isinstance(delivery, deliver.Delivery)
    await delivery.chunks.aclose()
    assert open_blobs(house) == []
