"""Documents and conditions as tantivy takes them; its own query syntax is never used."""

import tantivy

from search.conditions import (
    All,
    Begins,
    Condition,
    Either,
    Has,
    IssuedSince,
    Near,
    Phrase,
    PhraseBegins,
)
from search.index import EXPIRED, IN_FORCE, NEVER, Document, Search, day_number
from search.terms import analysed

_Query = tantivy.Query
_MUST, _SHOULD = tantivy.Occur.Must, tantivy.Occur.Should
_UNSIGNED = tantivy.FieldType.Unsigned
Clause = tuple[tantivy.Occur, tantivy.Query]


def _fields() -> tantivy.Schema:
    made = tantivy.SchemaBuilder()
    made.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    made.add_text_field("readers", tokenizer_name="raw", index_option="basic")
    for name in ("type", "issuer", "state", "trust", "year"):
        made.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in ("words", "names"):
        made.add_text_field(name, tokenizer_name="spaces", index_option="position")
        made.add_text_field(f"{name}_exact", tokenizer_name="spaces", index_option="basic")
    for name in ("order", "issued", "valid_until"):
        made.add_unsigned_field(name, indexed=True, fast=True)
    return made.build()


FIELDS = _fields()


def document(one: Document) -> tantivy.Document:
    """Give a document as tantivy keeps it."""
    kept = tantivy.Document()
    for name, value in (("id", one.id), ("type", one.type), ("state", one.state), ("trust", one.trust)):
        kept.add_text(name, value)
    for name, maybe in (("issuer", one.issuer), ("year", one.year)):
        if maybe is not None:
            kept.add_text(name, maybe)
    for reader in one.readers:
        kept.add_text("readers", reader)
    for name, terms in (("words", analysed(one.texts, one.issued_on)), ("names", analysed(one.names))):
        for text in terms.folded:
            kept.add_text(name, text)
        for text in terms.exact:
            kept.add_text(f"{name}_exact", text)
    kept.add_unsigned("order", one.order)
    kept.add_unsigned("issued", day_number(one.issued_on, 0))
    kept.add_unsigned("valid_until", day_number(one.valid_until, NEVER))
    return kept


def finding(condition: Condition, search: Search) -> Clause:
    """Give a condition as a clause that must hold, in the fields that the search looks at."""
    return _MUST, _said(condition, ("words", "names") if search.names else ("words",))


def filtered(search: Search) -> Clause:
    """Give who may see it, and the filters, as a clause that must hold."""
    clauses: list[Clause] = [(_MUST, _Query.term_set_query(FIELDS, "readers", sorted(search.visible_to)))]
    for name, values in search.filters.items():
        if name == "state":
            clauses.append((_MUST, _any([_state(one, search) for one in sorted(values)])))
        else:
            clauses.append((_MUST, _Query.term_set_query(FIELDS, name, sorted(values))))
    if search.issued_from or search.issued_until:
        first, last = day_number(search.issued_from, 1), day_number(search.issued_until, NEVER)
        clauses.append((_MUST, _between("issued", first, last)))
    return _MUST, _Query.boolean_query(clauses)


def standing(search: Search, ended: int) -> Clause:
    """Give what is in force on the day of the search, or all else, as a clause beside one that must hold."""
    return tantivy.Occur.MustNot if ended else _MUST, _state(IN_FORCE, search)


def _state(state: str, search: Search) -> tantivy.Query:
    today = day_number(search.day, 0)
    if state == EXPIRED:
        over = _between("valid_until", 0, today - 1)
        return _any([_term("state", EXPIRED), _all([_term("state", IN_FORCE), over])])
    if state == IN_FORCE:
        return _all([_term("state", IN_FORCE), _between("valid_until", today, NEVER)])
    return _term("state", state)


def _said(condition: Condition, fields: tuple[str, ...]) -> tantivy.Query:
    if isinstance(condition, All):
        return _all([_said(one, fields) for one in condition.of])
    if isinstance(condition, Either):
        return _any([_said(one, fields) for one in condition.of])
    if isinstance(condition, IssuedSince):
        return _between("issued", day_number(condition.day, 0), NEVER)
    return _any([_word(condition, name) for name in fields])


def _word(condition: Has | Begins | Near | Phrase | PhraseBegins, name: str) -> tantivy.Query:
    if isinstance(condition, Has):
        return _term(f"{name}_exact" if condition.exact else name, condition.word)
    if isinstance(condition, Begins):
        return _Query.fuzzy_term_query(FIELDS, name, condition.letters, 0, True, True)
    if isinstance(condition, Near):
        return _Query.fuzzy_term_query(FIELDS, name, condition.word, 1, True)
    if isinstance(condition, PhraseBegins):
        parts: list[str | tuple[int, str]] = [*condition.words, condition.letters]
        return _Query.phrase_prefix_query(FIELDS, name, parts)
    return _Query.phrase_query(FIELDS, name, list(condition.words))


def _term(name: str, value: str) -> tantivy.Query:
    return _Query.term_query(FIELDS, name, value, "basic")


def _between(name: str, first: int, last: int) -> tantivy.Query:
    return _Query.range_query(FIELDS, name, _UNSIGNED, first, last)


def _all(queries: list[tantivy.Query]) -> tantivy.Query:
    return _Query.boolean_query([(_MUST, one) for one in queries]) if queries else _Query.all_query()


def _any(queries: list[tantivy.Query]) -> tantivy.Query:
    return queries[0] if len(queries) == 1 else _Query.boolean_query([(_SHOULD, one) for one in queries])
