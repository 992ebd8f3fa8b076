"""The state of PyTorch's optimizers in checkpoints."""

from typing import Any

import torch

from sandbox.core.stateful import TrainingPart


class RuleState(TrainingPart):
    """The averages, steps and learning rates of a PyTorch optimizer.

    Its other options, such as `fused`, are those of the present run: a checkpoint may be from another machine.

    Attributes:
        rule: The optimizer.
    """

    def __init__(self, rule: torch.optim.Optimizer) -> None:
        self.rule = rule

    def state_dict(self) -> dict[str, Any]:
        """Return the optimizer's state."""
        return self.rule.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore all but the options."""
        pairs = zip(self.rule.param_groups, state["param_groups"], strict=True)
        groups = [{**present, "lr": float(saved["lr"]), "params": saved["params"]} for present, saved in pairs]
        self.rule.load_state_dict({**state, "param_groups": groups})
