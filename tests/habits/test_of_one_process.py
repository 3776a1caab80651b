"""What is left out where the parts are several is there, and has a reason that names no part of a machine."""

import ast
from pathlib import Path

import pytest

from tests.flows.of_one_process import NOT_APART, why_not

FLOWS = Path(__file__).parents[1] / "flows"
PARTS = ("postgresql", "seaweedfs", "elasticsearch", "opensearch", "chromium", "tesseract")


@pytest.mark.parametrize("name", NOT_APART)
def test_it_is_a_flow_that_there_is(name: str) -> None:
    file, _, function = name.partition("::")
    tree = ast.parse((FLOWS / file).read_text("utf-8"))
    known = {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}
    assert not function or function in known, "a whole file, or a test of it"
    reason = why_not(f"tests/flows/{name}[here]")
    assert reason is not None and not any(one in reason.lower() for one in PARTS)
    assert why_not(f"tests/flows/{name}_too") is None
