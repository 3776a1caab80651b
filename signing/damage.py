# mypy: allow-untyped-calls
"""What the bare bytes say about a signed file whose structure cannot be read any more."""

import hashlib
import mmap
import re
from typing import BinaryIO

from asn1crypto import cms

from signing.coverage import LARGEST_CONTAINER, MOST_SIGNATURES

_BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d{1,12})\s+(\d{1,12})\s+(\d{1,12})\s+(\d{1,12})\s*\]")
# Reading one long hexadecimal string takes the library longer than everything else in a file.
_HUGE_STRING = re.compile(rb"<[0-9A-Fa-f\s]{%d}" % (2 * LARGEST_CONTAINER + 2))
_HASHES = frozenset({"sha1", "sha256", "sha384", "sha512"})


def mentions_signature(stream: BinaryIO) -> bool:
    """Tell whether the bytes hold a byte range: a file that lists no signature may still hide one."""
    with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b"/ByteRange") >= 0


def reaches_past_the_end(stream: BinaryIO) -> bool:
    """Tell whether a byte range names bytes that are not there: the file was cut or packed after signing."""
    with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        ends = [int(one[3]) + int(one[4]) for one in _BYTE_RANGE.finditer(content)]
        return max(ends, default=0) > len(content)


def holds_huge_string(stream: BinaryIO) -> bool:
    """Tell whether the bytes hold a hexadecimal string longer than any signature may be."""
    with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _HUGE_STRING.search(content) is not None


def digest_differs(stream: BinaryIO) -> bool:
    """Tell whether a signature's own digest is certainly not that of the bytes it names.

    False means only that nothing was found: what cannot be parsed proves nothing.
    """
    with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found = list(_BYTE_RANGE.finditer(content))[: MOST_SIGNATURES + 1]
        return any(_differs(content, [int(number) for number in match.groups()]) for match in found)


def _differs(content: mmap.mmap, numbers: list[int]) -> bool:
    start, length, resume, rest = numbers
    gap = content[start + length : min(resume, start + length + 2 * LARGEST_CONTAINER + 2)]
    try:
        container = bytes.fromhex(gap.strip(b"<>").decode("ascii"))
        signed = cms.ContentInfo.load(container)["content"]
        algorithm, expected = _expected_digest(signed)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return False
    if algorithm not in _HASHES:
        return False
    digest = hashlib.new(algorithm)
    digest.update(content[start : start + length])
    digest.update(content[resume : resume + rest])
    return digest.digest() != expected


def _expected_digest(signed: cms.SignedData) -> tuple[str, bytes]:
    content = signed["encap_content_info"]
    if content["content_type"].native == "tst_info":
        imprint = content["content"].parsed["message_imprint"]
        return imprint["hash_algorithm"]["algorithm"].native, imprint["hashed_message"].native
    signer = signed["signer_infos"][0]
    for attribute in signer["signed_attrs"]:
        if attribute["type"].native == "message_digest":
            return signer["digest_algorithm"]["algorithm"].native, attribute["values"][0].native
    raise ValueError("the signature states no digest")
