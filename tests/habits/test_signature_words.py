"""Whatever a signature report can say has words for everybody who may read it."""

import pytest

from policies.wording import AUDIENCES, LANGUAGES, codes, say
from signing.reasons import REASON_CODES


@pytest.mark.parametrize("code", sorted(REASON_CODES))
def test_a_reason_of_a_report_has_words_of_its_own(code: str) -> None:
    assert code in codes()
    assert all(say(code, audience, language) for audience in AUDIENCES for language in LANGUAGES)
