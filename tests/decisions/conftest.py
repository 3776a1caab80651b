"""The story's people, agencies and papers as facts, for the tables of decisions."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from policies.book import Book, local_day, shipped_book
from policies.edits import edited, shipped_edits
from policies.facts import CallerFacts, DossierFacts, PersonFacts, RecordFacts, TrustClass, Validity
from policies.packages import read_package, shipped_packages
from policies.procedures import Component, Procedure, asked_components, components_for

DAUGHTER, MOTHER, STRANGER = "owner-daughter", "owner-mother", "owner-stranger"


def _residence() -> DossierFacts:
    return DossierFacts(
        code="G01.01.02-261124-0001",
        code_agency="G01.01.02",
        code_day=date(2026, 11, 24),
        agency="police",
        procedure="1.004222",
        case="dieu-20.2",
        opened_on=date(2026, 11, 24),
        evidence="portal_submission",
        persons=(PersonFacts("applicant", DAUGHTER), PersonFacts("householder", MOTHER)),
        components=frozenset({"KQ003606", "CT01"}),
    )


def _birth_anew() -> DossierFacts:
    return DossierFacts(
        code="H01.02.03-261123-0007",
        code_agency="H01.02.03",
        code_day=date(2026, 11, 23),
        agency="commune",
        procedure="1.004884",
        case=None,
        opened_on=date(2026, 11, 23),
        evidence="officer_check",
        persons=(PersonFacts("applicant", DAUGHTER),),
        components=frozenset({"KQ004946", "KQ003785", "KQ003136", "KQ004947", "KQ003472"}),
    )


def _certificate() -> RecordFacts:
    return RecordFacts(
        id="record-daughter-gks",
        type="GKS",
        owners=frozenset({DAUGHTER}),
        trust=TrustClass.A,
        verdict="valid",
        verdict_reasons=(),
        validity=Validity.IN_FORCE,
        validity_ground=None,
        issuer="commune",
        issued_on=date(2026, 11, 23),
        valid_until=None,
        relations=frozenset({("mother", "householder")}),
        known_fields=frozenset({"mother"}),
    )


POLICE = CallerFacts(
    agency="police",
    agency_live=True,
    system="police-one-stop",
    system_live=True,
    officer="officer-7",
    officer_live=True,
    procedures=frozenset({"1.004222"}),
    agency_codes=("G01.01",),
    opened_this_hour=0,
)
COMMUNE = CallerFacts(
    agency="commune",
    agency_live=True,
    system="commune-one-stop",
    system_live=True,
    officer="officer-3",
    officer_live=True,
    procedures=frozenset({"1.004884"}),
    issues=frozenset({"GKS"}),
    agency_codes=("H01.02.03",),
    predecessors=frozenset({"old-commune"}),
    opened_this_hour=0,
)


@dataclass(frozen=True)
class Story:
    """Everything of the story; a test replaces the one thing it is about."""

    book: Book = field(default_factory=shipped_book)
    at: datetime = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    daughter: str = DAUGHTER
    mother: str = MOTHER
    stranger: str = STRANGER
    residence: DossierFacts = field(default_factory=_residence)
    birth_anew: DossierFacts = field(default_factory=_birth_anew)
    certificate: RecordFacts = field(default_factory=_certificate)
    police: CallerFacts = POLICE
    commune: CallerFacts = COMMUNE

    def procedure(self, code: str) -> Procedure:
        """Read a shipped package, with the shipped edits of the story's day."""
        found = next(one for one in map(read_package, shipped_packages()) if one.code == code)
        return edited(found, shipped_edits(), local_day(self.at))

    def components(self, dossier: DossierFacts) -> tuple[Component, ...]:
        """What the dossier is asked for."""
        return components_for(
            self.procedure(dossier.procedure), dossier.case, dossier.additional_cases, dossier.conditions
        )

    def asked(self, dossier: DossierFacts) -> frozenset[str]:
        """The codes of what the dossier is asked for."""
        return asked_components(self.components(dossier))


@pytest.fixture(scope="session")
def story() -> Story:
    return Story()
