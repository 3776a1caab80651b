"""What Kho tells its operator is explained on the operator's page, and what stands there exists."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from reuse_api.answering import FAILING
from reuse_api.journal_fields import CODE, FIELDS
from reuse_api.metric_table import METRICS, OF_THE_PROCESS, Kind
from reuse_api.vault_figures import DEPOSITS
from vault import alarms
from vault.sealing_again import LOST

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operate.md").read_text("utf-8")
RULES = PAGE[PAGE.index("## Alarm rules") :]
SERIES = {"_bucket", "_sum", "_count"}  # of a histogram


def told(section: str) -> set[str]:
    """Every word between backquotes in the first column of a section's table."""
    part = PAGE[PAGE.index(f"## {section}\n") :]
    part = part[: part.find("\n## ", 5)] if "\n## " in part[5:] else part
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| ") and "`" in line]
    return {word for row in rows for word in re.findall(r"`([a-z0-9_]+)`", row)}


def test_every_metric_is_explained_and_every_explained_metric_exists() -> None:
    assert told("Metrics") == {*METRICS, *OF_THE_PROCESS}


def test_every_rule_is_made_of_metrics_that_exist_with_labels_that_they_have() -> None:
    expressions = re.findall(r"^\| Kho\w+ \| (.+) \| \d+[mh] \| (?:call|day) \|$", RULES, re.M)
    assert len(expressions) == len(re.findall(r"^\| Kho", RULES, re.M)) > 20
    for expression in expressions:
        names = re.findall(r"\b((?:kho|process)_[a-z_]+)(?:\{([^}]*\}?[^}]*)\})?", expression)
        assert names, expression
        for name, labels in names:
            histogram = next((name.removesuffix(one) for one in SERIES if name.endswith(one)), name)
            known = METRICS.get(name) or METRICS.get(histogram)
            assert known is not None or name in OF_THE_PROCESS, name
            if known is not None:
                assert (known.kind == "histogram") == (histogram != name), name
                asked = re.findall(r'([a-z_]+)(?:=~|!=|=)"', labels)
                assert {*asked} <= {*known.labels}, expression
                for grouped in re.findall(r" by \(([a-z_, ]+)\)", expression):
                    assert {one.strip() for one in grouped.split(",")} <= {*known.labels, "le"}, expression
        assert expression.count("(") == expression.count(")"), expression


def test_metrics_are_named_as_prometheus_wants_them() -> None:
    for name, one in METRICS.items():
        assert re.fullmatch(r"kho_[a-z_]+", name)
        assert one.kind in get_args(Kind) and (one.kind == "counter") == name.endswith("_total"), name
        assert one.words.endswith(".")
    assert {"uploaded", "digitised", "issued"} == {*DEPOSITS}


def test_every_alarm_is_explained() -> None:
    assert told("Alarms of /readyz") == {*alarms.CODES}
    for code, (_, stops) in alarms.CODES.items():
        assert (f"**`{code}`**" in PAGE) == stops, code


# The journal -----------------------------------------------------------------------------------------


@cache
def sources() -> list[tuple[Path, ast.AST]]:
    """Every module but those of the demo's story, which have a `noted` of their own."""
    rooms = ("reuse_api", "vault", "signing", "storage", "search")
    files = [file for room in rooms for file in (ROOT / room).rglob("*.py") if file.parent.name != "demo"]
    return [(file, ast.parse(file.read_text("utf-8"))) for file in files]


@cache
def nodes() -> list[tuple[Path, ast.Call | ast.Dict]]:
    return [
        (file, one)
        for file, tree in sources()
        for one in ast.walk(tree)
        if isinstance(one, ast.Call | ast.Dict)
    ]


def calls(*names: str) -> Iterator[tuple[Path, ast.Call]]:
    for file, one in nodes():
        if isinstance(one, ast.Call):
            function = one.func
            called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if called.lstrip("_") in names:
                yield file, one


def events(*names: str) -> set[str]:
    found = set()
    for _, call in calls(*names):
        if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
            found.add(call.args[0].value)
    return found


def test_every_failure_of_the_journal_is_explained() -> None:
    states = {"refused"}  # of a service, which has a method of that name
    written = (events("failed", "tell_failure") | {*FAILING.values(), LOST, "page_failed"}) - states
    assert written == told("Alarms of the journal")


def test_every_other_event_of_the_journal_is_explained() -> None:
    loggers = {"_requests", "_security", "_libraries", "_log"}
    written = events("noted")
    for _, call in calls("info", "warning", "error"):
        owner = getattr(call.func, "value", None)
        if isinstance(owner, ast.Name) and owner.id in loggers:
            assert isinstance(call.args[0], ast.Constant)
            written.add(call.args[0].value)
    assert {"request", "authentication_failed", "serving", "trust_loaded"} <= written
    after = PAGE[PAGE.index("Of level `warning`") : PAGE.index("## Alarm rules")]
    for event in written:
        assert CODE(event) and f"`{event}`" in after, event


@pytest.mark.parametrize("name", ["noted", "failed", "request_done"])
def test_what_is_told_has_an_allowed_name(name: str) -> None:
    for file, call in calls(name):
        named = [one.arg for one in call.keywords if one.arg is not None]
        if name != "failed" or "journal" in ast.dump(call.func) or file.is_relative_to(ROOT / "reuse_api"):
            assert {*named} <= {*FIELDS}, (file, named)


def test_facts_given_to_a_logger_have_allowed_names() -> None:
    count = 0
    for file, one in nodes():
        if isinstance(one, ast.Dict) and any(
            isinstance(key, ast.Constant) and key.value == "facts" for key in one.keys
        ):
            for value in one.values:
                if isinstance(value, ast.Dict) and file.name in ("journal.py", "trust_folder.py"):
                    names = {key.value for key in value.keys if isinstance(key, ast.Constant)}
                    assert names <= {*FIELDS}, (file, names)
                    count += 1
    assert count
