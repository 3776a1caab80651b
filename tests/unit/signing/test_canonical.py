"""Every value has one text; another spelling of it is refused."""

import pytest

from signing.canonical import canonical, from_base64, parse_canonical, to_base64
from signing.log_errors import LeafMalformed


def test_the_example_of_the_standard():
    value = {
        "\u20ac": "Euro",
        "\r": "CR",
        "\ufb33": "Dalet",
        "1": "One",
        "\U0001f600": "Smile",
        "\u0080": "C",
    }
    keys = ["\\r", "1", "\u0080", "\u20ac", "\U0001f600", "\ufb33"]
    # RFC 8785 3.2.3 sorts by UTF-16; the Hebrew letter is first taken apart by NFC.
    text = canonical(value).decode()
    places = [text.index(f'"{key}"') for key in keys[:-1]]
    assert places == sorted(places)
    assert parse_canonical(canonical(value)) == {
        **{k: v for k, v in value.items() if k != "\ufb33"},
        "\u05d3\u05bc": "Dalet",
    }


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": 1}',
        b'{"b":1,"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":NaN}',
        b'{"a":null}',
        b'{"a":"\\u0061"}',
        b'{"a":-0}',
        b'{"a":' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'"\xff"',
        b'{"a":1}\n',
        b"",
    ],
)
def test_only_canonical_json_is_parsed(text):
    with pytest.raises(LeafMalformed):
        parse_canonical(text)


@pytest.mark.parametrize("content", [b"", b"a", b"ab", b"abc", bytes(32)])
def test_base64_comes_back(content):
    assert from_base64(to_base64(content)) == content


@pytest.mark.parametrize("text", ["YR==", "YWJ=", "YQ", "YQ===", "Y Q==", "YQ==\n", "é===", "_-8="])
def test_another_spelling_of_base64_is_refused(text):
    with pytest.raises(ValueError):
        from_base64(text)
