"""Addresses that a person may end up at without there being a page; the last of the pages' routers."""

from fastapi import APIRouter
from starlette.responses import Response

from reuse_api.callers import Anybody
from reuse_api.pages.acting import Announced
from reuse_api.pages.rendering import onward
from reuse_api.pages.troubles import PageRoute
from vault.errors import NotFound

router = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[Anybody, Announced])


@router.get("/")
@router.get("/sign-out")
@router.get("/language")
async def home() -> Response:
    """Lead to the wallet: from the bare address, and from reloading the answer of a form."""
    return onward("/wallet")


@router.get("/wallet/{rest:path}")
@router.get("/desk/{rest:path}")
@router.get("/audit/{rest:path}")
@router.get("/admin/{rest:path}")
async def nothing(rest: str) -> Response:
    """Say on a page that there is no such page."""
    raise NotFound
