"""From an error or a refusal to an RFC 9457 problem: stable type, status, the field at fault, words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from policies.wording import Audience, say
from reuse_api.language import Language
from reuse_api.problem_words import ROWS, TITLES
from vault.errors import FileRejected, SignatureInvalid
from vault.services import Refusal

MEDIA_TYPE = "application/problem+json"
TYPES = "/problems/"
FOUND = "found_"  # what the words of something found in a file begin with
BUSY_SECONDS = 1  # what Retry-After says: the batch in flight takes far less

# What pydantic calls an error, and what we call it; anything else is value_invalid.
_PYDANTIC = {
    "missing": "field_missing",
    "extra_forbidden": "field_unknown",
    "json_invalid": "body_not_json",
    "string_too_long": "too_long",
    "string_too_short": "too_short",
    "string_unicode": "not_utf8",
    "string_pattern_mismatch": "value_malformed",
    "too_long": "too_many",
    "too_short": "too_few",
    "literal_error": "value_unknown",
    "greater_than_equal": "number_out_of_range",
    "less_than_equal": "number_out_of_range",
    "int_parsing_size": "number_out_of_range",
}
_DATE_PREFIXES = ("date_", "datetime_")
_TYPE_SUFFIXES = ("_type", "_parsing")


@dataclass(frozen=True)
class Fault:
    """One field at fault: its dotted path in the request, and the stable code of what is wrong with it."""

    field: str
    code: str
    details: Mapping[str, str] | None = None  # what its words weave in


@dataclass(frozen=True)
class Problem:
    """A problem before it is said in a language; `audience` decides how reasons are put."""

    code: str
    status: int
    faults: tuple[Fault, ...] = ()
    reasons: tuple[str, ...] = ()
    receipts: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    audience: Audience = "machine"
    found: tuple[str, ...] = ()  # in a file that was refused
    quarantine: Mapping[str, str] = field(default_factory=dict)  # where it lies, until when

    def body(self, language: Language) -> dict[str, Any]:
        """Give the problem document: RFC 9457 members, then `field`, `fields`, `reasons`, `receipts`."""
        document: dict[str, Any] = {
            "type": TYPES + self.code,
            "title": TITLES[self.status].words(language),
            "status": self.status,
            "detail": words(self.code, language, self.audience, self._details()),
            "code": self.code,
        }
        if self.faults:
            document["field"] = self.faults[0].field
            document["fields"] = [
                {
                    "field": one.field,
                    "code": one.code,
                    "words": words(one.code, language, "machine", one.details),
                    **({"values": dict(one.details)} if one.details else {}),
                }
                for one in self.faults
            ]
        if self.reasons:
            document["reasons"] = [reason(code, language, self.audience) for code in self.reasons]
        if self.found:
            document["found"] = [
                {"code": one, "words": words(FOUND + one, language, self.audience)} for one in self.found
            ]
        if self.quarantine:
            document["quarantine"] = dict(self.quarantine)
        if self.receipts:
            document["receipts"] = list(self.receipts)
        return document

    def _details(self) -> Mapping[str, str]:
        return (self.faults[0].details if self.faults else None) or {}


def words(
    code: str, language: Language, audience: Audience = "machine", details: Mapping[str, str] | None = None
) -> str:
    """Give the words of any code that can leave a door: of a problem, of a reason, of an identifier.

    Behind a colon may stand what was found in a file, as `FileRejected.told` gives it.
    """
    code, _, found = code.partition(":")
    row = ROWS.get(code)
    said = row.words(language) if row is not None else say(code, audience, language, **(details or {}))
    named = [say(FOUND + one, audience, language) for one in found.split(",") if one]
    return " ".join([said, *named])


def reason(code: str, language: Language, audience: Audience = "machine") -> dict[str, str]:
    """Give a reason as it stands in answers: its stable code and its words."""
    return {"code": code, "words": words(code, language, audience)}


def of_code(code: str, *, status: int | None = None, headers: Mapping[str, str] | None = None) -> Problem:
    """Make the problem of a code of the table."""
    return Problem(code, status or ROWS[code].status, headers=headers or {})


def of_field(name: str, code: str, details: Mapping[str, str] | None = None) -> Problem:
    """Make the problem of one field; a code that only policies has words for is 422."""
    row = ROWS.get(code)
    status = row.status if row is not None else 422
    return Problem(code, status, faults=(Fault(name, code, details or None),))


def of_file(problem: FileRejected) -> Problem:
    """Make the problem of a file that was refused for what it holds."""
    quarantine = {"id": problem.quarantine, "until": problem.until}
    return replace(
        of_field(problem.field, problem.code),
        found=problem.found,
        quarantine={name: value for name, value in quarantine.items() if value is not None},
        receipts=(problem.receipt,) if problem.receipt is not None else (),
    )


def of_signature(problem: SignatureInvalid) -> Problem:
    """Make the problem of a signature that does not hold, with what its report says."""
    return replace(of_field(problem.field, problem.code), reasons=problem.reasons)


def of_credentials(code: str, scheme: str) -> Problem:
    """Make a 401; `scheme` is what WWW-Authenticate names (RFC 9110 11.6.1, RFC 6750 3)."""
    challenge = f'{scheme} realm="kho"'
    if scheme == "Bearer" and code != "token_missing":
        challenge += f', error="invalid_token", error_description="{code}"'
    return Problem(
        code if code in ROWS else "not_authenticated", 401, headers={"WWW-Authenticate": challenge}
    )


def of_refusal(refusal: Refusal, audience: Audience = "officer") -> Problem:
    """Make the problem of a decided no: 403, or 410 for what has ended."""
    status = 410 if refusal.status == "ended" else 403
    return Problem(
        refusal.code, status, reasons=refusal.reasons, receipts=refusal.receipts, audience=audience
    )


def of_validation(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Make the problem of a body, query or header that does not fit its schema; every fault is named."""
    faults = tuple(dict.fromkeys(_fault(error) for error in errors))
    first = faults[0]
    return Problem(first.code, ROWS[first.code].status, faults=faults)


def _fault(error: Mapping[str, Any]) -> Fault:
    place, *path = [str(part) for part in error["loc"]]
    kind = str(error["type"])
    if place == "body" and (kind == "json_invalid" or not path):
        return Fault("body", "body_missing" if kind == "missing" else "body_not_json")
    return Fault(".".join(path), _code(kind))


def _code(kind: str) -> str:
    if kind in _PYDANTIC:
        return _PYDANTIC[kind]
    if kind.startswith(_DATE_PREFIXES):
        return "date_malformed"
    return "wrong_type" if kind.endswith(_TYPE_SUFFIXES) else "value_invalid"


def of_step_up(code: str) -> Problem:
    """Make the 401 of whoever must authenticate afresh (RFC 9470, 3)."""
    challenge = 'Session realm="kho", error="insufficient_user_authentication"'
    return of_code(code, headers={"WWW-Authenticate": challenge})
