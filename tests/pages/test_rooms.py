"""Each user has a room of the pages; what is not there leads back to the room it was looked for in."""

from typing import Any

import httpx
import pytest

from reuse_api.pages.rendering import ROOMS


@pytest.mark.parametrize("home", [room.home for room in ROOMS.values()])
def test_what_is_not_there_leads_back_to_its_room(told: Any, home: str) -> None:
    answer = httpx.get(f"{told.url}{home}/nothing/of/the/kind")
    assert answer.status_code == 404
    assert f'<a class="button second" href="{home}">' in answer.text
