"""What goes wrong in policies: every error has a stable `code`; none carries a personal value."""


class PolicyError(Exception):
    """Base of all errors of this package."""

    code = "policy_error"


class IdentifierInvalid(PolicyError):
    """The identifier is not one that can exist.

    `field` names what was checked (for a problem's field pointer), `code` is stable and has words in
    wording.json. The value itself is never kept: it may be somebody's number.
    """

    def __init__(self, field: str, code: str) -> None:
        super().__init__(f"{field}: {code}")
        self.field = field
        self.code = code


class BookInvalid(PolicyError):
    """The policy book contradicts itself or lacks something; `where` names the entry."""

    code = "book_invalid"

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where


class PackageUnreadable(PolicyError):
    """A national procedure package cannot be read as a clerk would; `where` names the procedure, if known.

    `fault` is one of the names of the group "package_fault" (names.json), `facts` are what they weave in.
    """

    code = "package_unreadable"

    def __init__(self, where: str, fault: str, **facts: object) -> None:
        super().__init__(": ".join(str(one) for one in (where, fault, *facts.values()) if one != ""))
        self.where = where
        self.fault = fault
        self.facts = facts


class FactsUnreadable(PolicyError):
    """Recorded facts are not those of an access; `where` names the field at fault, never its value."""

    code = "facts_unreadable"

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


class AskingInvalid(PolicyError):
    """What a dossier asks under its procedure is not in the procedure; `field` names the part at fault.

    `code` is one of ASKING_CODES.
    """

    def __init__(self, field: str, code: str) -> None:
        super().__init__(f"{field}: {code}")
        self.field = field
        self.code = code


ASKING_CODES: frozenset[str] = frozenset(
    {
        "case_missing",
        "case_unknown",
        "case_only_additional",
        "case_not_additional",
        "condition_unknown",
        "component_unknown",
    }
)


class EditInvalid(PolicyError):
    """An edit of the catalogue cannot be accepted; `field` names the part at fault, `code` says why."""

    code = "edit_invalid"

    def __init__(self, field: str, code: str) -> None:
        super().__init__(f"{field}: {code}")
        self.field = field
        self.code = code
