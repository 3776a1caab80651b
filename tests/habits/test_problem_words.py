"""Every code that an operation or a door can answer has words of its own in both languages."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from policies.wording import codes
from reuse_api.answering import FAILING, MAKING
from reuse_api.problem_words import ROWS
from signing.errors import RefusalCode
from vault import errors

ROOT = Path(__file__).parents[2]
# Which argument of these carries the code.
PLACES = {
    "FieldInvalid": 1,
    "NotAuthenticated": 0,
    "of_code": 0,
    "_TokenRefused": 0,
    "_refused": 1,
    "_fail": 1,
}
PACKAGES = ("vault", "reuse_api")


def raised() -> Iterator[Any]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            source = file.read_text("utf-8")
            if not any(f"{name}(" in source for name in PLACES):  # parsing all of them would take long
                continue
            for node in ast.walk(ast.parse(source)):
                if not isinstance(node, ast.Call):
                    continue
                name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
                place = PLACES.get(str(name))
                if place is None or len(node.args) <= place or not isinstance(node.args[place], ast.Constant):
                    continue
                code = node.args[place].value
                if isinstance(code, str):
                    yield pytest.param(code, id=f"{file.relative_to(ROOT)}:{node.lineno}:{code}")


@pytest.mark.parametrize("code", list(raised()))
def test_a_code_in_the_sources_has_words(code: str) -> None:
    assert code in ROWS or code in codes()


@pytest.mark.parametrize("code", get_args(RefusalCode))
def test_a_refused_file_has_words(code: str) -> None:
    assert code in ROWS


def test_every_error_of_the_vault_is_answered_or_never_leaves_it() -> None:
    at_start_only = {
        errors.VaultLocked,
        errors.VaultIncomplete,
        errors.SchemaMismatch,
        errors.RowsUnreadable,
        errors.SocketInvalid,
    }
    known = {
        one
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, errors.VaultError) and one is not errors.VaultError
    }
    assert known - set(MAKING) - set(FAILING) == at_start_only
