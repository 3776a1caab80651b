"""Where tesseract runs: no network, no file but its own program, libraries and data, bounded in every way.

Started as a fresh program with an empty environment; the picture is its standard input, what it read its
standard output. It binds itself and then becomes tesseract.
"""

import ctypes
import os
import resource
import sys
from pathlib import Path

from signing.confinement import cut_files, cut_network

MEMORY_BYTES = 1536 * 1024 * 1024
CPU_SECONDS = 20
_DESCRIPTORS = 48
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SIGKILL = 9
_LIBRARIES = ("/usr/lib", "/usr/local/lib", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/null")


def main() -> None:
    """Become tesseract; arguments: its program, the folder of its data, dots an inch of the picture."""
    program, data, dpi = sys.argv[1:4]
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform.startswith("linux"):
        libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    cut_network(libc)
    cut_files(libc, [one for one in map(Path, (program, data, *_LIBRARIES)) if one.exists()])
    bounds = (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_NOFILE, _DESCRIPTORS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, most in bounds:
        resource.setrlimit(kind, (most, most))
    asked = ["stdin", "stdout", "-l", "vie", "--psm", "3", "--dpi", dpi, "-c", "tessedit_create_tsv=1"]
    environment = {"TESSDATA_PREFIX": data, "OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8"}
    os.execve(program, [program, *asked], environment)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
