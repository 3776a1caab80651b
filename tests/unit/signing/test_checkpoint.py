"""Signed heads: built by hand once, and refused in every other form."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from signing.checkpoint import Checkpoint, LogKey, LogVerifier, parse_checkpoint, split_note
from signing.log_errors import NoteInvalid

NAME = "kho.local/log-0badcafe"
KEY = LogKey(NAME, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
VERIFIER = LogVerifier.from_line(KEY.verifier_line())
ROOT = hashlib.sha256(b"root").digest()
NOTE = KEY.sign_checkpoint(1234, ROOT)


def signature_line(text, name=NAME):
    """A signature line over any text, made apart from our code."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = private.public_key().public_bytes_raw()
    key_id = hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]
    return f"\u2014 {name} {base64.b64encode(key_id + private.sign(text.encode())).decode()}\n"


def test_the_note_is_written_as_the_standard_says():
    text = f"{NAME}\n1234\n{base64.b64encode(ROOT).decode()}\n"
    assert text + "\n" + signature_line(text) == NOTE
    assert KEY.sign_checkpoint(1234, ROOT) == NOTE


def test_the_key_line_is_written_as_the_standard_says():
    name, key_id, content = KEY.verifier_line().split("+", 2)
    key = base64.b64decode(content)
    assert name == NAME
    assert key[:1] == b"\x01"
    assert bytes.fromhex(key_id) == hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    Ed25519PublicKey.from_public_bytes(key[1:])


def test_an_own_note_opens():
    assert VERIFIER.open_checkpoint(NOTE) == Checkpoint(NAME, 1234, ROOT)
    assert VERIFIER.line() == KEY.verifier_line()
    assert LogVerifier.from_line(f" {KEY.verifier_line()}\n").open_checkpoint(NOTE).size == 1234


def test_the_secret_line_comes_back():
    again = LogKey.from_line(KEY.to_line())
    assert again.verifier_line() == KEY.verifier_line()
    assert again.sign_checkpoint(1234, ROOT) == NOTE


def test_new_keys_differ():
    assert LogKey.new(NAME).verifier_line() != LogKey.new(NAME).verifier_line()


def test_signatures_of_others_are_passed_over():
    stranger = LogKey.new("witness.local/one").sign_checkpoint(1234, ROOT).split("\n\n")[1]
    namesake = LogKey.new(NAME).sign_checkpoint(1, ROOT).split("\n\n")[1]
    assert VERIFIER.open_checkpoint(NOTE + stranger + namesake).size == 1234
    for lines in (stranger, namesake, stranger + namesake):
        with pytest.raises(NoteInvalid):
            VERIFIER.open_checkpoint(NOTE.split("\n\n")[0] + "\n\n" + lines)


def test_one_wrong_signature_by_the_known_key_spoils_the_note():
    with pytest.raises(NoteInvalid):
        VERIFIER.open_checkpoint(NOTE + signature_line("other text\n"))


def test_extension_lines_are_signed_and_passed_over():
    text = f"{NAME}\n7\n{base64.b64encode(ROOT).decode()}\nmore words\n"
    assert VERIFIER.open_checkpoint(text + "\n" + signature_line(text)) == Checkpoint(NAME, 7, ROOT)


def test_every_flipped_bit_of_a_note_is_refused():
    content = NOTE.encode()
    for place in range(len(content) * 8):
        spoilt = bytearray(content)
        spoilt[place // 8] ^= 1 << place % 8
        with pytest.raises(NoteInvalid):
            VERIFIER.open_checkpoint(spoilt.decode(errors="surrogateescape"))


ROOT_TEXT = base64.b64encode(ROOT).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"other.log\n7\n{ROOT_TEXT}\n",
        f"{NAME}\n07\n{ROOT_TEXT}\n",
        f"{NAME}\n+7\n{ROOT_TEXT}\n",
        f"{NAME}\n-7\n{ROOT_TEXT}\n",
        f"{NAME}\n٧\n{ROOT_TEXT}\n",
        f"{NAME}\n7\n{ROOT_TEXT[:-4]}\n",
        f"{NAME}\n7\n{ROOT_TEXT} \n",
        f"{NAME}\n7\n",
        f"{NAME}\n7\n{ROOT_TEXT}\n\nmore\n",
        f"\n7\n{ROOT_TEXT}\n",
        "words\n",
    ],
)
def test_a_well_signed_note_that_is_no_checkpoint_of_the_log_is_refused(text):
    with pytest.raises(NoteInvalid):
        VERIFIER.open_checkpoint(text + "\n" + signature_line(text))


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "text\n",
        "text\n\n",
        "\n\n" + signature_line(""),
        NOTE[:-1],
        NOTE + "\n",
        NOTE + "words\n",
        NOTE.replace("\u2014", "-"),
        NOTE.replace("\n", "\r\n"),
        NOTE + "\u2014 a b AAAAAAAA\n",
        NOTE + "\u2014 a AAAA\n",
        NOTE + "\u2014 a ????\n",
        NOTE + "\u2014 a AAAAAAAB\n" * 64,
        NOTE + "\u2014 \ud800 AAAAAAAB\n",
    ],
)
def test_what_is_no_signed_note_is_refused(note):
    with pytest.raises(NoteInvalid):
        VERIFIER.open_checkpoint(note)


def test_sixteen_signatures_are_taken():
    text, signatures = split_note(NOTE + "\u2014 a AAAAAAAB\n" * 15)
    assert parse_checkpoint(text).size == 1234
    assert len(signatures) == 16


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\x00"])
def test_key_names_that_notes_do_not_allow_are_refused(name):
    with pytest.raises(NoteInvalid):
        LogKey.new(name)


@pytest.mark.parametrize(
    "line",
    [
        "",
        NAME,
        KEY.verifier_line()[:-4],
        KEY.verifier_line().replace("kho", "khp"),
        KEY.verifier_line().replace("+A", "+B"),
        KEY.verifier_line().upper(),
        KEY.to_line(),
    ],
)
def test_a_wrong_key_line_is_refused(line):
    with pytest.raises(NoteInvalid):
        LogVerifier.from_line(line)


@pytest.mark.parametrize(
    "line", ["", KEY.verifier_line(), KEY.to_line()[:-4], KEY.to_line().replace("kho", "khp")]
)
def test_a_wrong_secret_line_is_refused_and_not_repeated(line):
    with pytest.raises(NoteInvalid) as refused:
        LogKey.from_line(line)
    assert KEY.to_line()[-20:] not in str(refused.value)
