"""What a process that parses foreign bytes is cut off from: the network, and files by their names.

Both are done once, in the nursery, and hold for every worker that it raises. What is already open stays open.
Where the system does not allow one of them, the pool says so and the work goes on without it.
"""

import ctypes
import os
import struct
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path

_ON_LINUX = sys.platform.startswith("linux")
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_NO_NEW_PRIVS = 38

# Landlock (linux/landlock.h); the numbers of its calls are the same on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1  # flag of _CREATE_RULESET: tell the version instead
_PATH_BENEATH = 1
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_TCP = 0b11  # bind and connect
_SCOPES = 0b11  # abstract sockets and signals of others
# How many kinds of access to files each version knows; all of them are handled, that is: denied.
_KINDS = {1: 13, 2: 14, 3: 15, 4: 15}
_KINDS_NOW = 16
# Text that names a font without holding it is drawn with the system's fonts; times are written in a zone.
_SHARED = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("/usr/share/zoneinfo"))

_RANDOM = Path("/dev/urandom")  # without it, qpdf cannot even tell that a file is locked


def cut_network(libc: ctypes.CDLL) -> bool:
    """Leave the network for good, children included; tell whether the system allowed it."""
    if not _ON_LINUX:
        return False
    return bool(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0 or libc.unshare(_CLONE_NEWNET) == 0)


def cut_files(libc: ctypes.CDLL, program: Sequence[Path] = ()) -> bool:
    """Give up opening files for good, children included; tell whether that is so.

    What stays readable is what libraries need late: Python's own folders, this package, fonts, time zones,
    random bytes. Where a `program` is named, it and the folders behind it can be read and run, nothing else.
    """
    if not _ON_LINUX:
        return False
    version = libc.syscall(_CREATE_RULESET, None, 0, _VERSION)
    if version < 1:
        return False
    handled = (1 << _KINDS.get(version, _KINDS_NOW)) - 1
    attributes = struct.pack("=QQQ", handled, _TCP, _SCOPES)
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = libc.syscall(_CREATE_RULESET, attributes, size, 0)
    if rules < 0:
        return False
    try:
        for folder in program or _readable():
            _allow(libc, rules, folder, _EXECUTE if program else 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return bool(libc.syscall(_RESTRICT_SELF, rules, 0) == 0) and _shut(Path("/"))
    finally:
        os.close(rules)


def _readable() -> Iterable[Path]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    found = {Path(sysconfig.get_path(name)) for name in names}
    return [one for one in (*found, Path(__file__).parent, *_SHARED, _RANDOM) if one.exists()]


def _allow(libc: ctypes.CDLL, rules: int, folder: Path, more: int) -> None:
    descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        kinds = _READ_FILE | _READ_DIR if folder.is_dir() else _READ_FILE
        rule = struct.pack("=Qi", kinds | more, descriptor)
        libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)


def _shut(folder: Path) -> bool:
    """Try it: a promise of the system's is believed once it was kept."""
    try:
        os.close(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except PermissionError:
        return True
    return False
