"""The words of documents for the search index: of record types that the settings name, none a sensitive one.

Content is sealed, so that reading it is an entry of its owners, whenever the index takes a document up again.
The words lie unsealed in the index, which is why nothing is read unless a type was named. Searches of what an
agency issued do not look at them: they name persons.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from policies.book import Book
from search.index import Document
from signing.errors import WorkerFailed
from signing.file_types import PDF
from vault import records
from vault.days import legal_day
from vault.errors import ContentDamaged, GateRefused, PartFailed, PeerRefused, VaultBusy, VaultError
from vault.maintenance import opened_content
from vault.records import Stored
from vault.services import Vault

INDEXED = "content_indexed"  # the event of the entry
MOST_LETTERS = 200_000  # of one document; three quarters of what search/elastic_bulk.py sends in one go


class ContentUnread(VaultError):
    """The pages of a document cannot be read just now; that says nothing of the index."""

    code = "content_unread"


def sensitive_types(book: Book) -> frozenset[str]:
    """Give the record types that hold sensitive personal data, as any consent text of the book says."""
    return frozenset(kind for template in book.consent_texts for kind in template.sensitive)


def readable_types(book: Book, named: Iterable[str]) -> frozenset[str]:
    """Give the types whose words may be in the index: those that were named, without the sensitive ones."""
    return frozenset(named) - sensitive_types(book)


async def with_words(vault: Vault, documents: Sequence[Document]) -> list[Document]:
    """Give documents with the words of their pages, where these may be found.

    Outside of any transaction: each opening is an entry. What cannot be opened, because it is damaged or its
    keys are gone, is found by its metadata alone.

    Raises:
        ContentUnread: some could not be read just now, for no fault of theirs: the store, the gate or those
            who read are away.
    """
    types = readable_types(vault.book, vault.full_text)
    wanted = [one.id for one in documents if one.type in types]
    if not wanted:
        return list(documents)
    async with vault.db.read() as db:
        stored = await records.several(db, wanted, legal_day(vault.clock.now()))
    words = {one.facts.id: await _words(vault, one) for one in stored if _has_pages(one)}
    return [replace(one, names=(*one.names, *words.get(one.id, ()))) for one in documents]


def _has_pages(one: Stored) -> bool:
    return one.row["media_type"] == PDF and not one.facts.damaged


async def _words(vault: Vault, one: Stored) -> tuple[str, ...]:
    """Read what can be seen of a document, page by page, and what was recognised in its scans."""
    try:
        async with opened_content(vault, one, job=INDEXED, reason="full_text") as path:
            read = await vault.workers.words(path)
    except (ContentDamaged, GateRefused):  # an alarm of its own; it is still found by what rows say
        return ()
    except (VaultBusy, PartFailed, PeerRefused, WorkerFailed, OSError) as problem:
        raise ContentUnread(type(problem).__name__) from problem
    left, kept = MOST_LETTERS, []
    for page in (*read.pages, *read.layer):
        kept.append(page[:left])
        left -= len(kept[-1])
    return tuple(one for one in kept if one.strip())
