"""Packages are read a line at a time, and a line that is none is told by its number."""

import json

import pytest

from policies.wording import name
from reuse_api.commands.package_lines import MAX_LINE, packages


@pytest.fixture
def file(tmp_path):
    def write(*lines, end=b"\n"):
        path = tmp_path / "packages.jsonl"
        path.write_bytes(b"\n".join(lines) + end)
        return path

    return write


def test_packages_with_their_lines_and_how_far_the_file_is_read(file):
    first, second = json.dumps({"code": "1"}).encode(), json.dumps({"code": "2"}).encode()
    read = list(packages(file(b"\xef\xbb\xbf" + first, b"", b"  ", second, end=b"")))
    assert [(one.number, one.package) for one in read] == [(1, {"code": "1"}), (4, {"code": "2"})]
    assert [one.end for one in read] == [17, 34]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"{", "line_no_json"),
        (b"[1]", "line_no_object"),
        (b'"text"', "line_no_object"),
        (b'{"name": "\xff"}', "line_not_utf8"),
        (b'{"number": ' + b"9" * 5000 + b"}", "line_unreadable"),
        (b"[" * 200_000, "line_unreadable"),
    ],
)
def test_what_is_no_package_does_not_stop_the_others(file, line, fault):
    bad, good = packages(file(line, b'{"code": "2"}'))
    assert (bad.number, bad.package.fault) == (1, fault)
    said = {language: name("package_fault", fault, language) for language in ("vi", "en")}
    assert all(one.format_map(bad.package.facts) for one in said.values()), "its facts fit its words"
    assert good.package == {"code": "2"}


def test_a_package_of_forty_megabytes_is_refused_without_being_held(file):
    huge = b'{"code": "1", "name": "' + b"x" * (40 * 2**20) + b'"}'
    bad, good = packages(file(huge, b'{"code": "2"}'))
    assert (bad.number, bad.package.fault, bad.package.facts) == (1, "line_too_long", {"most": 4})
    assert (good.number, good.package) == (2, {"code": "2"})


def test_the_longest_line_that_is_taken(file):
    padding = b" " * (MAX_LINE - len(b'{"code": "1"}'))
    at_the_limit, over = packages(file(b'{"code": "1"}' + padding, b'{"code": "2"}' + padding + b" "))
    assert at_the_limit.package == {"code": "1"}
    assert over.package.fault == "line_too_long"
