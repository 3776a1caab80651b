"""Other people's judges of our files: veraPDF (PDF/A), qpdf (structure), pdfsig (digest of a signature).

None of them is needed to run Kho. What a machine lacks is skipped by name, never silently.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

_SOURCE = Path(__file__).parent / "verapdf"
_OLDEST_JAVA = 17
_QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # it runs for seconds
_BUILDING = 200  # seconds for Maven to bring what is missing, the first time
_JUDGING = 120  # seconds for all the files of one call


@dataclass(frozen=True)
class Judged:
    """What veraPDF says of one file: the level it claims ("2b", "none"), and the rules it breaks."""

    level: str
    compliant: bool
    broken: str


def verapdf(files: Sequence[Path]) -> dict[Path, Judged]:
    """Have files judged against the PDF/A level each claims, all of them by one process of Java.

    Skips the test, and says what is missing, where Java 17 (with its compiler) or Maven cannot be had.
    """
    home = _built()
    if isinstance(home, str):
        pytest.skip(home)
    done = subprocess.run(
        [
            "java",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-cp",
            f"{home}{os.pathsep}{home}/lib/*",
            "Check",
        ],
        input="".join(f"{one}\n" for one in files),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        timeout=_JUDGING,
    )
    told = {}
    for line in done.stdout.splitlines():
        name, level, compliant, broken = line.split("\t")
        told[Path(name)] = Judged(level, compliant == "true", broken)
    assert set(told) == set(files), "veraPDF left files out"
    return told


def qpdf_finds(file: Path) -> str:
    """Give what `qpdf --check` says of a file; empty when it finds nothing. Skips where there is no qpdf."""
    done = _run("qpdf", "--check", "--no-warn", str(file))
    warned = _run("qpdf", "--check", str(file))
    clean = done.returncode == warned.returncode == 0
    return "" if clean else (warned.stderr or warned.stdout)


def pdfsig_says(file: Path) -> str:
    """Give what `pdfsig` says of a file's signatures, without certificates. Skips where there is none."""
    return _run("pdfsig", "-nocert", str(file)).stdout


def _run(tool: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    return subprocess.run(
        [tool, *arguments], capture_output=True, text=True, errors="replace", check=False, timeout=_JUDGING
    )


@cache
def _built() -> Path | str:
    """Give the folder with veraPDF and our call of it, built on first use; or why it cannot be had."""
    missing = _missing()
    if missing:
        return missing
    cached = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kho-tests"
    source = b"".join(one.read_bytes() for one in sorted(_SOURCE.iterdir()))
    home = cached / f"verapdf-{sha256(source).hexdigest()[:16]}"
    try:
        cached.mkdir(parents=True, exist_ok=True)
        with open(cached / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not home.exists():
                _build(home)
    except (OSError, subprocess.SubprocessError) as problem:
        return f"veraPDF could not be built with Maven: {_short(problem)}"
    return home


def _missing() -> str:
    for tool in ("java", "javac", "mvn"):
        if shutil.which(tool) is None:
            return f"veraPDF needs Java {_OLDEST_JAVA} and Maven: {tool} is not installed"
    told = subprocess.run(["javac", "-version"], capture_output=True, text=True, check=False, timeout=30)
    version = re.search(r"javac (\d+)", told.stdout + told.stderr)
    if version is None or int(version[1]) < _OLDEST_JAVA:
        return f"veraPDF needs Java {_OLDEST_JAVA}: javac says {(told.stdout + told.stderr).strip()!r}"
    return ""


def _build(home: Path) -> None:
    """Have Maven bring veraPDF, compile our call of it, and show the folder only when both are done."""
    _progress(f"Getting veraPDF with Maven into {home} (about a minute, once) ...")
    unfinished = home.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(_SOURCE, unfinished)
    try:
        _step(unfinished, "mvn", "-B", "-q", "dependency:copy-dependencies", "-DoutputDirectory=lib")
        _step(unfinished, "javac", "-encoding", "UTF-8", "-cp", "lib/*", "Check.java")
        unfinished.rename(home)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _step(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=_BUILDING)


def _short(problem: Exception) -> str:
    told = getattr(problem, "stdout", None) or getattr(problem, "stderr", None) or str(problem).encode()
    return " ".join(bytes(told).decode(errors="replace").split())[:200]


def _progress(line: str) -> None:
    """Write to the terminal itself: pytest keeps what tests print."""
    try:
        with open("/dev/tty", "w", encoding="utf-8") as terminal:
            terminal.write(f"\n{line}\n")
    except OSError:
        print(line, file=sys.__stderr__)
