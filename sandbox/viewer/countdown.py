"""A countdown that gives a person time to get ready."""

from sandbox.viewer.session import MAX_TIMEOUT

_FIRST_NUMBER = 3
_SECONDS = 0.5  # for each number


class Countdown:
    """Counts down from three.

    Attributes:
        number: The number that is shown; 0 while no countdown is running.
    """

    def __init__(self) -> None:
        self.number = 0
        self._next: float | None = None  # time of the next number; None: at the next look at the clock

    def start(self) -> None:
        """Start, also while a countdown is running."""
        self.number = _FIRST_NUMBER
        self._next = None

    def stop(self) -> None:
        """End the countdown early."""
        self.number = 0

    def advance(self, now: float) -> bool:
        """Count, and return whether the number has changed."""
        if self.number and self._next is None:
            self._next = now + _SECONDS
        before = self.number
        while self.number and self._next is not None and now >= self._next - 1e-6:  # tolerance for rounding
            self.number -= 1
            self._next += _SECONDS
        return self.number != before

    def timeout(self, now: float) -> float:
        """Return the seconds until `advance` has something to do, at most `MAX_TIMEOUT`."""
        return 0.0 if self._next is None else min(max(self._next - now, 0.0), MAX_TIMEOUT)
