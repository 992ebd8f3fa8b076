"""A look at single updates, for the log: gradient norms, and dead or saturated units."""

from contextlib import ExitStack
from typing import Any

import torch

from sandbox.core.cuda_graph import paused_graphs
from sandbox.core.stateful import Stateful
from sandbox.interfaces.learner import Learner, Metrics
from sandbox.interfaces.stream import Stream
from sandbox.networks.trained import trained_networks
from sandbox.networks.unit_watch import UnitWatch
from sandbox.optimizers.base import Optimizer
from sandbox.optimizers.gradient_norm import GradientNorm
from sandbox.optimizers.rule_state import RuleState
from sandbox.training.loop import Periods, crossed


class UpdateWatch:
    """Updates a learner and measures what `update` does not return; the numbers of the training stay the same.

    The metrics are `gradient_norm`, `units/dead` and `units/saturated`. The name of a part follows, as in
    `gradient_norm/generator`, unless the part is called `optimizer` or `network`.
    """

    def __init__(self) -> None:
        self._found: dict[str, torch.Tensor] = {}

    def update(self, learner: Learner, batch: Any) -> Metrics:
        """Update the learner, and keep what is found for `take`. Nothing waits for the device."""
        parts = learner.parts().items()
        norms = {name: GradientNorm(part) for name, part in parts if isinstance(part, Optimizer | RuleState)}
        with paused_graphs(), UnitWatch(trained_networks(learner.parts())) as units, ExitStack() as stack:
            for norm in norms.values():
                stack.enter_context(norm)
            metrics = learner.update(batch)
        self._found = {
            _named("gradient_norm", name.removesuffix("_optimizer"), "optimizer"): norm.norm
            for name, norm in norms.items()
            if norm.norm is not None
        }
        for (kind, network), share in units.shares().items():
            self._found[_named(f"units/{kind}", network, "network")] = share
        return metrics

    def take(self) -> dict[str, float]:
        """Return what was found in the last watched update as floats, which waits for the device, and forget it."""
        found, self._found = self._found, {}
        return {name: float(value) for name, value in found.items()}


class WatchedLearner:
    """A learner whose last update before each line of the log is watched.

    Args:
        learner: The learner.
        watch: Keeps what is found.
        stream: The stream of its batches, at the step from which the learner goes on.
        periods: When lines of the log are written.
    """

    def __init__(self, learner: Learner, watch: UpdateWatch, stream: Stream, periods: Periods) -> None:
        self._learner, self._watch, self._stream, self._periods = learner, watch, stream, periods
        self._before = stream.step

    def update(self, batch: Any) -> Metrics:
        """Update the learner."""
        before, self._before = self._before, self._stream.step
        if self._before >= self._periods.steps or crossed(self._periods.log_period, before, self._before):
            return self._watch.update(self._learner, batch)
        return self._learner.update(batch)

    def parts(self) -> dict[str, Stateful]:
        """Return the parts of the learner."""
        return self._learner.parts()


def _named(metric: str, name: str, usual: str) -> str:
    return metric if name == usual else f"{metric}/{name}"
