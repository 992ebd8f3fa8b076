"""A watch for metrics that are no numbers, and for numbers that are not finite, in metrics and in weights."""

import math

import torch
from torch import nn

from sandbox.interfaces.learner import Learner, Metrics

_LARGEST_LOSS = 1e20  # above it, squares of the values behind the loss overflow single precision


def bad_metric(metrics: Metrics, due: bool) -> str | None:
    """Return which metric is no single number or not finite, or None. A loss beyond 1e20 counts, too.

    Args:
        metrics: The metrics of an update.
        due: Whether to read numbers from a GPU, which waits for the GPU.
    """
    for name, value in sorted(metrics.items(), key=lambda item: item[0] != "loss"):
        if isinstance(value, torch.Tensor) and value.dim():
            return f"the metric {name} is a tensor of shape {tuple(value.shape)}, not a single number,"
        if due or not isinstance(value, torch.Tensor) or value.device.type == "cpu":
            number = abs(float(value))
            if not (number <= _LARGEST_LOSS if name == "loss" else number < math.inf):  # true for nan
                return f"the {name} is {float(value):g}"
    return None


def bad_weight(learner: Learner) -> str | None:
    """Return which weight of a learner's networks is not finite, or None; this waits for the device."""
    for part, module in learner.parts().items():
        if isinstance(module, nn.Module):
            for name, weight in module.state_dict().items():
                is_real = isinstance(weight, torch.Tensor) and weight.is_floating_point()
                if is_real and not bool(weight.isfinite().all()):
                    return f"{part}.{name} has numbers that are not finite"
    return None
