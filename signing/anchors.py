"""Whom to trust: certificates, each for a purpose, with a label shown to people and the dates it counts in.

Pure values: no file is read and nothing is parsed here (see trust_folder.py).
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal, Self, get_args

Purpose = Literal["public", "government", "timestamp", "test"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
_SIGNS: frozenset[Purpose] = frozenset({"public", "government", "test"})
_STAMPS: frozenset[Purpose] = frozenset({"timestamp", "test"})
TEST_LABEL = ("Gốc thử nghiệm của Kho, không có giá trị pháp lý", "Test root of Kho, without legal value")


@dataclass(frozen=True)
class Anchor:
    """A certificate (DER) that chains may end at.

    Args:
        certificate: DER, usually self-signed.
        purpose: what it may vouch for: signatures (public, government), time stamps, or both as a test.
        label_vi: its name as people read it, in Vietnamese.
        label_en: the same in English.
        valid_from: it counts for what is proven to be of this time (aware) or later; None: no limit.
        valid_until: and up to this time; None: no limit.
    """

    certificate: bytes
    purpose: Purpose
    label_vi: str
    label_en: str
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the certificate in hex: what names this anchor in reports."""
        return hashlib.sha256(self.certificate).hexdigest()

    @property
    def signs(self) -> bool:
        """Whether signatures may lead to it."""
        return self.purpose in _SIGNS

    @property
    def stamps(self) -> bool:
        """Whether time stamps may lead to it."""
        return self.purpose in _STAMPS

    @property
    def dated(self) -> bool:
        """Whether it counts for some times only."""
        return self.valid_from is not None or self.valid_until is not None

    def covers(self, moment: datetime) -> bool:
        """Say whether it counts for what is proven to be of an instant (aware)."""
        early = self.valid_from is not None and moment < self.valid_from
        late = self.valid_until is not None and moment > self.valid_until
        return not early and not late

    def to_json(self) -> dict[str, str]:
        """Return plain JSON values; what is absent has no key."""
        content = {
            "certificate": base64.b64encode(self.certificate).decode(),
            "purpose": self.purpose,
            "label_vi": self.label_vi,
            "label_en": self.label_en,
        }
        for name, moment in (("valid_from", self.valid_from), ("valid_until", self.valid_until)):
            if moment is not None:
                content[name] = moment.astimezone(UTC).isoformat()
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError or ValueError on anything else."""
        purpose = content["purpose"]
        if purpose not in PURPOSES:
            raise ValueError(f"no such purpose: {purpose!r}")
        since, until = content.get("valid_from"), content.get("valid_until")
        return cls(
            certificate=base64.b64decode(content["certificate"], validate=True),
            purpose=purpose,
            label_vi=str(content["label_vi"]),
            label_en=str(content["label_en"]),
            valid_from=None if since is None else datetime.fromisoformat(since),
            valid_until=None if until is None else datetime.fromisoformat(until),
        )


def for_tests(roots: Iterable[bytes]) -> tuple[Anchor, ...]:
    """Make test anchors of roots (DER) that are nobody's but ours."""
    return tuple(Anchor(root, "test", *TEST_LABEL) for root in roots)


@dataclass(frozen=True)
class AnchorName:
    """Which anchor a chain ended at, without its certificate: SHA-256 in hex, purpose and labels."""

    sha256: str
    purpose: Purpose
    label_vi: str
    label_en: str

    @classmethod
    def of(cls, anchor: Anchor) -> Self:
        """Name an anchor."""
        return cls(anchor.sha256, anchor.purpose, anchor.label_vi, anchor.label_en)

    def to_json(self) -> dict[str, str]:
        """Return plain JSON values."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError or ValueError on anything else."""
        if content["purpose"] not in PURPOSES:
            raise ValueError(f"no such purpose: {content['purpose']!r}")
        return cls(
            str(content["sha256"]), content["purpose"], str(content["label_vi"]), str(content["label_en"])
        )


@dataclass(frozen=True)
class TrustSet:
    """The anchors of one moment; `faults` are files that could not be taken ("public/x.pem": code)."""

    anchors: tuple[Anchor, ...] = ()
    faults: tuple[tuple[str, str], ...] = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 in hex of the anchors, in any order: two equal sets judge alike."""
        lines = sorted(json.dumps(one.to_json(), sort_keys=True) for one in self.anchors)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def counts(self) -> dict[Purpose, int]:
        """How many anchors there are for each purpose, the absent ones too."""
        return {purpose: sum(one.purpose == purpose for one in self.anchors) for purpose in PURPOSES}

    @property
    def certificates(self) -> Sequence[bytes]:
        """The certificates (DER), each once."""
        return tuple(dict.fromkeys(one.certificate for one in self.anchors))
