"""What a person may choose from when a bank asks: papers in force, of the kinds asked for."""

import pytest
from sqlalchemy import insert

from vault import my_consents
from vault.entries import stamp
from vault.tables import validity_event

pytestmark = pytest.mark.anyio


async def test_a_paper_that_is_no_longer_in_force_is_not_offered(house, daughter, lending):
    await lending.asked()
    (waiting,) = await my_consents.pending(house.vault, daughter)
    assert [one.record for one in waiting.offered] == [house.daughters]
    revoked = {"record": house.daughters, "n": 1, "state": "revoked", "ground": "Điều 70", "reason": "sai"}
    who = {"agency": "H26.14.02", "officer": "cb", "idx": 1, "at": stamp(house.vault.clock.now())}
    await house.change(insert(validity_event).values(**revoked, **who))
    (waiting,) = await my_consents.pending(house.vault, daughter)
    assert waiting.offered == ()
