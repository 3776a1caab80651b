"""Every way in which a sealing can fail has a code of its own, and words in both languages."""

from collections.abc import Iterator

import pytest

from policies.wording import codes
from reuse_api.problem_words import ROWS
from signing.errors import SealingFailed


def kinds(kind: type[SealingFailed] = SealingFailed) -> Iterator[type[SealingFailed]]:
    yield kind
    for one in kind.__subclasses__():
        yield from kinds(one)


@pytest.mark.parametrize("kind", list(kinds()))
def test_a_failed_sealing_has_words(kind: type[SealingFailed]) -> None:
    assert kind.code in codes() or kind.code in ROWS


def test_no_two_share_a_code() -> None:
    found = [kind.code for kind in kinds()]
    assert len(found) == len(set(found))
