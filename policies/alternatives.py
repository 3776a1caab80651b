"""Rows of one alternative group are one paper: it is asked for once, and counts once."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from policies.facts import ComponentPlan
from policies.procedures import Component

CODES: frozenset[str] = frozenset({"met_by_alternative", "asked_as_alternative"})
_BEST_FIRST = ("satisfied", "candidate", "data_source", "none")


def asked_once(components: Sequence[Component], plans: Sequence[ComponentPlan]) -> tuple[ComponentPlan, ...]:
    """Let one row of every group speak for it: the first of those with the best answer.

    The others point to it with `met_by`, and say that the paper is there, or that it is asked for there.
    """
    spoken = list(plans)
    for places in _groups(components):
        best = min(places, key=lambda place: (_BEST_FIRST.index(plans[place].state), place))
        for place in places:
            if place != best:
                spoken[place] = _beside(plans[place], plans[best])
    return tuple(spoken)


def same_paper(components: Sequence[Component], code: str) -> frozenset[str]:
    """Give the codes of the rows that ask for the same paper as this one, its own among them."""
    group = next((one.alternative for one in components if one.code == code), None)
    if group is None:
        return frozenset({code})
    return frozenset(one.code for one in components if one.alternative == group)


def papers(components: Sequence[Component]) -> int:
    """Count the papers that are asked for: forms and notes are none, a group is one."""
    asked = [one for one in components if one.kind not in ("form", "note")]
    return len({(one.alternative or "", "" if one.alternative else one.code) for one in asked})


def papers_met(plans: Sequence[ComponentPlan]) -> int:
    """Count the papers that are there: a group once, by the row that speaks for it."""
    return sum(one.state == "satisfied" and one.met_by is None for one in plans)


def _groups(components: Sequence[Component]) -> Iterable[list[int]]:
    found: dict[str, list[int]] = {}
    for place, one in enumerate(components):
        if one.alternative is not None and one.kind != "form":
            found.setdefault(one.alternative, []).append(place)
    return found.values()


def _beside(own: ComponentPlan, best: ComponentPlan) -> ComponentPlan:
    met = best.state == "satisfied"
    return replace(
        own,
        state="satisfied" if met else "none",
        reasons=("met_by_alternative",) if met else ("asked_as_alternative",),
        records=(),
        candidates=(),
        refused=(),
        data_source=None,
        mapping=best.mapping,
        met_by=best.component,
    )
