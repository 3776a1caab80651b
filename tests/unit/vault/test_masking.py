"""What an auditor may see of who somebody is: the end of a number, wherever the number stands."""

import pytest

from vault.masking import HIDDEN, Hiding, masked

NUMBER = "001318045672"
DIGEST = "9f86d081884c7d65123456789012ea0c55ad015a3bf4f1b2b0b822cd15d6c15b"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(NUMBER, "••••672"), ("0100109106", "••••106"), ("B1234567", "••••67"), ("12", HIDDEN), ("", HIDDEN)],
)
def test_no_more_than_the_last_three_characters_are_seen(value, shown):
    assert masked(value) == shown


@pytest.mark.parametrize(
    "text",
    [
        "số {}",
        "CCCD{}",
        "cccd{}",
        "số{}và",
        "{}-GKS-0001",
        "mã {}-GKS-0001, bản 2",
        "x.{}",
        "/{}/",
        "_{}_",
        "{}.",
    ],
)
def test_a_number_is_hidden_wherever_it_stands(text):
    hidden = Hiding({}, ()).hide({"why": [text.format(NUMBER)]})
    assert hidden == {"why": [text.format("••••672")]}


@pytest.mark.parametrize(
    "text",
    [
        DIGEST,
        f"rec-{DIGEST[:32]}",
        "H26.01.02-261126-00012",
        "1.004222.000.00.00.H26",
        "2026-11-26T09:30:12.123456+00:00",
    ],
)
def test_digests_ids_and_codes_stay_whole(text):
    assert Hiding({}, ()).hide(text) == text


def test_a_number_in_one_word_with_a_digest_is_hidden():
    assert NUMBER not in Hiding({}, ()).hide(f"{DIGEST}-{NUMBER}, x{DIGEST}{NUMBER}x{NUMBER}")
