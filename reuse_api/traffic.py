"""Requests as they were answered, counted by the template of their route: no path, no caller, no id.

Plain numbers, kept while the program runs; reuse_api/metrics.py gives them to whoever measures.
"""

from bisect import bisect_left
from collections import Counter, defaultdict

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds


class Durations:
    """How long requests of one door took: how many up to each bound, and all seconds together."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)  # the last for what took longer than the last bound
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """Take one in."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


class Traffic:
    """Requests by method, door and status, how long they took, and how many are in hand."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, str, int]] = Counter()
        self.durations: defaultdict[tuple[str, str], Durations] = defaultdict(Durations)
        self.in_hand = 0

    def answered(self, method: str, door: str, status: int, seconds: float) -> None:
        """Count one request.

        Args:
            method: one of the known ones, or "?".
            door: the template of its route.
            status: 499 where the client did not wait, 0 where nothing was answered.
        """
        self.answers[method, door, status] += 1
        self.durations[method, door].add(seconds)
