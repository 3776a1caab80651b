"""Numbers, codes and days that were typed, as what a document must hold."""

from dataclasses import replace

from search.conditions import Begins, Condition, Has, Phrase, either, every
from search.dates import Spot
from search.numbers import FEWEST_DIGITS, Code, runs
from search.ranking import Atom


def runs_apart(normal: str, aligned: str, days: list[Spot]) -> list[Code]:
    """Give what stands apart and may be one number, but for what is said to be a day."""
    return runs(normal, aligned, [(one.start, one.end) for one in days if one.said])


def apart(code: Code, dated: list[Spot]) -> tuple[Code, ...]:
    """Give a code, or the codes within it where it would reach over a day or month."""
    if code.within and any(one.start < code.end and code.start < one.end for one in dated):
        return tuple(one for one in code.within if len(one.parts) > 1)
    return (code,)


def day_atom(spot: Spot, code: Code | None) -> Atom:
    """Read a day or month."""
    term = either(*(Has(one) for one in spot.terms))
    if code is not None and not spot.said:  # "12/2024" is a month, or the number of a document
        term = either(term, Phrase(code.parts))
    return Atom(term, term, None)


def number_atom(code: Code, unfinished: bool) -> Atom:
    """Read a number or code; `unfinished`: what begins with it is found too."""
    whole = _written(code)
    if code.within:
        whole = either(whole, every(*(_written(one) for one in code.within)))
    many = sum(one.isdigit() for one in code.compact) >= FEWEST_DIGITS
    must = either(whole, Begins(code.compact)) if unfinished or many else whole
    return Atom(must, whole, None)


def or_joined(one: Atom, joined: list[Code], end: int | None) -> Atom:
    """Let an atom be met by what it is part of, run together: AA 123 by AA123.

    Args:
        end: where the text ends, if its last word may be unfinished.
    """
    if not joined:
        return one
    whole = [Has(run.compact) for run in joined]
    must = [_run_together(run.compact, run.end == end) for run in joined]
    return replace(
        one,
        must=either(one.must, *must),
        whole=either(one.whole, *whole),
        exact=either(one.exact, *whole) if one.exact is not None else None,
        loose=either(one.loose, *must) if one.loose is not None else None,
        varied=either(one.varied, *whole) if one.varied is not None else None,
    )


def _written(code: Code) -> Condition:
    """Run together, or with whatever between its parts."""
    return either(Has(code.compact), Phrase(code.parts)) if len(code.parts) > 1 else Has(code.compact)


def _run_together(compact: str, unfinished: bool) -> Condition:
    many = sum(one.isdigit() for one in compact) >= FEWEST_DIGITS
    return Begins(compact) if unfinished or many else Has(compact)
