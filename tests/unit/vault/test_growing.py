"""The proof of growth between two sizes, from the running log."""

import pytest

from reuse_api.demo import people
from signing.growth import verify_growth
from signing.merkle import verify_consistency
from signing.receipt import outcome_of
from vault.errors import FieldInvalid
from vault.growing import grown

pytestmark = pytest.mark.anyio


async def test_an_auditor_holds_the_log_to_the_checkpoint_that_was_kept(house, police):
    kept, size = await house.vault.signer.checkpoint(), await house.size()
    await house.opens(police, people.POLICE, house.residence())
    told = await grown(house.vault, size)
    assert (told.old, told.new) == (size, await house.size())
    steps = verify_growth(told.file or "", kept, house.vault.signer.verifier_line)
    assert outcome_of(steps) == "valid"


async def test_between_two_older_sizes_there_is_a_proof_and_no_signed_file(house):
    told = await grown(house.vault, 3, 7)
    verify_consistency(3, 7, told.proof, told.old_root, told.new_root)
    assert told.file is None


@pytest.mark.parametrize(
    ("old", "new", "field", "code"),
    [
        (0, 5, "old", "sizes_reversed"),
        (6, 5, "old", "sizes_reversed"),
        (1, 10_000, "new", "size_not_reached"),
        (10_000, None, "old", "size_not_reached"),
    ],
)
async def test_sizes_that_cannot_be_are_refused(house, old, new, field, code):
    with pytest.raises(FieldInvalid) as problem:
        await grown(house.vault, old, new)
    assert (problem.value.field, problem.value.code) == (field, code)


async def test_asking_for_it_is_no_entry(house):
    size = await house.size()
    await grown(house.vault, 1)
    assert await house.size() == size
