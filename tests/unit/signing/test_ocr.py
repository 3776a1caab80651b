"""Reading letters with the real tesseract, in its room; and what is said where it is not installed."""

import asyncio
import errno
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from signing import ocr
from signing.ocr import Ocr
from signing.reading import suggestions
from signing.scan_reading import page_to_read, without_grain
from tests.scans import making

pytestmark = pytest.mark.anyio
# As the room does, but for the program's arguments.
ENTER = """
import os, sys, sysconfig
from signing import ocr_room
ocr_room._LIBRARIES += (sysconfig.get_path("stdlib"),)
enter = os.execve
sys.argv = ["room", sys.argv[1], sys.argv[2], "200"]
own = [sys.argv[1], "-I", "-S", "-B", sys.argv[2] + "/tries.py"]
os.execve = lambda program, _, environment: enter(program, own, environment)
ocr_room.main()
"""


@pytest.fixture
def tesseract() -> Ocr:
    found = Ocr.found()
    if found.state != "ready":
        pytest.skip(f"tesseract with its Vietnamese data: {found.state} (tesseract-ocr, tesseract-ocr-vie)")
    return found


def page(tmp_path: Path, picture: Image.Image) -> tuple[Path, int]:
    told, content = page_to_read(BytesIO(making.as_pdf(picture)), {"page": 1, "paper_sizes": making.SIZES})
    path = tmp_path / "page.pgm"
    path.write_bytes(content)
    return path, told["dpi"]


async def test_a_grained_tilted_certificate_is_read_and_suggests(tesseract: Ocr, tmp_path: Path) -> None:
    path, dpi = page(tmp_path, making.grained(making.drawn(200, 1.0)))
    assert dpi == 200
    read = await tesseract.read(path, 1, dpi)
    assert read.failure == "" and not read.needs_person and len(read.words) > 100
    found = {one.field: one for one in suggestions([read], {"GKS": "Giấy khai sinh"})}
    assert found["number"].value == "118/2026" and found["type"].value == "GKS"
    assert found["issued_on"].value == "2026-11-20"
    assert 8000 < found["number"].left < 8700 and 1900 < found["number"].top < 2100


async def test_no_page_takes_longer_than_it_may(tesseract: Ocr, tmp_path: Path) -> None:
    path, dpi = page(tmp_path, making.drawn(200))
    read = await tesseract.read(path, 3, dpi, seconds=0.2)
    assert (read.number, read.failure, read.words) == (3, "ocr_timeout", ()) and read.needs_person


async def test_the_wait_for_a_processor_counts(tesseract: Ocr, tmp_path: Path) -> None:
    path, dpi = page(tmp_path, making.drawn(200))
    for _ in range(ocr.processors()):
        await tesseract._free.acquire()
    async with asyncio.timeout(5):
        assert (await tesseract.read(path, 1, dpi, seconds=0.1)).failure == "ocr_timeout"


async def test_what_is_no_picture_is_not_read(tesseract: Ocr, tmp_path: Path) -> None:
    path = tmp_path / "page.pgm"
    path.write_bytes(b"P5\n99999 99999\n255\nnothing")
    read = await tesseract.read(path, 1, 200)
    assert read.failure == "ocr_failed" or read.words == ()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the room's walls are Linux's")
def test_its_room_opens_no_file_but_its_own_and_no_way_out(tmp_path: Path) -> None:
    """What would be tesseract is Python here, so that it can try; its data is a script that does."""
    program, data, secret = Path(sys.executable).resolve(), tmp_path / "data", tmp_path / "secret"
    data.mkdir()
    secret.write_text("secret")
    tried = f"""
import os, socket, subprocess
def told(what, act):
    try:
        act()
        print(what, "done")
    except OSError as problem:
        print(what, problem.errno)
told("own", lambda: open({str(data / "own")!r}).read())
told("secret", lambda: open({str(secret)!r}).read())
told("passwd", lambda: open("/etc/passwd").read())
told("write", lambda: open({str(data / "new")!r}, "w"))
told("run", lambda: subprocess.run(["/bin/ls"]))
told("net", lambda: socket.create_connection(("127.0.0.1", 9), 1))
"""
    (data / "own").write_text("own")
    (data / "tries.py").write_text(tried)
    done = subprocess.run(
        [sys.executable, "-c", ENTER, str(program), str(data)],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    outcome = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    if outcome.get("passwd") == "done":
        pytest.skip("this system has no Landlock: files cannot be cut off")
    denied = str(errno.EACCES)
    assert outcome.get("own") == "done", done.stderr
    assert [outcome[one] for one in ("secret", "passwd", "write", "run")] == [denied] * 4
    assert outcome["net"] in (denied, str(errno.ENETUNREACH))


async def test_where_it_is_not_installed_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Ocr(None, None).state == "not_installed"
    assert Ocr(Path("/usr/bin/tesseract"), None).state == "no_vietnamese"
    assert (await Ocr(None, None).read(tmp_path / "x", 1, 200)).failure == "ocr_failed"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Ocr.found().state == "not_installed"
    for says, state in (
        ("echo 'List of available languages in \"/data/\" (1):'; echo eng", "no_vietnamese"),
        ("echo 'List of available languages in \"/data/\" (2):'; echo eng; echo vie", "ready"),
        ("exit 1", "not_installed"),
    ):
        program = tmp_path / "tesseract"
        program.write_text(f"#!/bin/sh\n{says}\n")
        program.chmod(0o700)
        assert Ocr.found().state == state


def test_grain_is_smoothed_and_clean_pages_are_left_alone() -> None:
    clean = making.drawn(200).convert("L")
    assert without_grain(clean).tobytes() == clean.tobytes()
    specked = making.grained(making.drawn(100)).convert("L")
    smooth = without_grain(specked)
    dark = sum(making.blank(100).convert("L").histogram()[:128])
    assert dark == 0 and sum(smooth.histogram()[:100]) < sum(specked.histogram()[:100]) * 0.75
    noisy = Image.frombytes("L", (400, 400), os.urandom(160_000))
    assert without_grain(noisy).tobytes() != noisy.tobytes()


def test_a_table_that_is_not_as_agreed_gives_no_words() -> None:
    head = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"
    size = "1\t1\t0\t0\t0\t0\t0\t0\t1000\t2000\t-1\t\n"
    word = "5\t1\t1\t1\t{line}\t1\t100\t200\t50\t20\t{sure}\t{text}\n"
    good = (
        head
        + size
        + word.format(line=1, sure=91.5, text="Số:")
        + word.format(line=2, sure=250, text="\u202e1")
    )
    first, second = ocr._words(good)
    assert (first.left, first.top, first.width, first.height, first.line) == (1000, 1000, 500, 100, 0)
    assert (second.confidence, second.text, second.line) == (100.0, "1", 1)
    for bad in ("", head, head + word.format(line=1, sure=9, text="x"), head + size.replace("1000", "0")):
        assert ocr._words(bad) == ()
    for line in (
        word.format(line=1, sure="nan", text="x"),
        word.format(line=1, sure=9, text=" "),
        "5\tx\n",
        size.replace("1\t1", "5\t1", 1).replace("\t-1\t", "\t9\tx").replace("2000", "999999"),
    ):
        assert ocr._words(head + size + line) == ()
