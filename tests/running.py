"""How a run goes: files in memory, the longest first, which took how long, and which parts must be there."""

import gc
import logging
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reuse_api import journal

# Whoever takes the last file keeps the other process waiting for as long as that file takes: so the long ones
# come first, and what is short fills the rest. Order costs nothing where it is wrong.
LONGEST = (
    "tests/flows/test_demo.py",
    "tests/contracts/test_golden_queries.py",
    "tests/faults/test_parts_killed.py",
    "tests/contracts/test_index.py",
    "tests/faults/test_waiting_killed.py",
    "tests/flows/test_search_doors.py",
    "tests/unit/signing/test_workers.py",
    "tests/unit/vault/test_hook_delivering.py",
    "tests/pages/test_signed_files.py",
    "tests/pages/test_hostile_texts.py",
    "tests/pages/test_desk_looks.py",
    "tests/unit/vault/test_migrating.py",
    "tests/unit/vault/test_hooking.py",
    "tests/flows/test_served_figures.py",
    "tests/contracts/test_log_contracts.py",
    "tests/faults/test_thief.py",
    "tests/faults/test_workers_share_an_outbox.py",
    "tests/flows/test_seven_callers.py",
    "tests/contracts/test_seal_keys.py",
    "tests/flows/test_signed_files.py",
    "tests/attacks/test_judged.py",
    "tests/pages/test_desk_deeds.py",
    "tests/flows/test_consent_race.py",
    "tests/flows/test_store_on_s3.py",
    "tests/vectors/test_outside_verifier.py",
    "tests/faults/test_story_killed.py",
    "tests/pages/test_officer_life.py",
    "tests/faults/test_publishing_killed.py",
    "tests/pages/test_wallet_looks.py",
    "tests/flows/test_commands.py",
    "tests/pages/test_audit_looks.py",
    "tests/pages/test_citizen_life.py",
    "tests/unit/signing/test_detached.py",
    "tests/unit/vault/test_renewing.py",
    "tests/outside/test_outsiders_agree.py",
    "tests/pages/test_auditor_life.py",
)
# What takes a third of the time: `make test-more` has it, and so has
# `.ci/run`. A folder, or a file.
MORE = (
    "tests/backups/",
    "tests/faults/",
    "tests/flows/test_demo.py",
    "tests/flows/test_served_figures.py",
    "tests/flows/test_seven_callers.py",
    "tests/flows/test_signed_files.py",
    "tests/flows/test_store_on_s3.py",
    "tests/flows/test_work_commands.py",
    "tests/pages/test_admin_looks.py",
    "tests/pages/test_audit_looks.py",
    "tests/pages/test_auditor_life.py",
    "tests/pages/test_citizen_life.py",
    "tests/pages/test_desk_looks.py",
    "tests/pages/test_desk_scanning.py",
    "tests/pages/test_hostile_texts.py",
    "tests/pages/test_officer_life.py",
    "tests/pages/test_wallet_looks.py",
    "tests/unit/reuse_api/test_spoken_results.py",
    "tests/unit/signing/test_workers.py",
    "tests/unit/vault/test_could_not_be_examined.py",
    "tests/unit/vault/test_hook_delivering.py",
    "tests/unit/vault/test_parts.py",
    "tests/unit/vault/test_renewing.py",
)
PARTS = "PARTS_OF_THIS_MACHINE"  # names of parts that this machine has, between blanks: "postgresql chromium"
_SHOWN = 10
_MEMORY, _ROOM = Path("/dev/shm"), 4 * 2**30  # bytes
_WHERE = "PYTEST_DEBUG_TEMPROOT"


def pytest_configure(config: pytest.Config) -> None:
    """Keep the tests' files in memory, where there is such a place with room: a vault has 256 folders.

    `_WHERE` names another place, as `make test-long` does: a real disk.
    """
    if config.option.basetemp is None and _WHERE not in os.environ and _roomy():
        os.environ[_WHERE] = str(_MEMORY)


def _roomy() -> bool:
    if not (_MEMORY.is_dir() and os.access(_MEMORY, os.W_OK | os.X_OK)):
        return False
    told = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(told.get("MemAvailable", "0 kB").split()[0]) * 1024
    return min(available, shutil.disk_usage(_MEMORY).free) > _ROOM


@pytest.hookimpl(tryfirst=True)  # before those that an `-m` leaves out are left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for one in items:
        if one.nodeid.startswith(MORE):
            one.add_marker("more")
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda one: place.get(one.nodeid.partition("::")[0], len(LONGEST)))


def pytest_collection_finish() -> None:
    """What was loaded stays: whoever looks for garbage from now on need not look through it each time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """A test that is skipped for a part that this machine has fails: every reason names its part."""
    report = yield
    if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
        why = report.longrepr[2]
        had = [one for one in os.environ.get(PARTS, "").lower().split() if one in why.lower()]
        if had:
            report.outcome = "failed"
            report.longrepr = f"{PARTS} says that this machine has {had[0]}. {why}"
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell the slowest files, if there is more than one page of them."""
    seconds: Counter[str] = Counter()
    for kind in ("passed", "failed", "error", ""):
        for report in terminalreporter.stats.get(kind, ()):
            seconds[report.nodeid.partition("::")[0]] += getattr(report, "duration", 0.0)
    if len(seconds) > _SHOWN:
        terminalreporter.write_line(f"the {_SHOWN} slowest of {len(seconds)} files, in seconds:")
        for name, took in seconds.most_common(_SHOWN):
            terminalreporter.write_line(f"{took:8.1f}  {name}")


@pytest.fixture(autouse=True)
def _journal_put_back() -> Iterator[None]:
    """Close the journal that a command opened in this process: the next test's stderr is its own."""
    top = logging.getLogger()
    levels = {one: one.level for one in (top, logging.getLogger(journal.ROOT))}
    before, access = list(journal._opened), logging.getLogger("uvicorn.access").disabled
    yield
    opened = [one for one in journal._opened if one not in before]
    if opened:
        for handler in opened:
            top.removeHandler(handler)
            handler.close()
        journal._opened[:] = before
        for one, level in levels.items():
            one.setLevel(level)
        logging.getLogger("uvicorn.access").disabled = access
