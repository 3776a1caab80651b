"""The application: every door on one open vault, and the log published once a second while it runs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from reuse_api import (
    audit,
    back_channel,
    catalogue,
    certificates,
    components,
    consents,
    delegations,
    dossiers,
    health,
    indicators,
    journal,
    log,
    me,
    notices,
    own_sessions,
    problem_types,
    receipts,
    records,
    releases,
    results,
    tokens,
    waiting_seals,
    webhooks,
)
from reuse_api.answering import answer_errors
from reuse_api.body_limit import BodyLimit
from reuse_api.doors import doors_of
from reuse_api.doorway import Doorway
from reuse_api.hosts import OurHosts
from reuse_api.lingering import Lingering
from reuse_api.pages import (
    accesses,
    adding,
    admin,
    admin_certificates,
    admin_quarantine,
    admin_webhooks,
    assets,
    audit_counting,
    audit_entry,
    audit_log,
    audit_versions,
    consenting,
    desk,
    desk_confirming,
    desk_issued,
    desk_opening,
    desk_results,
    desk_scanning,
    desk_searching,
    desk_taking,
    nowhere,
    openid,
    people,
    sign_in,
    wallet,
)
from reuse_api.pages import audit as audit_room
from reuse_api.pages import own_sessions as session_pages
from reuse_api.settings import Settings
from reuse_api.traffic import Traffic
from reuse_api.working import watching, working
from vault.publishing import publish
from vault.services import Vault

API = (
    tokens,
    back_channel,
    own_sessions,
    dossiers,
    components,
    releases,
    results,
    records,
    waiting_seals,
    notices,
    webhooks,
    indicators,
    receipts,
    consents,
    delegations,
    me,
    audit,
    catalogue,
    certificates,
    log,
    health,
    problem_types,
)
PAGES: tuple[APIRouter, ...] = (
    sign_in.router,
    openid.router,
    wallet.router,
    accesses.router,
    adding.router,
    people.router,
    consenting.router,
    desk.router,
    desk_confirming.router,
    desk_issued.router,
    desk_opening.router,
    desk_results.router,
    desk_scanning.router,
    desk_searching.router,
    desk_taking.router,
    audit_room.router,
    audit_entry.router,
    audit_counting.router,
    audit_log.router,
    audit_versions.router,
    admin.router,
    admin_certificates.router,
    admin_quarantine.router,
    admin_webhooks.router,
    session_pages.router,
    assets.router,
    nowhere.router,
)
_EVERY = 1.0  # seconds between two publications (DESIGN 6)


def create_app(
    vault: Vault,
    settings: Settings,
    *,
    pages: Sequence[APIRouter] = PAGES,
    code_tried: sign_in.CodeTried = sign_in.nothing_more,
) -> FastAPI:
    """Make the application over an open vault; whoever opened the vault closes it afterwards.

    Args:
        code_tried: hears of every one-time code typed at the demo's door, once it was taken or refused.
    """
    app = FastAPI(
        title="Kho",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.vault = vault
    app.state.settings = settings
    app.state.doors = doors_of(settings, vault)
    app.state.code_tried = code_tried
    app.state.traffic = Traffic()
    for module in API:
        app.include_router(module.router)
    for router in pages:
        app.include_router(router)
    answer_errors(app)
    app.add_middleware(BodyLimit, limit=settings.body_limit)
    app.add_middleware(OurHosts, settings=settings)
    app.add_middleware(Doorway, traffic=app.state.traffic)
    app.add_middleware(Lingering)  # outermost, so that nobody in the house sees it
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    vault, settings = app.state.vault, app.state.settings
    if settings.signer:  # the signer publishes, and `kho work` works
        async with watching(vault):
            yield
        return
    async with publishing(vault), watching(vault) if settings.work == "off" else working(vault):
        yield


@asynccontextmanager
async def publishing(vault: Vault) -> AsyncIterator[None]:
    """Publish the log once a second while inside, and once more on leaving.

    A publication that fails is written down and tried again: what is decided and proven rests on the rows.
    """
    ending = asyncio.Event()
    task = asyncio.create_task(_publish_until(vault, ending))
    try:
        yield
    finally:
        ending.set()
        await task


async def _publish_until(vault: Vault, ending: asyncio.Event) -> None:
    while True:
        last = ending.is_set()
        try:
            await publish(vault)
        except Exception as problem:
            journal.failed("publication_failed", problem)
        if last:
            return
        try:
            await asyncio.wait_for(ending.wait(), _EVERY)
        except TimeoutError:
            continue
