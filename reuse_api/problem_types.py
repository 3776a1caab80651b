"""What a problem's `type` leads to: its words, for whoever follows the address."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from policies.wording import codes
from reuse_api.answering import answer
from reuse_api.callers import Anybody
from reuse_api.language import language_of
from reuse_api.problem_words import ROWS
from reuse_api.problems import TYPES, words
from vault.errors import NotFound

router = APIRouter(prefix=TYPES.rstrip("/"), tags=["problems"], dependencies=[Anybody])


@router.get("/{code}")
async def get_problem_type(request: Request, code: str) -> Response:
    """Explain a problem code."""
    if code not in ROWS and code not in codes():
        raise NotFound
    language = language_of(request)
    told = {"code": code, "words": words(code, language)}
    if code not in ROWS:
        told["next_step"] = words(code, language, "officer")
    return answer(request, told)
