"""The clock of all benchmarks: that of the wall, or of the processor for a machine that is busy with other work."""

from time import perf_counter, process_time


class Clock:
    """A clock that can be exchanged before a benchmark begins."""

    def __init__(self) -> None:
        self.now = perf_counter  # returns seconds

    def use_processor_time(self) -> None:
        """Count the processor's time of this process and of all its threads from now on."""
        self.now = process_time


clock = Clock()
