"""What an administrator may send about the catalogue: an edit with its ground and days, or the end of one."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from policies.edits import Change
from policies.entries import Text as Words
from reuse_api.schemas import Closed, Code, Text
from vault.cataloguing import MAX_PAGE
from vault.editing import MAX_REASON, NewEdit

Quantity = Annotated[int, Field(ge=0, le=1000)]
Key = Annotated[str, StringConstraints(max_length=60)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=MAX_REASON, pattern=r"^[^\p{Cc}]*$")]


class PageQuery(Closed):
    """A page of a list; the cursor is the `next` of the page before."""

    cursor: Code | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50


class ProceduresQuery(PageQuery):
    """Procedures whose code or name holds these words."""

    q: Annotated[str, StringConstraints(max_length=200)] = ""


class EditsQuery(PageQuery):
    """Edits, of one procedure if it is named."""

    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,15}$")] | None = None
    procedure: Code | None = None


class WordsBody(Closed):
    """A name in both languages."""

    vi: Text
    en: Text

    def value(self) -> Words:
        """Give the name as the policies take it."""
        return Words(self.vi, self.en)


class EditBody(Closed):
    """An edit: what row, what instead, from which day, why, on which ground.

    Without `case` it stands for every case. `condition` "" means asked for without one, `alternative` "" a
    paper of its own; left out, both stay as they were read.
    """

    procedure: Code
    case: Text | None = None
    component: Code
    act: Literal["overrule", "add", "remove"]
    kind: Literal["document", "form", "note", "identity", "residence"] | None = None
    name: WordsBody | None = None
    condition: Key | None = None
    condition_name: WordsBody | None = None
    alternative: Key | None = None
    originals: Quantity = 0
    copies: Quantity = 0
    valid_from: date
    valid_until: date | None = None
    reason: Reason
    legal_reference: Text

    def value(self) -> NewEdit:
        """Give the edit as the vault takes it."""
        change = Change(
            act=self.act,
            kind=self.kind,
            name=self.name.value() if self.name else None,
            condition=self.condition,
            condition_name=self.condition_name.value() if self.condition_name else None,
            alternative=self.alternative,
            originals=self.originals,
            copies=self.copies,
        )
        return NewEdit(
            procedure=self.procedure,
            case=self.case,
            component=self.component,
            change=change,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            reason=self.reason,
            legal_reference=self.legal_reference,
        )


class EndBody(Closed):
    """The last day of an edit, and why it ends."""

    valid_until: date
    reason: Reason
