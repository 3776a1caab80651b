"""How the desk's pages tell a plan, what was taken and who is named: in an officer's words."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from policies.wording import groups, say
from reuse_api.pages.desk_told import (
    HitView,
    NoticeView,
    OutcomeView,
    Paper,
    PlanView,
    Row,
    Source,
    TakenView,
    UseView,
    WaitingView,
)
from reuse_api.pages.views import Mark, Narrator, Tone
from reuse_api.problems import words
from vault.dossiers import Opened
from vault.entries import instant
from vault.notifying import Notice
from vault.progress import Party, Progress, Taken
from vault.records import Stored
from vault.services import Answer
from vault.waiting_seals import GIVEN_UP, WAITING, Waiting

_STATE: dict[str, Tone] = {"satisfied": "good", "candidate": "caution"}
_USE: dict[str, Tone] = {"satisfied": "good", "candidate": "caution", "refused": "bad"}
_SHOWN_OTHERWISE = ("data_source_answers",)  # the database stands there, with what to do next
_MARKS: dict[str, dict[str, Tone]] = {
    "trust": {"A": "good", "B": "good", "C": "good", "D": "plain", "E": "plain"},
}


class Clerk(Narrator):
    """Tells an officer what the vault found, in one language and by the names of one policy book."""

    def plan(self, answer: Answer, progress: Progress, waiting: Iterable[Waiting] = ()) -> PlanView:
        """Tell the answer to the one question; documents that this desk took already stand in their rows.

        Args:
            waiting: of the dossier; a component that a scan waits for does not ask for another.
        """
        awaited = {one.component for one in waiting if one.state == WAITING}
        taken = [self.taken(one) for one in progress.taken if one.ours]
        papers = [one for one in answer["components"] if one["kind"] != "form"]
        beside: dict[str, list[Mapping[str, Any]]] = {}
        for one in papers:
            beside.setdefault(one.get("met_by", ""), []).append(one)
        return PlanView(
            asked=self.moment(instant(answer["asked_at"])),
            rows=tuple(
                self._row(one, beside.get(one["component"], []), taken, awaited)
                for one in papers
                if "met_by" not in one
            ),
            forms=tuple(self._spoken(one["label"]) for one in answer["components"] if one["kind"] == "form"),
        )

    def hit(self, one: Mapping[str, Any], progress: Progress) -> HitView:
        """Tell of a document that was found, and of what use it is for each component."""
        return HitView(
            self.paper(one),
            tuple(
                UseView(
                    code=each["component"],
                    label=self.component(progress, each["component"]),
                    mark=Mark(self.language.say(f"desk.use.{each['state']}"), _USE[each["state"]]),
                    reasons=self.officer(each["reasons"]),
                )
                for each in one["uses"]
            ),
        )

    def outcome(self, answer: Answer, progress: Progress) -> OutcomeView:
        """Tell what a request for documents came to."""
        return OutcomeView(
            taken=sum(one["state"] == "released" and one["counts"] for one in answer["items"]),
            viewed=sum(one["state"] == "released" and not one["counts"] for one in answer["items"]),
            refused=tuple(
                (self.component(progress, one["component"]), self.officer(one["reasons"]))
                for one in answer["items"]
                if one["state"] == "refused"
            ),
        )

    def notice(self, one: Notice) -> NoticeView:
        """Tell of a notice; an event without words of its own is told as news of a document."""
        key = f"desk.notice.{one.event}"
        words = self.language.say(
            key if self.language.has(key) else "desk.notice.other",
            record=one.record_title or self.language.say("accesses.a_document"),
        )
        return NoticeView(one.id, words, one.dossier, self.moment(one.at))

    def waiting(self, one: Waiting) -> WaitingView:
        """Tell of a result or a scan that waits for its seal, or that could not be sealed."""
        since, due = self.moment(one.since).words, self.moment(one.next_at).words
        ended = one.state == GIVEN_UP
        if one.component is not None:
            key = "desk.waiting.scan_given_up" if ended else "desk.waiting.scan_still"
        else:
            key = "desk.waiting.given_up" if ended else "desk.waiting.still"
        told = {} if ended else {"attempts": str(one.attempts), "next": due}
        said = self.language.say(key, since=since, **told)
        return WaitingView(
            kind=self.kind_of_paper(one.type),
            words=said,
            reasons=tuple(words(code, self.language.code, "officer") for code in one.reasons),
            dossier=one.dossier,
            notice=one.notice,
        )

    def taken(self, one: Taken) -> TakenView:
        """Tell of one release."""
        return TakenView(
            release=one.release,
            component=one.component,
            paper=self.stored(one.record),
            by=one.system_name,
            ours=one.ours,
            counts=one.counts,
            index=one.index,
            receipt=one.receipt,
            when=self.moment(one.at),
        )

    def stored(self, one: Stored) -> Paper:
        """Tell of a document by what rows say of it."""
        return self.paper(
            {
                "record": one.facts.id,
                "type": one.facts.type,
                "title": one.row["title"],
                "issuer": one.row["issuer_name"],
                "number": one.row["number"],
                "issued_on": one.row["issued_on"],
                "valid_until": one.row["valid_until"],
                "source": one.row["source"],
                "trust": one.facts.trust.value,
                "verdict": one.facts.verdict,
                "verdict_reasons": one.facts.verdict_reasons,
                "validity": one.facts.validity.value,
            }
        )

    def component(self, progress: Progress, code: str) -> str:
        """Name a component that the dossier asks for; any other is shown as its code."""
        found = (one.label for one in progress.opened.components if one.code == code)
        label = next(found, None)
        return self.text(label) if label is not None else code

    def role(self, key: str) -> str:
        """Name a person's part in a dossier; a part without a name is shown as it is."""
        return self.name("role", key) if key in groups()["role"] else key

    def party(self, one: Party) -> str:
        """Say how a person is identified, without the whole number."""
        return f"{self.name('scheme', one.scheme)} {one.identifier}"

    def conditions(self, opened: Opened) -> tuple[str, ...]:
        """Say in words what a dossier states about itself."""
        names = opened.procedure.conditions
        return tuple(self.text(name) for key, name in names.items() if key in opened.facts.conditions)

    def officer(self, codes: Iterable[str], **details: str) -> tuple[str, ...]:
        """Say reason codes to an officer: what is wrong, and what to do next."""
        return tuple(say(code, "officer", self.language.code, **details) for code in codes)

    def _spoken(self, both: Mapping[str, str]) -> str:
        return both[self.language.code]

    def _row(
        self,
        one: Mapping[str, Any],
        others: Sequence[Mapping[str, Any]],
        taken: Sequence[TakenView],
        awaited: Set[str | None],
    ) -> Row:
        source = self._source(one.get("data_source"))
        codes = {each["component"] for each in (one, *others)}
        here = [each for each in taken if each.component in codes]
        serving = {each["record"] for each in one["records"]}
        label = self._spoken(one["label"])
        return Row(
            code=one["component"],
            label=label,
            national=one["name"] if one["name"] != one["label"]["vi"] else None,
            state=one["state"],
            mark=Mark(self.name("plan_state", one["state"]), _STATE.get(one["state"], "plain")),
            reasons=self.officer(code for code in one["reasons"] if code not in _SHOWN_OTHERWISE),
            papers=tuple(self.paper(paper) for paper in one["records"]),
            candidates=tuple(self.paper(paper) for paper in one["candidates"]),
            refused=tuple(self.paper(paper) for paper in one["refused"]),
            source=source,
            law=one.get("mapping"),
            ours=one["source"] == "ours",
            others=tuple(self._spoken(each["label"]) for each in others),
            taken=tuple(each for each in here if each.counts and each.paper.record in serving),
            stale=tuple(each for each in here if each.counts and each.paper.record not in serving),
            seen={each.paper.record: each.release for each in here if not each.counts},
            waits=not awaited.isdisjoint(codes),
        )

    def _source(self, one: Mapping[str, Any] | None) -> Source | None:
        if one is None:
            return None
        return Source(self._spoken(one["name"]), one["legal_reference"], self._spoken(one["next_step"]))

    def paper(self, one: Mapping[str, Any]) -> Paper:
        """Tell of a document by a line of an answer of the vault."""
        type_name = self.kind_of_paper(one["type"])
        reasons = tuple(one.get("reasons", ()))
        unsigned = "no_signature" in reasons  # which says what the verdict's own reason would only hint at
        return Paper(
            record=one["record"],
            title=one["title"],
            type_name=type_name if type_name != one["title"] else None,
            number=one.get("number"),
            issued_on=self._day(one.get("issued_on")),
            issuer=one.get("issuer"),
            marks=(
                self.validity(one["validity"], one.get("source", ""), one.get("valid_until")),
                self.signature(one["verdict"], (*one.get("verdict_reasons", ()), *reasons)),
                *(
                    Mark(self.name(group, one[group]), tones.get(one[group], "bad"))
                    for group, tones in _MARKS.items()
                ),
            ),
            why=self.officer(one for one in reasons if not (unsigned and one == "verdict_undetermined")),
        )


def roles() -> tuple[str, ...]:
    """Give the parts that a person may have in a dossier, the applicant first."""
    return ("applicant", *sorted(groups()["role"] - {"applicant"}))
