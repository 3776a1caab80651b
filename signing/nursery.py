"""The process that raises workers: it has the libraries loaded, forks one worker a file and reaps it.

Started by workers.py as a fresh program with an empty environment, so that neither keys nor sockets of the
main program are ever in it. Its standard input is a Unix socket: each byte there comes with two descriptors,
the conversation with whoever asked and the file to look into. When that socket ends, everything here ends.

A worker reads one request line (JSON) and writes one result line; then the nursery adds a line that says how
the worker ended, and hangs up.
"""

import contextlib
import ctypes
import errno
import gc
import importlib
import json
import logging
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from signing.confinement import cut_files, cut_network
from signing.detached import examine_detached
from signing.examining import examine_file
from signing.file_types import load_magic
from signing.lasting import stamp_lasts
from signing.rendering import draw_page
from signing.rewriting import REWRITING, rewrite_file
from signing.scan_measuring import measure_scan
from signing.text_layer import read_words
from signing.trial_drawing import draw_on_trial
from signing.xml_signatures import examine_xml

EXIT_MEMORY = 3
EXIT_BROKEN = 4
_TASKS = {
    "examine": examine_file,
    "examine_detached": examine_detached,
    "examine_xml": examine_xml,
    "picture": draw_page,
    "measure": measure_scan,
    "words": read_words,
    "lasts": stamp_lasts,
    "draw": draw_on_trial,
}
_LONGEST_REQUEST = 48 * 1024 * 1024  # bytes: anchors, and the proofs that were fetched, as base64
_CHUNK = 65_536  # bytes
_LEAST_MEMORY = 4 * 2**20  # bytes that a worker must be able to take when it begins
_DESCRIPTORS = 48
# What the libraries load late: a worker short of memory must not fail at that and blame the file.
_LOADED_LATE = (
    "cryptography.hazmat.backends.openssl.backend",
    "pyhanko.pdf_utils.filters",
    "pyhanko.pdf_utils.metadata.xmp_xml",
)
_LONGEST_NAP = 60_000.0  # milliseconds
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_ON_LINUX = sys.platform.startswith("linux")


@dataclass
class _Worker:
    conversation: socket.socket
    deadline: float  # monotonic seconds
    late: bool = False
    last: bytes = b""  # the line that tells how it ended, while its answer still fills the conversation


class _Nursery:
    def __init__(
        self, control: socket.socket, limits: Mapping[str, int], libc: ctypes.CDLL, nothing: int
    ) -> None:
        self._control = control
        self._nothing = nothing  # the null device: no name can be opened any more
        self._limits = limits
        self._libc = libc
        self._workers: dict[int, _Worker] = {}
        self._leaving: list[_Worker] = []
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._awake, wake = os.pipe()
        for end in (self._awake, wake):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._poll.register(self._awake, select.POLLIN)

    def run(self) -> None:
        """Serve until the control socket ends; then no worker is left."""
        while True:
            events = dict(self._poll.poll(self._patience()))
            if self._awake in events:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._awake, 4096)
            self._stop_abandoned(events)
            self._stop_late()
            self._reap()
            self._leaving = [worker for worker in self._leaving if not self._has_left(worker)]
            if self._control.fileno() in events and not self._accept():
                break
        for pid in self._workers:
            os.kill(pid, signal.SIGKILL)
        for pid in self._workers:
            os.waitpid(pid, 0)

    def _patience(self) -> float | None:
        if not self._workers:
            return None
        first = min(worker.deadline for worker in self._workers.values())
        return min(_LONGEST_NAP, max(0.0, first - time.monotonic()) * 1000 + 5)  # no deadline may be left

    def _accept(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self._control, 1, 2)
        if not message:
            return False
        if len(descriptors) != 2:
            for descriptor in descriptors:
                os.close(descriptor)
            return True  # whoever asked sees the conversation end
        conversation, file = socket.socket(fileno=descriptors[0]), descriptors[1]
        pid = os.fork()
        if pid == 0:
            self._become_worker(conversation, file)
        os.close(file)
        self._workers[pid] = _Worker(conversation, time.monotonic() + self._limits["wall_seconds"])
        self._poll.register(conversation, 0)  # only its end is of interest here
        return True

    def _become_worker(self, conversation: socket.socket, file: int) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            for other in self._workers.values():
                other.conversation.close()
            confine(self._limits, self._libc, self._nothing)
            bytearray(_LEAST_MEMORY)  # without it we say so ourselves: a native library would abort
            _work(conversation, file)
        except BaseException as error:
            short = isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM
            os._exit(EXIT_MEMORY if short else EXIT_BROKEN)
        os._exit(0)

    def _stop_abandoned(self, events: Mapping[int, int]) -> None:
        for pid, worker in self._workers.items():
            if events.get(worker.conversation.fileno(), 0) & (select.POLLHUP | select.POLLERR):
                os.kill(pid, signal.SIGKILL)
                self._poll.unregister(worker.conversation)
                worker.deadline = float("inf")

    def _stop_late(self) -> None:
        now = time.monotonic()
        for pid, worker in self._workers.items():
            if worker.deadline <= now:
                worker.late = True
                worker.deadline = float("inf")
                os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        while self._workers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            worker = self._workers.pop(pid)
            with contextlib.suppress(KeyError):
                self._poll.unregister(worker.conversation)
            ended = {"exit": os.waitstatus_to_exitcode(status), "late": worker.late}
            with contextlib.suppress(OSError):  # a request left unread would reset the connection
                while worker.conversation.recv(_CHUNK, socket.MSG_DONTWAIT):
                    pass
            worker.last = json.dumps(ended).encode() + b"\n"
            self._poll.register(worker.conversation, select.POLLOUT)
            self._leaving.append(worker)

    def _has_left(self, worker: _Worker) -> bool:
        """Say how a worker ended, once its long answer has been read so far that the line fits."""
        try:
            worker.conversation.send(worker.last, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:  # whoever asked has gone
            pass
        self._poll.unregister(worker.conversation)
        worker.conversation.close()
        return True


def confine(limits: Mapping[str, int], libc: ctypes.CDLL, nothing: int) -> None:
    """Bind a fresh worker: no life of its own, nothing on its standard streams, no more than its limits."""
    if _ON_LINUX:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    seconds = limits["cpu_seconds"]
    # A second between soft and hard, so that the end of the processor's time shows as SIGXCPU, not SIGKILL.
    _limit(resource.RLIMIT_CPU, seconds, seconds + 1)
    _limit(resource.RLIMIT_CORE, 0, 0)
    _limit(resource.RLIMIT_FSIZE, 0, 0)
    _limit(resource.RLIMIT_NOFILE, _DESCRIPTORS, _DESCRIPTORS)
    _limit(resource.RLIMIT_AS, limits["memory_bytes"], limits["memory_bytes"])


def _limit(kind: int, soft: int, hard: int) -> None:
    allowed = resource.getrlimit(kind)[1]
    if allowed != resource.RLIM_INFINITY:
        soft, hard = min(soft, allowed), min(hard, allowed)
    resource.setrlimit(kind, (soft, hard))


def _work(conversation: socket.socket, file: int) -> None:
    with conversation.makefile("rb") as incoming:
        request = json.loads(incoming.readline(_LONGEST_REQUEST))
    with os.fdopen(file, "rb") as stream:
        if request["task"] in REWRITING:
            result, body = rewrite_file(stream, request)
            result["length"] = len(body)
        else:
            result, body = _TASKS[request["task"]](stream, request), b""
    conversation.sendall(json.dumps(result).encode() + b"\n")
    conversation.sendall(body)


def main() -> None:
    """Run the nursery; the one argument is JSON: memory_bytes, cpu_seconds, wall_seconds."""
    logging.disable(logging.CRITICAL)  # what libraries say about a file may name persons
    limits = json.loads(sys.argv[1])
    for module in _LOADED_LATE:
        importlib.import_module(module)
    libc = ctypes.CDLL(None, use_errno=True)
    control = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    magic = load_magic()  # before its database can be opened no more
    cut = {"magic": magic, "network_cut": cut_network(libc), "files_cut": cut_files(libc)}
    control.sendall(json.dumps(cut).encode() + b"\n")
    gc.freeze()
    _Nursery(control, limits, libc, nothing).run()


if __name__ == "__main__":
    main()
