"""The demo as a newcomer meets it: `kho demo`, the README's own lines, kept and broken folders."""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from signing.anchors import TEST_LABEL
from signing.trust_folder import TrustFolder

ROOT = Path(__file__).parents[2]
KHO = Path(sys.executable).with_name("kho")


class Demo:
    """One place to run the demo in, as if it were a clone: `.venv` and `var` beside each other."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / ".venv").symlink_to(Path(sys.executable).parents[1])
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def start(self, *arguments: str, lang: str = "en") -> "subprocess.Popen[str]":
        command = [str(KHO), "demo", "--port", str(self.port), "--lang", lang, *arguments]
        return subprocess.Popen(
            command, cwd=self.place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def once(self, lang: str = "en") -> tuple[int, str]:
        with self.start("--once", lang=lang) as running:
            told, _ = running.communicate(timeout=120)
            return running.returncode, told


def serving(running: "subprocess.Popen[str]") -> list[str]:
    """Read the story until the demo serves."""
    assert running.stdout is not None
    lines = []
    for line in running.stdout:
        lines.append(line.rstrip())
        if "curl" in line:
            return lines
    raise AssertionError("\n".join(lines))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    place = Demo(tmp_path_factory.mktemp("clone"))
    yield place
    shutil.rmtree(place.place, ignore_errors=True)


@pytest.fixture
def kept(demo: Demo) -> Demo:
    """The demo with its vault: the one that another test has made, or one made now."""
    if not (demo.place / "var/demo/rows.db").exists():
        status, told = demo.once()
        assert status == 0, told
    return demo


def test_the_story_is_told_then_served_and_the_readme_lines_work(demo: Demo) -> None:
    running = demo.start()
    try:
        told = "\n".join(serving(running))
        assert "1.004884" in told and "G01.26.05-" in told
        assert not re.search(r"^\{", told, re.MULTILINE), "the terminal tells the story, no journal"
        blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
        assert len(blocks) == 2
        script = "\n".join(["set -eu -o pipefail", *blocks])
        script = script.replace("http://127.0.0.1:8080", f"http://127.0.0.1:{demo.port}")
        done = subprocess.run(
            ["bash", "-c", script], cwd=demo.place, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert '"state": "satisfied"' in done.stdout
        assert (demo.place / "var/certificate.pdf").read_bytes().startswith(b"%PDF-")
        trusted = TrustFolder(demo.place / "var/demo/trust").current()
        assert trusted.faults == ()
        labels = {(one.label_vi, one.label_en) for one in trusted.anchors}
        assert labels == {TEST_LABEL}, "the command names the root as pages do"
        codes = used_codes(demo, running, told)
    finally:
        running.send_signal(signal.SIGINT)
        rest, _ = running.communicate(timeout=60)
    assert running.returncode == 0, rest
    assert rest.strip() == "Stopped.", "a code that was replaced brings no third"
    journal = (demo.place / "var/demo/journal.jsonl").read_text("utf-8")
    assert "authentication_failed" in journal
    assert [code for code in codes if code in journal] == []


def used_codes(demo: Demo, running: "subprocess.Popen[str]", told: str) -> list[str]:
    """Use the codes that the story ends with: each is followed by a fresh one. Gives them all."""
    codes = []
    for name in ("Nguyễn Minh Anh", "the auditor"):
        code = re.search(f"One-time code for {name}: ([0-9a-f-]+)", told)
        assert code is not None
        for attempt, status in ((code[1], 303), (code[1], 422)):
            form = {"code": attempt}
            reply = httpx.post(f"http://127.0.0.1:{demo.port}/sign-in", data=form, timeout=60)
            assert reply.status_code == status
        codes += [code[1], fresh_code(running, name)]
    assert len(set(codes)) == len(codes)
    return codes


def test_a_sigterm_in_the_middle_of_the_story_ends_it_like_ctrl_c(kept: Demo) -> None:
    running = kept.start()
    assert running.stdout is not None
    begun = next((line for line in running.stdout if re.match(r" *3\. ", line)), None)
    running.send_signal(signal.SIGTERM)
    rest, _ = running.communicate(timeout=60)
    assert (begun is not None, running.returncode) == (True, 0), rest
    assert rest.strip().endswith("Stopped.") and "Traceback" not in rest


def fresh_code(running: "subprocess.Popen[str]", name: str) -> str:
    """Read the fresh code that the terminal prints next."""
    assert running.stdout is not None
    found = re.fullmatch(f" +A fresh code for {name}: ([0-9a-f-]+)\n", running.stdout.readline())
    assert found is not None
    return found[1]


def test_a_kept_vault_grows_the_same_log_and_speaks_vietnamese(kept: Demo) -> None:
    status, told = kept.once(lang="vi")
    assert status == 0, told
    grown = re.search(r"Nhật ký chỉ dài thêm: (\d+) mục trước, (\d+) mục nay", told)
    assert grown is not None, told
    assert int(grown[2]) > int(grown[1]) > 0


def test_inspect_finds_rows_blobs_and_tree_in_agreement(kept: Demo) -> None:
    places = {
        "KHO_DATABASE": "var/demo/rows.db",
        "KHO_STORE": "folder:var/demo/blobs",
        "KHO_KEYS": "var/demo-keys",
        "KHO_LOG_FOLDER": "var/demo/log",
        "KHO_SCRATCH": "var/demo/scratch",
    }
    done = subprocess.run(
        [str(KHO), "inspect"],
        cwd=kept.place,
        env=os.environ | places,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_keys_are_for_us_alone(kept: Demo) -> None:
    keys = kept.place / "var/demo-keys"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    modes = {stat.S_IMODE(one.stat().st_mode) for one in keys.rglob("*") if one.is_file()}
    assert modes == {0o600}
    demo = kept.place / "var/demo"
    shown = {one for one in demo.rglob("*") if one.stat().st_mode & 0o077 and one.is_file()}
    assert {one.relative_to(demo).parts[0] for one in shown} == {"log"}, (
        "the published log alone is for others"
    )


@pytest.mark.parametrize("gone", [pytest.param("demo", marks=pytest.mark.long), "demo-keys"])
def test_one_half_without_the_other_is_refused_naming_both(kept: Demo, gone: str) -> None:
    hidden = kept.place / "var" / f"{gone}.hidden"
    (kept.place / "var" / gone).rename(hidden)
    try:
        status, told = kept.once()
        assert status == 1
        assert "var/demo" in told and "var/demo-keys" in told and "Traceback" not in told
        assert len(told.strip().splitlines()) == 1
        assert not (kept.place / "var" / gone).exists()
    finally:
        hidden.rename(kept.place / "var" / gone)


def test_a_taken_port_is_one_clear_line(demo: Demo) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with demo.start("--once", "--port", port) as running:
            told, _ = running.communicate(timeout=60)
    assert running.returncode == 1
    assert len(told.strip().splitlines()) == 1 and port in told


def test_keys_that_others_can_read_are_refused(kept: Demo) -> None:
    master = kept.place / "var/demo-keys/master.key"
    master.chmod(0o640)
    try:
        status, told = kept.once()
        assert status == 1
        assert "master.key" in told and len(told.strip().splitlines()) == 1
    finally:
        master.chmod(0o600)
