"""Knowing a paper again by its bytes: which record a handed-in file already is, if it is one."""

from collections.abc import Sequence

from policies.facts import CallerFacts, Validity
from vault import beside
from vault.errors import FieldInvalid
from vault.records import Stored


def known_paper(
    asking: CallerFacts,
    held: Sequence[Stored],
    sha256: bytes,
    kind: str,
    people: Sequence[str],
    signature: bytes | None = None,
) -> Stored | None:
    """Find the record that a file already is: issued by its agency, of this type and to exactly these owners.

    Whatever else has the same bytes lends the file nothing.

    Args:
        held: the records of those it is handed in for.
        sha256: of the file, 32 bytes.
        kind: the record type it is handed in as.
        people: owner ids.
        signature: what stands beside the file; with another one it is another paper.

    Raises:
        FieldInvalid: the bytes are a record that is not in force any more; they never become a new one.
    """
    same = [one for one in held if one.holds(sha256)]
    if any(one.facts.validity is not Validity.IN_FORCE for one in same):
        raise FieldInvalid("file", "record_not_in_force")
    theirs = {asking.agency, *asking.agency_codes, *asking.predecessors}
    for one in same:
        facts = one.facts
        equal = (facts.type, facts.owners) == (kind, frozenset(people)) and facts.issuer in theirs
        if equal and not facts.damaged and beside.same(one.row, signature):
            return one
    return None
