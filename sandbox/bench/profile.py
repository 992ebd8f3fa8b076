"""Profile: the share of the time that operators take in training DQN, an RBM and DCGAN as `dqn`, `rbm` and `gan` do.

The time is the processor's inside PyTorch's operators, acting and sampling included; the first rows of each training
take the most. `rest` is what all other operators take.
"""

from collections.abc import Iterator

from torch.profiler import ProfilerActivity, profile

from sandbox.bench import dqn, gan, rbm
from sandbox.bench._measure import Row
from sandbox.core.compute import PrecisionName, bf16_pays, choose
from sandbox.training.loop import Run

BATCH, TURNS, SHOWN = 100, 20, 7  # images of an update; updates; operators that have a row


def rows() -> Iterator[Row]:
    """Measure the shares of the operators, in percent."""
    device = choose("cpu").device
    precisions: tuple[PrecisionName, ...] = ("fp32", "bf16") if bf16_pays(device) else ("fp32",)
    for precision in precisions:
        compute = choose("cpu", precision)
        yield from _shares(f"DQN, {precision}", dqn.training_run(compute))
        yield from _shares(f"RBM, {precision}", rbm.training_run(rbm.random_images(), BATCH, compute))
        yield from _shares(f"DCGAN, {precision}", gan.training_run(gan.random_images(), BATCH, compute))


def _shares(what: str, run: Run) -> Iterator[Row]:
    steps = run.steps()
    for _ in range(2):
        next(steps)
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(TURNS):
            next(steps)
    spent = {event.key: event.self_cpu_time_total for event in profiled.key_averages()}
    total = sum(spent.values())
    largest = sorted(spent, key=spent.__getitem__, reverse=True)[:SHOWN]
    for name in largest:
        yield Row(f"{what}: {name.removeprefix('aten::')}", "%", 100 * spent[name] / total)
    yield Row(f"{what}: rest", "%", 100 * (1 - sum(spent[name] for name in largest) / total))
