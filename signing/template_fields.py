"""The fields of each template in templates/: which must be there, which may, and of what kind they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MOST_ITEMS = 20  # of one list


@dataclass(frozen=True)
class Fields:
    """The names a template takes; those of no other kind are texts.

    `lists` are tables: each item has texts and dates of its own, all of them required.
    """

    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    drawings: frozenset[str] = frozenset()  # SVG that was made here
    pictures: frozenset[str] = frozenset()  # PNG that was made here
    lists: Mapping[str, "Fields"] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """Every name that may be given."""
        return self.required | self.optional


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _each(beginnings: Iterable[str], endings: str) -> frozenset[str]:
    return frozenset(f"{one}_{ending}" for one in beginnings for ending in endings.split())


_SIGNED = _names("issuer_name issuer_title signer")
_PARENT = "name birth_year ethnicity nationality residence personal_number"

TEMPLATES: dict[str, Fields] = {
    "birth_certificate": Fields(
        required=_names("number full_name birth_date sex ethnicity nationality birth_place home_town")
        | _names("personal_number registered_at registered_on reregistered")
        | _SIGNED
        | _each(["mother"], _PARENT),
        optional=_names("book_number birth_date_words issued_place changes") | _each(["father"], _PARENT),
        dates=_names("birth_date registered_on"),
        flags=_names("reregistered"),
        lists={"changes": Fields(_names("noted_on content ground noted_by"), dates=_names("noted_on"))},
    ),
    "marriage_certificate": Fields(
        required=_names("number registered_at registered_on")
        | _SIGNED
        | _each(["wife", "husband"], "name birth_date ethnicity nationality residence personal_number"),
        optional=_names("book_number issued_place"),
        dates=_names("registered_on wife_birth_date husband_birth_date"),
    ),
    "civil_status_extract": Fields(
        required=_names("number change_kind full_name birth_date sex ethnicity nationality personal_number")
        | _names("residence changed_paper registered_at registered_on changes ground")
        | _SIGNED,
        optional=_names("book_number issued_place"),
        dates=_names("birth_date registered_on"),
        lists={"changes": Fields(_names("item from to"))},
    ),
    "land_use_certificate": Fields(
        required=_names("number register_number parcel_number map_sheet_number area land_purpose use_term")
        | _names("use_form parcel_address issued_on")
        | _SIGNED
        | _each(["holder"], "name address"),
        optional=_names("use_origin assets notes issued_place holder_personal_number holder_tax_code")
        | _each(["second_holder"], "name address personal_number"),
        dates=_names("issued_on"),
    ),
    "business_registration": Fields(
        required=_names("tax_code enterprise_name head_office capital first_registered_on")
        | _SIGNED
        | _each(["owner"], "name sex birth_date nationality personal_number address"),
        optional=_names("enterprise_name_foreign enterprise_name_short phone email capital_words")
        | _names("change_number changed_on issued_place"),
        dates=_names("first_registered_on changed_on owner_birth_date"),
    ),
    "conversion_mark": Fields(
        required=_names("agency converter converted_at"), optional=_names("qr"), drawings=_names("qr")
    ),
    "seal_appearance": Fields(
        required=_names("agency signed_at width height"),
        optional=_names("picture picture_width picture_height"),
        pictures=_names("picture"),
    ),
    "general_result": Fields(
        required=_names("title body issued_on") | _SIGNED,
        optional=_names("number subject_name subject_number"),
        dates=_names("issued_on"),
    ),
}
