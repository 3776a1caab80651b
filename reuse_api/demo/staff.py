"""Officers of the demo who sign in to the pages: at a desk, as auditor, as administrator."""

from functools import partial

from reuse_api.demo.codes import Codes
from reuse_api.demo.people import STAFF, Office
from reuse_api.language import Language
from vault import agencies, registering, staff
from vault.services import Vault


async def register_staff(vault: Vault) -> None:
    """Register whoever is missing: the office, the officer, the role; on a kept vault nothing changes."""
    for one in STAFF:
        await _register_office(vault, one.office)
        async with vault.db.read() as db:
            known = await staff.has_role(db, one.office.code, one.office.officer, one.role)
        if not known:
            await registering.give_role(
                vault, agency=one.office.code, officer=one.office.officer, role=one.role
            )


async def show_codes(vault: Vault, codes: Codes, lang: Language) -> None:
    """Print a one-time code for each of them."""
    for one in STAFF:
        who = {"agency_id": one.office.code, "officer_id": one.office.officer}
        make = partial(staff.new_code, vault.db, vault.clock, role=one.role, **who)
        await codes.show(one.name_en if lang == "en" else one.name_vi, make)


async def _register_office(vault: Vault, office: Office) -> None:
    async with vault.db.read() as db:
        known = await agencies.registered(db, office.code)
        officer_known = await agencies.officer_live(db, office.code, office.officer)
    if not known:
        new = registering.NewAgency(office.code, office.name_vi, office.name_en)
        await registering.register_agency(vault, new)
    if not officer_known:
        await registering.register_officer(
            vault, agency=office.code, officer=office.officer, name=office.officer_name
        )
